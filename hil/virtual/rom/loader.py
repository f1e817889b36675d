"""A chip that waits for a download: bytes of the serial line in, bytes out.

The ROM's loader answers until the host has loaded the flasher stub and jumped to it; then the stub does. Both speak
through one line, be it the UART, USB-Serial/JTAG or USB-OTG. Nothing here takes time but the RTC watchdog: erasing and
programming are done at once.
"""

from typing import Protocol

from hil.clock import to_ns
from hil.errors import WireError
from hil.virtual.flash import FlashChip
from hil.virtual.rom.chip import Chip, Exit
from hil.virtual.rom.identity import ChipIdentity
from hil.virtual.rom.registers import LINE, Registers
from hil.virtual.rom.rom_loader import RomLoader
from hil.virtual.rom.stub_loader import StubLoader
from hil.wire.esp_loader import STUB_GREETING, Request
from hil.wire.slip import SlipReader, encode

MAX_PACKET = 0x10000
"""Between two delimiters. The stub's largest block is 0x4000, and each byte of it may be escaped."""
HEADER = 8


class LoaderTaps(Protocol):
    """Where a fault may look at what passes; packets are without SLIP's delimiters and escapes."""

    def loader_request(self, packet: bytes) -> bytes | None:
        """What the chip gets; None: nothing."""

    def loader_reply(self, packet: bytes) -> bytes | None:
        """What the host gets; None: nothing."""


class NoTaps:
    """Changes nothing."""

    def loader_request(self, packet: bytes) -> bytes | None:
        return packet

    def loader_reply(self, packet: bytes) -> bytes | None:
        return packet


class Loader:
    """From a reset into download mode to its end; a new reset makes a new loader.

    Args:
        flash: the board's.
        identity: what the chip is.
        strapped: GPIO0 was low at the reset.
        forced: the bit of the RTC domain that forces a download was set at the reset.
        sticky: that bit cannot be cleared by a host.
        taps: see :class:`LoaderTaps`.
    """

    def __init__(
        self,
        flash: FlashChip,
        identity: ChipIdentity | None = None,
        *,
        strapped: bool = True,
        forced: bool = False,
        sticky: bool = False,
        taps: LoaderTaps | None = None,
    ) -> None:
        identity = identity or ChipIdentity()
        registers = Registers(flash, identity, strapped=strapped, forced=forced, sticky=sticky)
        self._taps = taps or NoTaps()
        self._chip = Chip(flash, registers, identity.security)
        self._commands: RomLoader | StubLoader = RomLoader(self._chip)
        self._reader = SlipReader(MAX_PACKET)
        self.deadline_ns: int | None = None
        """When the watchdog bites; call :meth:`wake` then."""

    @property
    def exit(self) -> Exit | None:
        """Why the loader was left; None while it answers."""
        return self._chip.exit

    @property
    def in_stub(self) -> bool:
        return isinstance(self._commands, StubLoader)

    @property
    def baud(self) -> int:
        """Of the UART, for the bytes after those that :meth:`feed` returned."""
        return self._chip.baud

    @property
    def force_download(self) -> bool:
        """The next reset of the core leads to the loader again; pass it on as ``forced``."""
        return self._chip.registers.force_download

    def answers_on(self, line: int) -> None:
        """Which of its lines the loader tells a host that it uses."""
        self._chip.registers.write(LINE, line)

    def feed(self, data: bytes, now_ns: int) -> bytes:
        """What the chip answers to bytes of its serial line; once it has left the loader, nothing."""
        self.wake(now_ns)
        if self.exit is not None:
            return b""
        sent = []
        for packet in self._reader.feed(data):
            received = self._taps.loader_request(packet) if self.exit is None else None
            if received is not None:
                sent += self._receive(received)
        self._set_deadline(now_ns)
        replies = (self._taps.loader_reply(each) for each in sent)
        return b"".join(encode(each) for each in replies if each is not None)

    def wake(self, now_ns: int) -> None:
        """Lets the watchdog bite if it is time."""
        if self.deadline_ns is not None and now_ns >= self.deadline_ns:
            self.deadline_ns = None
            if self.exit is None:
                self._chip.exit = Exit.WATCHDOG

    def _receive(self, packet: bytes) -> list[bytes]:
        if isinstance(self._commands, StubLoader) and self._commands.is_reading:
            return self._commands.acknowledge(packet)
        if len(packet) < HEADER:
            return []
        try:
            request = Request.parse(packet)
        except WireError:
            return self._commands.refuse(packet)
        replies = self._commands.receive(request)
        if self._chip.stub_started and not self.in_stub:
            self._commands = StubLoader(self._chip)
            return [*replies, STUB_GREETING]
        return replies

    def _set_deadline(self, now_ns: int) -> None:
        """Of a watchdog that was armed or fed by the command before."""
        watchdog_s = self._chip.registers.watchdog_s
        if watchdog_s is None:
            self.deadline_ns = None
        elif self.deadline_ns is None:
            self.deadline_ns = now_ns + to_ns(watchdog_s)
