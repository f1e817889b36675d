"""CDC-NCM, as TinyUSB does it (``src/class/net/ncm_device.c``), versions 0.19 and 0.21.

What matters to a test and surprises people:

- ``can_transmit`` looks at buffers only, neither at the alternate setting nor at suspend: frames queue up until three
  blocks are full and leave when the host asks again.
- Notifications are sent once after configuration: CONNECTION_SPEED_CHANGE, then NETWORK_CONNECTION with the link state
  of the moment it is queued. 0.19 never sends them again by itself; 0.21 starts over after alternate setting 0.
- ``set_link`` with the state it has does nothing; 0.19 then sends NETWORK_CONNECTION alone, 0.21 the pair. In alternate
  setting 0 only the flag changes, and 0.19 may never tell it.
- A bus reset, or leaving the configuration, sets the link flag to up whatever the firmware had set.
"""

from collections import deque
from dataclasses import dataclass
from enum import Enum

from hil.errors import WireError
from hil.virtual.usb.application import FrameEvents
from hil.virtual.usb.descriptors import TinyUsb
from hil.virtual.usb.function import DevicePort
from hil.virtual.usb.ntb import BLOCK_SIZE, BUFFERS, IN_DATAGRAMS, OUT_DATAGRAMS, TransmitBlocks, parse_received
from hil.wire.cdc import ConnectionSpeedChange, NetworkConnection
from hil.wire.ncm import NtbParameters
from hil.wire.usb import SetupPacket

FULL_SPEED = 12_000_000
PACKET = 64
GET_INTERFACE, SET_INTERFACE = 10, 11
SET_ETHERNET_PACKET_FILTER, GET_NTB_PARAMETERS, GET_NTB_INPUT_SIZE, SET_NTB_INPUT_SIZE = 0x43, 0x80, 0x85, 0x86
CLASS_REQUEST = 0x20
TYPE_MASK = 0x60
SMALLEST_INPUT = 2048
"""NCM 1.0 table 6-4: a host may not ask for smaller blocks."""
PARAMETERS = NtbParameters(
    in_max_size=BLOCK_SIZE, out_max_size=BLOCK_SIZE, in_divisor=1, out_divisor=1, out_max_datagrams=OUT_DATAGRAMS
)


@dataclass(frozen=True, slots=True)
class NcmWiring:
    """Where a CDC-NCM function sits in its device."""

    control: int
    """Interface number; the data interface is the next."""
    notify: int
    out: int
    inward: int
    """Endpoint addresses."""


@dataclass(slots=True)
class NcmCounters:
    """Since the function was made."""

    blocks_out: int = 0
    """Valid blocks from the host."""
    malformed: int = 0
    """Blocks from the host that were dropped whole."""
    frames_from_host: int = 0
    frames_to_host: int = 0
    """Put into a block; whether the host took it is another matter."""
    refused: int = 0
    """``transmit`` found no buffer."""
    last_error: str = ""
    """Why the last malformed block was dropped."""


class _Next(Enum):
    SPEED = "speed"
    CONNECTED = "connected"
    DONE = "done"


class NcmFunction:
    """One network interface."""

    link_up: bool
    """What the next NETWORK_CONNECTION says."""
    alternate: int
    """Setting of the data interface: 1 carries frames."""
    packet_filter: int
    """As SET_ETHERNET_PACKET_FILTER set it."""

    def __init__(self, wiring: NcmWiring, events: FrameEvents, tinyusb: TinyUsb) -> None:
        self.interfaces = frozenset((wiring.control, wiring.control + 1))
        self.endpoints = frozenset((wiring.notify, wiring.out, wiring.inward))
        self.counters = NcmCounters()
        self._wiring = wiring
        self._events = events
        self._restarts = tinyusb == "0.21"
        self._port: DevicePort | None = None
        self.reset()

    # ---- the firmware's side ----------------------------------------------------------------------

    def can_transmit(self, length: int) -> bool:
        """A frame of that many bytes would be taken (``tud_network_can_xmit``)."""
        if self._blocks.make_room(length):
            return True
        self._send_block()
        return False

    def transmit(self, frame: bytes) -> bool:
        """Queue one Ethernet frame for the host (``tud_network_xmit``); False: no buffer, nothing happened."""
        if not self.can_transmit(len(frame)):
            self.counters.refused += 1
            return False
        for changed in self.port.hooks.frame_to_host(frame):
            if self.can_transmit(len(changed)):
                self._blocks.add(changed)
                self.counters.frames_to_host += 1
                self._send_block()
        return True

    def set_link(self, up: bool) -> None:
        """The link state that the host is to see (``tud_network_link_state``)."""
        if up == self.link_up:
            return
        self.link_up = up
        if self.alternate == 1:
            self._next = _Next.SPEED if self._restarts else _Next.CONNECTED
            self._notify()

    def renew_receive(self) -> None:
        """Frames that ``on_frame`` refused are offered again (``tud_network_recv_renew``)."""
        while self._refused and self._events.on_frame(self._refused[0][0]):
            self._refused[0].popleft()
            if not self._refused[0]:
                self._refused.popleft()
        self.port.renew(self._wiring.out)

    @property
    def queued(self) -> int:
        """Frames that wait in buffers."""
        return self._blocks.queued

    # ---- UsbFunction --------------------------------------------------------------------------------

    @property
    def port(self) -> DevicePort:
        assert self._port is not None, "the function belongs to no device yet"
        return self._port

    def bind(self, port: DevicePort) -> None:
        self._port = port

    def reset(self) -> None:
        """As after power-up (``netd_init``)."""
        self.alternate = 0
        self.link_up = True
        self.packet_filter = 0
        self._used = False
        self._armed = True
        self._blocks = TransmitBlocks()
        self._refused: deque[deque[bytes]] = deque()
        self._next = _Next.SPEED

    def control(self, setup: SetupPacket, data: bytes) -> bytes | None:
        if setup.request_type & TYPE_MASK == CLASS_REQUEST:
            return self._class_request(setup, data) if setup.index == self._wiring.control else None
        if setup.index != self._wiring.control + 1:
            return None
        if setup.request == GET_INTERFACE:
            return bytes((self.alternate,))
        if setup.request == SET_INTERFACE and setup.value <= 1:
            self._select(setup.value)
            return b""
        return None

    def transmitted(self, endpoint: int, octets: int) -> None:
        if endpoint == self._wiring.notify:
            self._notify()
            return
        self._blocks.in_flight = False
        if octets and octets % PACKET == 0 and not self.port.busy(endpoint):
            self.port.transmit(endpoint, b"")
        else:
            self._send_block()

    def out_room(self, endpoint: int) -> int:
        return BLOCK_SIZE if self.alternate == 1 and self._armed and len(self._refused) < BUFFERS else 0

    def received(self, endpoint: int, data: bytes) -> None:
        try:
            datagrams = parse_received(data)
        except WireError as error:
            self.counters.malformed += 1
            self.counters.last_error = str(error)
            return
        self.counters.blocks_out += 1
        frames = deque(changed for frame in datagrams for changed in self.port.hooks.frame_from_host(frame))
        self.counters.frames_from_host += len(frames)
        if frames:
            self._refused.append(frames)
            self.renew_receive()

    # ---- inside -----------------------------------------------------------------------------------

    def _class_request(self, setup: SetupPacket, data: bytes) -> bytes | None:
        if setup.request == GET_NTB_PARAMETERS:
            return PARAMETERS.pack()
        if not self._restarts:
            return None
        if setup.request == SET_ETHERNET_PACKET_FILTER:
            self.packet_filter = setup.value
            return b""
        if setup.request == GET_NTB_INPUT_SIZE:
            return self._blocks.max_size.to_bytes(4, "little")
        if setup.request == SET_NTB_INPUT_SIZE and len(data) == 4:
            return self._set_input_size(int.from_bytes(data, "little"))
        return None

    def _set_input_size(self, size: int) -> bytes | None:
        if not SMALLEST_INPUT <= size <= 0xFFFF:
            return None
        self._blocks.max_size = min(size, BLOCK_SIZE)
        self._blocks.max_datagrams = IN_DATAGRAMS
        return b""

    def _select(self, alternate: int) -> None:
        self._armed = not self._used or self.alternate == 1 or self.port.hooks.rearms(self._wiring.control + 1)
        self._used = self._used or alternate == 1
        self.alternate = alternate
        if alternate == 1:
            self.port.renew(self._wiring.out)
            self._notify()
            self._send_block()
        elif self._restarts:
            self._next = _Next.SPEED

    def _send_block(self) -> None:
        """``xmit_start_if_possible``."""
        if self.alternate == 1 and self._armed and not self.port.busy(self._wiring.inward):
            block = self._blocks.take()
            if block is not None:
                self.port.transmit(self._wiring.inward, block)

    def _notify(self) -> None:
        """``notification_xmit``: the next notification, where none is on its way."""
        if self._next is _Next.DONE or self.port.busy(self._wiring.notify):
            return
        if self._next is _Next.SPEED:
            self._next = _Next.CONNECTED
            message = ConnectionSpeedChange(self._wiring.control, FULL_SPEED, FULL_SPEED).pack()
        else:
            self._next = _Next.DONE
            message = NetworkConnection(self._wiring.control, self.link_up).pack()
        self.port.transmit(self._wiring.notify, message)
