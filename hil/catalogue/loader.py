"""Faults of the chip's loader and of a flash under way."""

from hil.catalogue.entry import Entry, Proof
from hil.catalogue.scenarios import CLEARED, CONNECT, ENTERED, FLASHED, LARGE, NEW, REPLUG, SMALL


def _flash(begins: str = "", build: tuple[str, ...] = NEW) -> Proof:
    """A flash that fails, and the board on its feet again."""
    return Proof(begins, (FLASHED,), build=build, afterwards=(CONNECT,))


def _enter(begins: str = "") -> Proof:
    return Proof(begins, (ENTERED,), afterwards=(CONNECT,))


LOADER_FAULTS: tuple[Entry, ...] = (
    Entry(
        fault="cable-pulled-mid-write",
        wrong="the cable is pulled in the middle of a write, and put back",
        seen_in="a hand; a hub that runs out of current",
        finding="board-lost-while-flashing",
        beyond_build="cable",
        proofs=(_flash("at=100"), _flash("at=0"), _flash("at=50")),
    ),
    Entry(
        fault="port-renamed-mid-flash",
        wrong="the device leaves the bus in the middle of a write and comes back, and the board keeps its power",
        seen_in="`acm_alloc_minor`, `drivers/usb/class/cdc-acm.c`; hubs that disable a port (EMI)",
        finding="contact-lost-while-flashing",
        beyond_build="cable",
        long=True,
        proofs=(_flash("at=100"), _flash("at=0"), _flash("at=50")),
    ),
    Entry(
        fault="loader-naks",
        wrong="the loader refuses every block of a write",
        seen_in="flash that is worn out or write-protected (`ESP_FAILED_SPI_OP`)",
        finding="loader-refuses-write",
        beyond_build="loader",
        long=True,
        proofs=(_flash(build=SMALL), Proof("times=2", (FLASHED,), build=SMALL)),
    ),
    Entry(
        fault="wrong-md5",
        wrong="the loader's digest of what it wrote is not that of what was sent",
        seen_in="esptool's troubleshooting page: bad flash chips, solder joints, a weak supply",
        finding="flash-holds-something-else",
        beyond_build="chip",
        long=True,
        proofs=(_flash(), _flash("times=2")),
    ),
    Entry(
        fault="stub-mute",
        wrong="the flasher stub is loaded and never says OHAI",
        seen_in="esptool's documentation of its stub",
        finding="stub-never-starts",
        beyond_build="loader",
        long=True,
        proofs=(_flash(), Proof("", (ENTERED, FLASHED), 1, build=NEW, afterwards=(CONNECT,))),
    ),
    Entry(
        fault="other-chip",
        wrong="the chip calls itself an ESP32-C3",
        seen_in="boards of one form with different chips (`GET_SECURITY_INFO`)",
        finding="build-for-another-chip",
        beyond_build="chip",
        long=True,
        proofs=(_flash(), Proof("", (ENTERED, FLASHED), 1, build=NEW, afterwards=(CONNECT,))),
    ),
    Entry(
        fault="flash-too-small",
        wrong="the flash chip has 1 MB",
        seen_in="modules that differ in nothing but their flash",
        finding="build-exceeds-flash",
        beyond_build="chip",
        long=True,
        proofs=(_flash(build=LARGE), Proof("", (ENTERED, FLASHED), 1, build=LARGE, afterwards=(CONNECT,))),
    ),
    Entry(
        fault="secure-boot-on",
        wrong="secure boot is burnt into the chip",
        seen_in="`EFUSE_SECURE_BOOT_EN`; esptool refuses to write the boot loader then",
        finding="efuses-forbid-flashing",
        beyond_build="chip",
        long=True,
        proofs=(_flash(), Proof("", (ENTERED, FLASHED), 1, build=NEW, afterwards=(CONNECT,))),
    ),
    Entry(
        fault="download-bit-never-cleared",
        wrong="the bit that forces a download stays set: a reset of the core leads to the loader again",
        seen_in="arduino-esp32 issue 6762, for which esptool clears the bit before it resets",
        finding="download-bit-never-cleared",
        beyond_build="chip",
        long=True,
        proofs=(
            Proof("", (CLEARED,), afterwards=(CONNECT,)),
            Proof("", (ENTERED, CLEARED), 1, afterwards=(CONNECT,)),
        ),
    ),
    Entry(
        fault="loader-as-usb-otg",
        wrong="the loader comes up as 303a:0009 where USB-Serial/JTAG was expected",
        seen_in="a MicroPython module with `periph_module_reset` in place of `usb_usj_mode`",
        finding="loader-on-other-usb",
        proofs=(_enter(), Proof("", (REPLUG, ENTERED), 1, afterwards=(CONNECT,))),
    ),
    Entry(
        fault="loader-no-port",
        wrong="the chip is in its loader, and no device comes",
        seen_in="pins left with a controller that nobody serves",
        finding="loader-never-appears",
        beyond_build="loader",
        long=True,
        proofs=(Proof("", (ENTERED,)), Proof("", (REPLUG, ENTERED), 1, afterwards=(CONNECT,))),
    ),
    Entry(
        fault="loader-not-enumerated",
        wrong="the chip is in its loader, and the host cannot read the descriptors of what comes",
        seen_in="`drivers/usb/core/hub.c`: device descriptor read/64, error -71; unable to enumerate USB device",
        finding="loader-not-enumerated",
        beyond_build="loader",
        long=True,
        proofs=(_enter(), Proof("", (REPLUG, ENTERED), 1, afterwards=(CONNECT,))),
    ),
    Entry(
        fault="loader-no-sync",
        wrong="the loader's port is there, and it answers nothing on any line",
        seen_in='esptool\'s "Download mode successfully detected, but getting no sync reply"',
        finding="loader-does-not-answer",
        beyond_build="loader",
        long=True,
        proofs=(_enter(), Proof("", (REPLUG, ENTERED), 1, afterwards=(CONNECT,))),
    ),
)
"""First those of a flash, then those of the way into the loader and out of it."""
