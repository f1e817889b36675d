"""Faults of the chip's loader and of the way to it.

What passes strikes once, so that a board can be got back (option ``times``); what the chip is, it stays.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

from hil.errors import VirtualBoardError, WireError
from hil.virtual.download import Download
from hil.virtual.faults import Fault
from hil.virtual.firmware import FirmwareConfig
from hil.virtual.flash import MB
from hil.virtual.points import Injection, LoseContact, PullCable
from hil.virtual.soc import Reset
from hil.virtual.straps import WHOLE, Phy
from hil.wire.esp_loader import ROM_STATUS_LENGTH, STUB_GREETING, Begin, Op, Request, RomError, StubError

BEGINS = (Op.FLASH_BEGIN, Op.FLASH_DEFL_BEGIN)
BLOCKS = (Op.FLASH_DATA, Op.FLASH_DEFL_DATA)
REPLY_HEADER = 8
LEAST = 0x4000
"""Bytes of a write that counts: the partition table is not one."""
ESP32_C3 = 5


class LoaderFault(Fault):
    """Strikes ``times`` times, 0 for ever; one time lasts until the loader is left."""

    keys = frozenset({"times"})
    numbers: ClassVar[Mapping[str, int]] = {"times": 1}
    """Options and their defaults."""
    lasts_until_power: ClassVar[bool] = False
    """One time lasts until the next power-on, EN or RTC watchdog: resets of the core do not end it."""

    def __init__(self, options: Mapping[str, str]) -> None:
        super().__init__(options)
        self._struck = 0
        self._strikes = False
        self.number = {name: self._number(name, default) for name, default in self.numbers.items()}

    def _number(self, name: str, default: int) -> int:
        text = self.options.get(name, str(default))
        if not (text.isascii() and text.isdigit() and len(text) < 7):
            raise VirtualBoardError(f"fault {self.name}: {name} is {text!r}; wanted a number from 0 to 999999")
        return int(text)

    def strikes(self) -> bool:
        """Whether it does so now; asked where there is something to strike."""
        if not self._strikes and (self.number["times"] == 0 or self._struck < self.number["times"]):
            self._strikes = True
            self._struck += 1
        return self._strikes

    def boot(self, reset: Reset) -> Reset:
        if reset in WHOLE:
            self._strikes = False
        return reset

    def download(self, how: Download) -> Download:
        if not self.lasts_until_power:
            self._strikes = False
        changed = self.changed(how)
        return changed if changed is not how and self.strikes() else how

    def changed(self, how: Download) -> Download:
        """How the chip comes up in its loader instead."""
        return how


class WriteFault(LoaderFault, ABC):
    """Something happens once, when ``at`` percent of the blocks of a write have arrived.

    Percent 0 is before the first block, 100 after the last one; a write is what one BEGIN announces.
    """

    keys = frozenset({"times", "at", "back_ms"})
    numbers: ClassVar[Mapping[str, int]] = {"times": 1, "at": 50, "back_ms": 1000}
    ends_the_stay: ClassVar[bool] = True
    """Nothing that follows reaches this loader; else only the request at which it happens is lost."""

    def __init__(self, options: Mapping[str, str]) -> None:
        super().__init__(options)
        self._total = self._done = 0
        self._swallows = False

    def download(self, how: Download) -> Download:
        self._total, self._swallows = 0, False
        return super().download(how)

    def loading(self, packet: bytes) -> Sequence[Injection]:
        try:
            request = Request.parse(packet)
            begin = Begin.parse(request.data) if request.op in BEGINS else None
        except WireError:
            return ()
        if begin is not None:
            self._total, self._done = begin.blocks if begin.size >= LEAST else 0, 0
            return ()
        due = self._total and 100 * self._done >= self.number["at"] * self._total
        self._done += request.op in BLOCKS
        if not due or self._strikes or not self.strikes():
            return ()
        self._swallows = True
        return (self.happens(self.number["back_ms"] / 1000),)

    def loader_request(self, packet: bytes) -> bytes | None:
        swallows, self._swallows = self._swallows, self._swallows and self.ends_the_stay
        return None if swallows else packet

    @abstractmethod
    def happens(self, back_s: float) -> Injection:
        """What interrupts the write, for so long."""


class CablePulledMidWrite(WriteFault):
    """The cable is pulled in the middle of a write, and put back.

    Options: ``at`` percent of the write's blocks, ``back_ms`` until it is back, ``times``.

    Source: what a hand does. The ROM has erased the whole range by then, esptool's stub only what it has written
    (:mod:`hil.virtual.rom.writing`).

    Finding: the port goes in the middle of a write; the image that is left does not boot.
    """

    name = "cable-pulled-mid-write"

    def happens(self, back_s: float) -> Injection:
        return PullCable(back_s)


class PortRenamedMidFlash(WriteFault):
    """The device leaves the bus in the middle of a write and comes back under another name; the board keeps its power.

    Options: ``at``, ``back_ms``, ``times``. The request that was under way is lost.

    Source: the kernel gives the lowest free number, and the old one is taken for as long as somebody has it open
    (``acm_alloc_minor``, ``drivers/usb/class/cdc-acm.c``).

    Finding: the same topology path, another name.
    """

    name = "port-renamed-mid-flash"
    ends_the_stay = False

    def happens(self, back_s: float) -> Injection:
        return LoseContact(back_s)


class LoaderNaks(LoaderFault):
    """The loader refuses every block of a write.

    Source: ``StubError.FAILED_SPI_OP`` and ``RomError.FLASH_WRITE``, as of a flash that is worn out or write-protected.

    Finding: writing fails by the loader's own answer.
    """

    name = "loader-naks"

    def loader_reply(self, packet: bytes) -> bytes | None:
        if len(packet) <= REPLY_HEADER or packet[1] not in BLOCKS or not self.strikes():
            return packet
        rom = len(packet) - REPLY_HEADER == ROM_STATUS_LENGTH
        status = bytes((1, RomError.FLASH_WRITE, 0, 0)) if rom else bytes((StubError.FAILED_SPI_OP, 0))
        return packet[:REPLY_HEADER] + status


class WrongMd5(LoaderFault):
    """The loader's digest of what it wrote is not that of what was sent.

    Source: esptool's troubleshooting page names bad flash chips, bad solder joints and a weak supply for it.

    Finding: the hash of what was written does not match.
    """

    name = "wrong-md5"

    def loader_reply(self, packet: bytes) -> bytes | None:
        digest = len(packet) > REPLY_HEADER + ROM_STATUS_LENGTH and packet[1] == Op.SPI_FLASH_MD5
        if not digest or not self.strikes():
            return packet
        first = packet[REPLY_HEADER]
        other = ord("1") if first == ord("0") else ord("0")  # stays a digit, for the ROM sends text
        return packet[:REPLY_HEADER] + bytes((other,)) + packet[REPLY_HEADER + 1 :]


class StubMute(LoaderFault):
    """The flasher stub is loaded and never says OHAI.

    Source: esptool's documentation of the stub; a RAM that another program uses, or a supply that breaks down.

    Finding: the ROM answers, its stub does not.
    """

    name = "stub-mute"

    def loader_reply(self, packet: bytes) -> bytes | None:
        return None if packet == STUB_GREETING and self.strikes() else packet


class OtherChip(LoaderFault):
    """The chip calls itself an ESP32-C3.

    Source: boards of one form with different chips; ``GET_SECURITY_INFO`` tells the number.

    Finding: a build for another chip, before anything is written.
    """

    name = "other-chip"
    numbers: ClassVar[Mapping[str, int]] = {"times": 0}

    def changed(self, how: Download) -> Download:
        return replace(how, identity=replace(how.identity, number=ESP32_C3))


class FlashTooSmall(LoaderFault):
    """The flash chip has 1 MB.

    Source: modules that differ in nothing but their flash.

    Finding: what is to be written does not fit, before anything is written.
    """

    name = "flash-too-small"
    numbers: ClassVar[Mapping[str, int]] = {"times": 0}

    def changed(self, how: Download) -> Download:
        return replace(how, flash=how.flash.shown_as(MB))


class SecureBootOn(LoaderFault):
    """Secure boot is burnt into the chip.

    Source: ``EFUSE_SECURE_BOOT_EN`` and the flags of ``GET_SECURITY_INFO``; esptool then refuses to write the boot
    loader.

    Finding: a chip that takes signed images only, before anything is written.
    """

    name = "secure-boot-on"
    numbers: ClassVar[Mapping[str, int]] = {"times": 0}

    def changed(self, how: Download) -> Download:
        return replace(how, identity=replace(how.identity, secure_boot=True))


class DownloadBitNeverCleared(LoaderFault):
    """The bit that forces a download stays set: a plain reset leads to the loader again, power off does not.

    Source: espressif/arduino-esp32 issue 6762, for which esptool clears the bit before it resets.

    Finding: the loader comes back after a reset.
    """

    name = "download-bit-never-cleared"
    numbers: ClassVar[Mapping[str, int]] = {"times": 0}

    def changed(self, how: Download) -> Download:
        return replace(how, sticky=True)


class LoaderAsUsbOtg(LoaderFault):
    """The loader comes up as 303a:0009 where USB-Serial/JTAG was expected.

    Source: a firmware that sets the bit and leaves the pins with USB-OTG, as
    ``periph_module_reset`` in place of ``usb_usj_mode`` did in a MicroPython module.

    Finding: the other identity of the loader.
    """

    name = "loader-as-usb-otg"
    numbers: ClassVar[Mapping[str, int]] = {"times": 0}

    def configure(self, config: FirmwareConfig) -> FirmwareConfig:
        return replace(config, loader_phy_on_otg=1)

    def changed(self, how: Download) -> Download:
        return replace(how, phy=Phy.OTG)


class LoaderNoPort(LoaderFault):
    """The chip is in its loader, and no device comes.

    Source: pins left with a controller that nobody serves.

    Finding: no port ever, while the UART says "waiting for download".
    """

    name = "loader-no-port"
    lasts_until_power = True

    def changed(self, how: Download) -> Download:
        return replace(how, on_bus=False)


class LoaderNotEnumerated(LoaderFault):
    """The chip is in its loader, and the host cannot read the descriptors of what comes.

    Source: "device descriptor read/64, error -71" and "unable to enumerate USB device" of ``drivers/usb/core/hub.c``;
    a PHY that is switched over while the host enumerates, or a marginal cable.

    Finding: a device that the kernel cannot enumerate, while the UART says "waiting for download".
    """

    name = "loader-not-enumerated"
    lasts_until_power = True

    def changed(self, how: Download) -> Download:
        return replace(how, readable=False)


class LoaderNoSync(LoaderFault):
    """The loader's port is there, and it answers nothing on any line.

    Source: esptool's "Download mode successfully detected, but getting no sync reply".

    Finding: a port without an answer to SYNC.
    """

    name = "loader-no-sync"
    lasts_until_power = True

    def changed(self, how: Download) -> Download:
        return replace(how, answers=False)


LOADER_FAULTS: tuple[type[Fault], ...] = (
    CablePulledMidWrite,
    LoaderNaks,
    WrongMd5,
    StubMute,
    PortRenamedMidFlash,
    OtherChip,
    FlashTooSmall,
    SecureBootOn,
    DownloadBitNeverCleared,
    LoaderAsUsbOtg,
    LoaderNoPort,
    LoaderNotEnumerated,
    LoaderNoSync,
)
