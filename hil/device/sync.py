"""The first words with a chip's loader: whether one listens, and having it leave.

Protocol: :mod:`hil.wire.esp_loader`. The order to stay (RTC_CNTL_FORCE_DOWNLOAD_BOOT) lies in the RTC domain and
outlives a reset of the core, and so does what was read from IO0. The RTC watchdog resets that domain too (ESP32-S3 TRM,
"Reset and Clock", "Watchdog Timers"; addresses as in esptool ``targets/esp32s3.py``, ``rtc_wdt_reset``).
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

WDT_CONFIG0, WDT_CONFIG1, WDT_PROTECT = 0x6000_8098, 0x6000_809C, 0x6000_80B0
WDT_KEY = 0x50D8_3AA1
OPTION1, FORCE_DOWNLOAD = 0x6000_812C, 1
"""RTC_CNTL_OPTION1_REG and its bit that keeps the chip in its loader."""
WDT_TICKS = 2000
"""Of the slow clock of 136 kHz: 15 ms."""
WDT_RESET = 1 << 31 | 5 << 28 | 1 << 8 | 2
"""Enabled, its first stage resets the system and the RTC domain, over 2 cycles (RTC_CNTL_WDTCONFIG0_REG)."""
SYNC_S = 3.0
"""A loader that listens answers within milliseconds; one that has just come up lost what was sent before."""
AGAIN_S = 0.1
WRITE_S = 1.0
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

    def restart(self) -> bool:
        """Have the RTC watchdog reset the whole chip; whether the loader took the order. SYNC goes before it.

        Raises:
            BoardVanished: the device has left the bus, which after the order it does.
        """
        writes = ((WDT_PROTECT, WDT_KEY), (WDT_CONFIG1, WDT_TICKS), (WDT_CONFIG0, WDT_RESET), (WDT_PROTECT, 0))
        return all(self._write(address, value) for address, value in writes)

    def forget_order(self) -> bool:
        """Clear the bit that keeps the chip in its loader; whether the loader took that. SYNC goes before it.

        Raises:
            BoardVanished: the device has left the bus.
        """
        return self._write(OPTION1, 0, FORCE_DOWNLOAD)

    def _write(self, address: int, value: int, mask: int = 0xFFFF_FFFF) -> bool:
        packet = self._ask(Request(Op.WRITE_REG, RegisterWrite(address, value, mask).pack()), WRITE_S)
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
