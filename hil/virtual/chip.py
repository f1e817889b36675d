"""The chip of a virtual board: power, EN and resets, and what the ROM makes of each.

Theory of operation. A reset leaves some latches as they were (:mod:`hil.virtual.straps`); they say whether the ROM
waits for a download or boots what is in flash. A boot ends in an application, whose firmware the board then runs, or in
a failure, after which a watchdog or the boot loader starts the chip over, for as long as the flash stays what it is. An
application that has no build for the host prints its description and does nothing.

The chip's own USB devices (:mod:`hil.virtual.usb.rom_devices`) share the pins with the firmware's. Known: in its loader
the chip shows USB-Serial/JTAG, or its OTG device where a firmware had taken the pins and only the forcing bit was set;
USB-Serial/JTAG stays on the bus over a reset of the core, as esptool goes on with the same open port. Inferred: a chip
that fails to boot shows USB-Serial/JTAG too, which has the pins after power-on. Left out: a chip shows it for the third
of a second that a good boot takes as well, which a host may or may not notice.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from functools import partial
from typing import Protocol

from hil import clock
from hil.virtual.download import Download, DownloadMode, Line
from hil.virtual.faults import FaultPort
from hil.virtual.flash import FlashChip
from hil.virtual.points import Injection
from hil.virtual.registry import Application, Registry
from hil.virtual.rom.boot import BootOutcome, application_lines, boot
from hil.virtual.rom.chip import Exit
from hil.virtual.rom.identity import ChipIdentity
from hil.virtual.soc import BootLine, ChipClock, Reset, download_line
from hil.virtual.straps import WHOLE, Latches, Phy
from hil.virtual.usb.rom_devices import OtgPort, RomDevice, SerialJtagPort, otg, serial_jtag


class Mode(Enum):
    """What the chip does."""

    OFF = "off"
    HELD = "held"
    """EN is low."""
    APPLICATION = "application"
    NO_BUILD = "no-build"
    """An application that has no build for the host."""
    BOOT_LOOP = "boot-loop"
    LOADER = "loader"
    RAM_CODE = "ram-code"
    """The loader jumped to code that is no flasher stub."""


class Surroundings(Protocol):
    """The board around the chip."""

    def say(self, data: bytes) -> None:
        """Bytes on the UART."""

    def start(self, application: Application, reason: str) -> None:
        """The application's first instruction is due; ``reason`` as the firmware logs it."""

    def stop(self) -> None:
        """Nothing runs any more."""

    def look(self) -> None:
        """The host may see another device now."""

    def inject(self, injection: Injection) -> None:
        """A fault wants that to happen."""


@dataclass(frozen=True, slots=True)
class ChipParts:
    """What a chip is, and what it is connected to."""

    identity: ChipIdentity
    flash: FlashChip
    registry: Registry
    drift_ppm: float = 0.0


class Chip:
    """One ESP32-S3, without power; made inside a running event loop."""

    def __init__(self, parts: ChipParts, faults: FaultPort, board: Surroundings) -> None:
        self.clock = ChipClock(0)
        self.mode = Mode.OFF
        self.runs = ""
        """Project and version of the application, or why none runs."""
        self.io0_low = False
        self.device: RomDevice | None = None
        """The chip's own, where it is on the bus."""
        self._identity = parts.identity
        self._flash = parts.flash
        self._registry = parts.registry
        self._drift_ppm = parts.drift_ppm
        self._faults = faults
        self._board = board
        self._latches = Latches()
        self._loader: DownloadMode | None = None
        self._held = self._waits = False
        self._timers: list[asyncio.TimerHandle] = []

    @property
    def powered(self) -> bool:
        """It has power, and EN is high."""
        return self.mode not in (Mode.OFF, Mode.HELD)

    # ---- what is done to it --------------------------------------------------------------------------

    def power_on(self) -> None:
        if not self.powered:
            self._start(Reset.POWER_ON)

    def power_off(self) -> None:
        self._stop()
        self.device = None
        self.mode = Mode.HELD if self._held else Mode.OFF

    def hold(self) -> None:
        """EN is low: the chip stands still, and starts when it is released if it has power then."""
        waits = self.powered
        self._stop()
        self.device = None
        self._held, self._waits, self.mode = True, waits, Mode.HELD

    def release(self) -> None:
        """EN is high again."""
        self._held = False
        if self._waits:
            self._start(Reset.EN)
        else:
            self.mode = Mode.OFF

    def reset(self, reset: Reset, *, into_loader: bool = False) -> None:
        """Start over; ``into_loader``: USB-Serial/JTAG asked for that."""
        self._stop()
        self._start(reset, into_loader)
        self._board.look()

    def uart(self, data: bytes, baud: int) -> None:
        """Bytes of a host on the UART."""
        if self._loader is not None and self._loader.hears(baud):
            self._loader.receive(Line.UART, data, self._board.say)

    # ---- what its firmware does ----------------------------------------------------------------------

    def pins_to_otg(self) -> None:
        """TinyUSB is installed: its device, and not the chip's, is on the bus."""
        self._latches.phy = Phy.OTG
        self.device = None

    def pins_to_serial_jtag(self) -> None:
        self._latches.phy = Phy.SERIAL_JTAG

    def force_download(self, on: bool) -> None:
        self._latches.forced = on

    def at(self, at_ns: int, action: Callable[[], None]) -> None:
        """Do it at that instant, unless the chip has started over before."""
        loop = asyncio.get_running_loop()
        timer = loop.call_at(clock.to_s(at_ns), action)
        self._timers = [each for each in self._timers if each.when() > loop.time() and not each.cancelled()]
        self._timers.append(timer)

    # ---- resets --------------------------------------------------------------------------------------

    def _start(self, reset: Reset, into_loader: bool = False) -> None:
        if self._held:
            self._waits = True
            return
        self._waits = False
        self._faults.boots += 1
        self._latches.reset(reset, self.io0_low, into_loader)
        if reset in WHOLE or self._latches.phy is Phy.OTG:
            self.device = None
        self.clock = ChipClock(clock.now_ns(), self._drift_ppm)
        seen = self._faults.boot(reset)
        if self._latches.download:
            self._wait_for_download(seen)
        else:
            self._boot(boot(self._flash, seen, self._identity), seen)

    def _stop(self) -> None:
        """Everything that was running; a loader leaves its forcing bit behind."""
        self._waits = False
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        if self._loader is not None:
            self._latches.forced = self._loader.loader.force_download
            self._loader.close()
            self._loader = None
        self._board.stop()

    # ---- a boot from flash ---------------------------------------------------------------------------

    def _boot(self, outcome: BootOutcome, reset: Reset) -> None:
        if outcome.reset is not None:
            self.mode, self.runs = Mode.BOOT_LOOP, outcome.failure
            self._print(outcome.lines)
            self.at(self.clock.instant_ns(outcome.ends_after_s), partial(self.reset, outcome.reset))
            self._show_serial_jtag()
            return
        introduction = application_lines(outcome.app, outcome.ends_after_s) if outcome.app else ()
        self._print((*outcome.lines, *introduction))
        self._run(outcome, reset)

    def _run(self, outcome: BootOutcome, reset: Reset) -> None:
        app, offset = outcome.app, outcome.app_offset
        name = f"{app.project} {app.version}" if app else "an application without a description"
        found = self._registry.find(app, self._flash, offset) if app and offset is not None else None
        if found is None:
            self.mode, self.runs = Mode.NO_BUILD, f"no virtual build of {name}"
            self._show_serial_jtag()
        else:
            self.mode, self.runs = Mode.APPLICATION, name
            self._board.start(found, reset.reason)

    def _print(self, lines: tuple[BootLine, ...]) -> None:
        for line in lines:
            self.at(self.clock.instant_ns(line.after_s), partial(self._say, line.data))

    def _say(self, data: bytes) -> None:
        """On the UART and, where a host listens there, on USB-Serial/JTAG."""
        self._board.say(data)
        if self.device is not None and self._latches.phy is Phy.SERIAL_JTAG:
            self.device.serial.write(data)

    # ---- the loader ----------------------------------------------------------------------------------

    def _wait_for_download(self, reset: Reset) -> None:
        self.mode, self.runs = Mode.LOADER, ""
        latches = self._latches
        how = self._faults.download(Download(self._identity, replace(latches), self._flash, latches.phy))
        latches.forced, latches.phy = latches.forced or how.sticky, how.phy
        how = replace(how, latches=replace(latches))
        self._loader = DownloadMode(how, self, self._left)
        self._print((download_line(reset),))
        if not how.on_bus:
            self.device = None
        elif how.phy is Phy.SERIAL_JTAG:
            self._show_serial_jtag(how.readable)
        else:
            self.device = otg(OtgPort(partial(self._usb, Line.OTG), self._reset_by_usb), how.readable)

    def loader_request(self, packet: bytes) -> bytes | None:
        """A fault sees what the loader gets, and may change it."""
        for each in self._faults.loading(packet):
            self._board.inject(each)
        return self._faults.loader_request(packet)

    def loader_reply(self, packet: bytes) -> bytes | None:
        """The same with what the loader answers."""
        return self._faults.loader_reply(packet)

    def _show_serial_jtag(self, readable: bool = True) -> None:
        if self._latches.phy is Phy.SERIAL_JTAG and self.device is None:
            port = SerialJtagPort(partial(self._usb, Line.SERIAL_JTAG), self._reset_by_usb)
            self.device = serial_jtag(self._identity.mac, port, readable)

    def _usb(self, line: Line, data: bytes) -> None:
        device = self.device
        if self._loader is not None and device is not None:
            self._loader.receive(line, data, device.serial.write)

    def _reset_by_usb(self, into_loader: bool) -> None:
        """Not within the control request that asks for it: that one is still answered."""
        self.at(clock.now_ns(), partial(self.reset, Reset.USB_UART, into_loader=into_loader))

    def _left(self, how: Exit) -> None:
        match how:
            case Exit.REBOOT:
                self.reset(Reset.BOOT_LOADER)
            case Exit.WATCHDOG:
                self.reset(Reset.RTC_WATCHDOG)
            case Exit.RUN:
                self._stop()
                self._latches.requested = False
                outcome = boot(self._flash, identity=self._identity)
                self._boot(replace(outcome, lines=outcome.lines[1:]), Reset.POWER_ON)
                self._board.look()
            case Exit.RAM_CODE:
                self.mode = Mode.RAM_CODE
