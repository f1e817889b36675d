"""The first words with a chip's loader: whether one listens, and having it forget the order to stay.

Protocol: :mod:`hil.wire.esp_loader`. The order is RTC_CNTL_FORCE_DOWNLOAD_BOOT, bit 0 of RTC_CNTL_OPTION1; it lies in
the RTC domain and outlives every reset of the chip that keeps its supply (ESP32-S3 TRM, "Reset and Clock").
"""

from hil.clock import Clock, Deadline
from hil.device.lent_port import Port
from hil.errors import WireError
from hil.wire import slip
from hil.wire.esp_loader import (
    ROM_STATUS_LENGTH,
    STUB_STATUS_LENGTH,
    SYNC_ARGUMENT,
    Op,
    RegisterWrite,
    Reply,
    Request,
)

OPTION1 = 0x6000_812C
FORCE_DOWNLOAD = 0x1
SYNC_S = 3.0
"""A loader that listens answers within milliseconds; one that has just come up lost what was sent before."""
AGAIN_S = 0.1
LONGEST = 1 << 14
_HEADER = 8
_LENGTH_AT = slice(2, 4)


class LoaderTalk:
    """Requests and replies on an open port.

    Args:
        port: of a board whose identity is a loader's; to nothing else may this be sent.
        clock: for the deadlines.
    """

    def __init__(self, port: Port, clock: Clock) -> None:
        self._port = port
        self._clock = clock
        self._reader = slip.SlipReader(LONGEST)
        self._status_length = ROM_STATUS_LENGTH

    def sync(self, within_s: float = SYNC_S) -> bool:
        """Whether a loader answers SYNC ``within_s``.

        Raises:
            BoardVanished: the device has left the bus.
        """
        deadline = Deadline(within_s, self._clock)
        while not deadline.passed:
            reply = self._ask(Request(Op.SYNC, SYNC_ARGUMENT), AGAIN_S)
            if reply is not None:
                is_stub = int.from_bytes(reply[_LENGTH_AT], "little") == STUB_STATUS_LENGTH
                self._status_length = STUB_STATUS_LENGTH if is_stub else ROM_STATUS_LENGTH
                return True
        return False

    def forget_download(self) -> bool:
        """Clear the order to stay in the loader; whether the loader did so. SYNC goes before it.

        Raises:
            BoardVanished: the device has left the bus.
        """
        write = RegisterWrite(OPTION1, 0, mask=FORCE_DOWNLOAD)
        packet = self._ask(Request(Op.WRITE_REG, write.pack()), 1.0)
        try:
            return packet is not None and Reply.parse(packet, self._status_length).error is None
        except WireError:
            return False

    def _ask(self, request: Request, within_s: float) -> bytes | None:
        """The reply to it; replies to former requests and a boot log before it are passed over."""
        self._port.write(slip.encode(request.pack()))
        deadline = Deadline(within_s, self._clock)
        while not deadline.passed:
            for packet in self._reader.feed(self._port.read(deadline.left_s)):
                if len(packet) >= _HEADER and packet[:2] == bytes([1, request.op]):
                    return packet
        return None
