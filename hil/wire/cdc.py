"""CDC notifications and line coding (CDC 1.2 section 6.3, PSTN 1.2 section 6.5), little-endian."""

from dataclasses import dataclass
from typing import Self

from hil.errors import WireError
from hil.wire.layout import Layout, exactly

NETWORK_CONNECTION = 0x00
SERIAL_STATE = 0x20
CONNECTION_SPEED_CHANGE = 0x2A
FROM_INTERFACE = 0xA1
"""bmRequestType of every notification: class, interface, to the host."""

DCD, DSR, BREAK, RING, FRAMING, PARITY, OVERRUN = (1 << bit for bit in range(7))
"""Bits of SERIAL_STATE (PSTN 1.2 table 31)."""

STOP_BITS = ("1", "1.5", "2")
PARITIES = ("none", "odd", "even", "mark", "space")
CONTROL_DTR = 1
CONTROL_RTS = 2
"""Bits of wValue in SET_CONTROL_LINE_STATE."""

HEADER = Layout("CDC notification", "<BBHHH")
SPEEDS = Layout("CONNECTION_SPEED_CHANGE", "<II")
BITS = Layout("SERIAL_STATE", "<H")
CODING = Layout("line coding", "<IBBB")


@dataclass(frozen=True, slots=True)
class NetworkConnection:
    """The link of an Ethernet function came up or went down."""

    interface: int
    connected: bool

    def pack(self) -> bytes:
        return HEADER.pack(FROM_INTERFACE, NETWORK_CONNECTION, int(self.connected), self.interface, 0)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        value, interface, _ = _split(data, NETWORK_CONNECTION, 0)
        if value > 1:
            raise WireError(f"NETWORK_CONNECTION: wValue {value}, expected 0 or 1")
        return cls(interface, bool(value))


@dataclass(frozen=True, slots=True)
class ConnectionSpeedChange:
    """Speeds of an Ethernet function, in bits per second; downstream is towards the host."""

    interface: int
    downstream: int
    upstream: int

    def pack(self) -> bytes:
        header = HEADER.pack(FROM_INTERFACE, CONNECTION_SPEED_CHANGE, 0, self.interface, SPEEDS.size)
        return header + SPEEDS.pack(self.downstream, self.upstream)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        _, interface, body = _split(data, CONNECTION_SPEED_CHANGE, SPEEDS.size)
        return cls(interface, *SPEEDS.unpack(body))


@dataclass(frozen=True, slots=True)
class SerialState:
    """Modem lines and errors of a serial function."""

    interface: int
    bits: int
    """:data:`DCD` to :data:`OVERRUN`."""

    def pack(self) -> bytes:
        header = HEADER.pack(FROM_INTERFACE, SERIAL_STATE, 0, self.interface, BITS.size)
        return header + BITS.pack(self.bits)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        _, interface, body = _split(data, SERIAL_STATE, BITS.size)
        return cls(interface, *BITS.unpack(body))


Notification = NetworkConnection | ConnectionSpeedChange | SerialState
NOTIFICATIONS: dict[int, type[NetworkConnection] | type[ConnectionSpeedChange] | type[SerialState]] = {
    NETWORK_CONNECTION: NetworkConnection,
    CONNECTION_SPEED_CHANGE: ConnectionSpeedChange,
    SERIAL_STATE: SerialState,
}


def parse_notification(data: bytes) -> Notification:
    """One whole notification as its interrupt transfer brought it."""
    _, code, _, _, _ = HEADER.unpack(data)
    kind = NOTIFICATIONS.get(code)
    if kind is None:
        raise WireError(f"CDC notification: code 0x{code:02x}, known: {', '.join(f'0x{k:02x}' for k in NOTIFICATIONS)}")
    return kind.parse(data)


def _split(data: bytes, wanted: int, body_length: int) -> tuple[int, int, bytes]:
    """wValue, wIndex and the body of a notification, checked."""
    kind, code, value, interface, length = HEADER.unpack(data)
    if (kind, code) != (FROM_INTERFACE, wanted):
        raise WireError(f"CDC notification: 0x{kind:02x}/0x{code:02x}, expected 0x{FROM_INTERFACE:02x}/0x{wanted:02x}")
    body = exactly(f"CDC notification 0x{wanted:02x} body", data[HEADER.size :], body_length)
    if length != body_length:
        raise WireError(f"CDC notification 0x{wanted:02x}: wLength {length}, expected {body_length}")
    return value, interface, body


@dataclass(frozen=True, slots=True)
class LineCoding:
    """Settings of a serial function (PSTN 1.2 table 17)."""

    baud: int
    stop_bits: int = 0
    """Index into :data:`STOP_BITS`."""
    parity: int = 0
    """Index into :data:`PARITIES`."""
    data_bits: int = 8

    def pack(self) -> bytes:
        return CODING.pack(self.baud, self.stop_bits, self.parity, self.data_bits)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        made = cls(*CODING.unpack(exactly(CODING.name, data, CODING.size)))
        if made.stop_bits >= len(STOP_BITS) or made.parity >= len(PARITIES) or made.data_bits not in (5, 6, 7, 8, 16):
            raise WireError(f"line coding: {made}, expected stop_bits 0..2, parity 0..4, data_bits 5..8 or 16")
        return made
