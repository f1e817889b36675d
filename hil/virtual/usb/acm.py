"""CDC-ACM, as TinyUSB does it (``src/class/cdc/cdc_device.c``).

Bytes to the host wait in a FIFO of 512 bytes (``CONFIG_TINYUSB_CDC_TX_BUFSIZE``), from which packets of at most 64 go
to the endpoint; what does not fit is lost without a mark. While DTR is low the FIFO keeps the newest bytes instead.
Bytes from the host wait in another FIFO, and the endpoint answers NAK when it has no room for a whole packet.
"""

from collections.abc import Callable
from dataclasses import dataclass

from hil.virtual.usb.application import SerialEvents
from hil.virtual.usb.function import DevicePort
from hil.wire.cdc import CODING, CONTROL_DTR, CONTROL_RTS, LineCoding, SerialState
from hil.wire.usb import SetupPacket

SET_LINE_CODING, GET_LINE_CODING, SET_CONTROL_LINE_STATE, SEND_BREAK = range(0x20, 0x24)
CLASS_REQUEST = 0x20
TYPE_MASK = 0x60
PACKET = 64
FIFO = 512
DEFAULT_CODING = LineCoding(115200)


@dataclass(frozen=True, slots=True)
class AcmWiring:
    """Where a CDC-ACM function sits in its device."""

    control: int
    """Interface number; the data interface is the next."""
    notify: int
    out: int
    inward: int
    """Endpoint addresses."""


class AcmFunction:
    """One serial port.

    Args:
        events: is told what arrives; its ``on_serial`` takes everything at once.
        capacity: of the transmit FIFO, in bytes.
        listening: whether somebody will read what is written: then the FIFO refuses what does not fit, else it drops
            its oldest bytes beyond ``idle_capacity``. TinyUSB takes DTR for it (``tx_overwritabe_if_not_connected``).
    """

    def __init__(
        self,
        wiring: AcmWiring,
        events: SerialEvents,
        *,
        capacity: int = FIFO,
        idle_capacity: int = FIFO,
        listening: Callable[["AcmFunction"], bool] | None = None,
    ) -> None:
        self.interfaces = frozenset((wiring.control, wiring.control + 1))
        self.endpoints = frozenset((wiring.notify, wiring.out, wiring.inward))
        self.line_coding = DEFAULT_CODING
        self.dtr = self.rts = False
        self.breaks_ms: list[int] = []
        """Each SEND_BREAK: its duration, 0xFFFF for on, 0 for off."""
        self.on_sent: Callable[[], None] = lambda: None
        """Called when the host has taken a packet (``tud_cdc_tx_complete_cb``)."""
        self._wiring = wiring
        self._events = events
        self._capacity, self._idle_capacity = capacity, idle_capacity
        self._listening = listening or (lambda function: function.dtr)
        self._port: DevicePort | None = None
        self._fifo = bytearray()
        self._notifications: list[bytes] = []
        self._received = bytearray()
        self._reading = True

    # ---- the firmware's side ----------------------------------------------------------------------

    def write(self, data: bytes) -> int:
        """Bytes of ``data`` that were taken (``tud_cdc_write`` and ``tud_cdc_write_flush``); the rest is lost."""
        sent = self.port.hooks.serial_to_host(data)
        if self._listening(self):
            taken = sent[: max(0, self._capacity - len(self._fifo))]
            self._fifo += taken
        else:
            taken = sent
            self._fifo += taken
            del self._fifo[: max(0, len(self._fifo) - self._idle_capacity)]
        self.flush()
        return len(data) if len(taken) == len(sent) else min(len(taken), len(data))

    @property
    def queued(self) -> int:
        """Bytes in the transmit FIFO."""
        return len(self._fifo)

    @property
    def room(self) -> int:
        """Bytes that a write would take now (``tud_cdc_write_available``)."""
        return max(0, self._capacity - len(self._fifo))

    @property
    def polled(self) -> bool:
        """The host has asked for bytes: the port is open there."""
        return self.port.polled(self._wiring.inward)

    def flush(self) -> None:
        """Give the endpoint its next packet, where it is free and the device is ready (``tud_cdc_write_flush``)."""
        if self._fifo and self.port.ready and not self.port.busy(self._wiring.inward):
            packet = bytes(self._fifo[:PACKET])
            del self._fifo[:PACKET]
            self.port.transmit(self._wiring.inward, packet)

    def hold_receive(self, held: bool) -> None:
        """While held, bytes from the host stay in the receive FIFO, and beyond it with the host."""
        self._reading = not held
        self._hand_over()
        self.port.renew(self._wiring.out)

    def notify_serial_state(self, bits: int) -> None:
        """Send SERIAL_STATE; TinyUSB's CDC never does, UART bridges do."""
        self._notifications.append(SerialState(self._wiring.control, bits).pack())
        self._notify_next()

    # ---- UsbFunction --------------------------------------------------------------------------------

    @property
    def port(self) -> DevicePort:
        assert self._port is not None, "the function belongs to no device yet"
        return self._port

    def bind(self, port: DevicePort) -> None:
        self._port = port

    def reset(self) -> None:
        """FIFOs and line state go, the line coding stays (``cdcd_reset``, ITF_MEM_RESET_SIZE)."""
        self.dtr = self.rts = False
        self._fifo.clear()
        self._received.clear()
        self._notifications.clear()

    def control(self, setup: SetupPacket, data: bytes) -> bytes | None:
        if setup.request_type & TYPE_MASK != CLASS_REQUEST or setup.index != self._wiring.control:
            return None
        if setup.request == SET_LINE_CODING and len(data) == CODING.size:
            self.line_coding = LineCoding(*CODING.unpack(data))
            return b""
        if setup.request == GET_LINE_CODING:
            return self.line_coding.pack()
        if setup.request == SET_CONTROL_LINE_STATE:
            self.dtr, self.rts = bool(setup.value & CONTROL_DTR), bool(setup.value & CONTROL_RTS)
            self._events.on_line_state(self.dtr, self.rts)
            return b""
        if setup.request == SEND_BREAK:
            self.breaks_ms.append(setup.value)
            return b""
        return None

    def transmitted(self, endpoint: int, octets: int) -> None:
        if endpoint == self._wiring.notify:
            self._notify_next()
            return
        self.flush()
        self.on_sent()
        if octets and octets % PACKET == 0 and not self._fifo and not self.port.busy(endpoint):
            self.port.transmit(endpoint, b"")

    def out_room(self, endpoint: int) -> int:
        return PACKET if FIFO - len(self._received) >= PACKET else 0

    def received(self, endpoint: int, data: bytes) -> None:
        self._received += data
        self._hand_over()

    def _hand_over(self) -> None:
        if self._reading and self._received:
            data = bytes(self._received)
            self._received.clear()
            self._events.on_serial(data)

    def _notify_next(self) -> None:
        if self._notifications and not self.port.busy(self._wiring.notify):
            self.port.transmit(self._wiring.notify, self._notifications.pop(0))
