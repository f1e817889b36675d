"""Events of the kernel's binary USB monitor, /dev/usbmonN (Documentation/usb/usbmon.rst, drivers/usb/mon/mon_bin.c).

``read()`` gives a header of 48 bytes, ``MON_IOCX_GETX`` one of 64; both in the byte order of the machine.
"""

from dataclasses import dataclass
from typing import Self

from hil.errors import WireError
from hil.wire.layout import Layout

HEADER_LENGTH = 64
READ_HEADER_LENGTH = 48
ISOCHRONOUS, INTERRUPT, CONTROL, BULK = range(4)
SUBMITTED, COMPLETED, FAILED = "S", "C", "E"
"""``type``: handed to the controller, given back, or not accepted by the controller at all."""
PRESENT = "\0"
"""``setup_flag`` and ``data_flag`` where the event carries them; any other character says why it does not."""
EINPROGRESS = -115
"""``status`` of every submitted URB."""

FRONT = Layout("usbmon header", "=Q4BH2cqiiII8s")
REST = Layout("usbmon header of MON_IOCX_GETX", "=iiII")


@dataclass(frozen=True, slots=True)
class UsbmonPacket:
    """One URB at one moment of its life."""

    id: int
    """The same in submission and completion, and reused afterwards."""
    type: str
    transfer_type: int
    endpoint: int
    """With the direction bit 0x80."""
    device: int
    bus: int
    setup_flag: str
    data_flag: str
    ts_sec: int
    """CLOCK_REALTIME."""
    ts_usec: int
    status: int
    length: int
    """Bytes asked for (S) or moved (C)."""
    captured: int
    """Bytes that the kernel kept of them."""
    setup: bytes
    """SETUP packet of a submitted control transfer; meaningless unless :attr:`has_setup`."""
    interval: int = 0
    start_frame: int = 0
    transfer_flags: int = 0
    iso_descriptors: int = 0
    payload: bytes = b""

    @property
    def is_in(self) -> bool:
        """The transfer's data goes to the host."""
        return bool(self.endpoint & 0x80)

    @property
    def has_setup(self) -> bool:
        """``setup`` holds a SETUP packet."""
        return self.setup_flag == PRESENT and self.type == SUBMITTED and self.transfer_type == CONTROL

    @property
    def t_realtime_ns(self) -> int:
        """Time stamp in nanoseconds, on CLOCK_REALTIME, with a resolution of 1000."""
        return self.ts_sec * 1_000_000_000 + self.ts_usec * 1000

    def pack(self) -> bytes:
        """A header of 64 bytes and the payload."""
        kind = (self.transfer_type, self.endpoint, self.device, self.bus)
        flags = (_byte(self.setup_flag), _byte(self.data_flag))
        times = (self.ts_sec, self.ts_usec, self.status, self.length, self.captured)
        front = FRONT.pack(self.id, _byte(self.type)[0], *kind, *flags, *times, self.setup)
        rest = REST.pack(self.interval, self.start_frame, self.transfer_flags, self.iso_descriptors)
        return front + rest + self.payload

    @classmethod
    def parse(cls, data: bytes, header_length: int = HEADER_LENGTH) -> Self:
        """Header and what follows it: nothing, or payload up to ``captured`` bytes."""
        if header_length not in (HEADER_LENGTH, READ_HEADER_LENGTH):
            raise WireError(
                f"usbmon: header of {header_length} bytes, expected {READ_HEADER_LENGTH} or {HEADER_LENGTH}"
            )
        ident, kind, transfer_type, endpoint, device, bus, setup_flag, data_flag, *times, setup = FRONT.unpack(data)
        ts_sec, ts_usec, status, length, captured = times
        rest = REST.unpack(data, FRONT.size) if header_length == HEADER_LENGTH else (0, 0, 0, 0)
        payload = data[header_length:]
        if chr(kind) not in (SUBMITTED, COMPLETED, FAILED) or transfer_type > BULK:
            raise WireError(f"usbmon: type {chr(kind)!r} transfer type {transfer_type}, expected S, C or E and 0..3")
        if len(payload) > captured:
            raise WireError(f"usbmon: {len(payload)} bytes of data, but {captured} captured")
        if not 0 <= ts_usec < 1_000_000:
            raise WireError(f"usbmon: {ts_usec} microseconds in a time stamp")
        interval, start_frame, transfer_flags, iso_descriptors = rest
        return cls(
            id=ident,
            type=chr(kind),
            transfer_type=transfer_type,
            endpoint=endpoint,
            device=device,
            bus=bus,
            setup_flag=setup_flag.decode("latin-1"),
            data_flag=data_flag.decode("latin-1"),
            ts_sec=ts_sec,
            ts_usec=ts_usec,
            status=status,
            length=length,
            captured=captured,
            setup=setup,
            interval=interval,
            start_frame=start_frame,
            transfer_flags=transfer_flags,
            iso_descriptors=iso_descriptors,
            payload=payload,
        )


def _byte(character: str) -> bytes:
    if len(character) != 1 or ord(character) > 255:
        raise WireError(f"usbmon: flag {character!r}, expected one character up to 0xff")
    return character.encode("latin-1")
