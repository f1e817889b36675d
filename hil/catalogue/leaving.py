"""Faults of the firmware's way into the chip's loader, and of what comes out of it."""

from hil.catalogue.entry import Entry, Proof
from hil.catalogue.scenarios import CONNECT, ENTERED, REPLUG, RESET


def _enter(begins: str = "", *before: str) -> Proof:
    return Proof(begins, (*before, ENTERED), len(before), afterwards=(CONNECT,))


LEAVING_FAULTS: tuple[Entry, ...] = (
    Entry(
        fault="loader-flag-not-set",
        wrong="the bit that forces a download is not set before the restart",
        seen_in="ESP32-S3 TRM, `RTC_CNTL_OPTION1_REG`; optacon-esp32 at 2da0333, which sets it",
        finding="application-came-back",
        long=True,
        proofs=(_enter(), _enter("from_boot=2", REPLUG)),
    ),
    Entry(
        fault="loader-flag-left",
        wrong="the bit that forces a download is set at each boot: any restart ends in the loader",
        seen_in="`esptool/targets/esp32s3.py`, `hard_reset`, which clears what a firmware has left",
        finding="restart-ends-in-loader",
        long=True,
        proofs=(
            Proof("", (RESET,), afterwards=(CONNECT,)),
            Proof("from_boot=2", (REPLUG, RESET), 1, afterwards=(CONNECT,)),
        ),
    ),
    Entry(
        fault="loader-request-ignored",
        wrong="the firmware says that it goes to its loader, and stays",
        seen_in="`mpremote`, `transport_serial.py`: a call that fails is answered like one that worked",
        finding="bootloader-request-ignored",
        long=True,
        proofs=(_enter(), _enter("from_boot=2", REPLUG)),
    ),
    Entry(
        fault="application-without-usb",
        wrong="out of the loader the application runs, and does not bring up USB",
        seen_in="ESP-IDF `components/usb/usb_phy.c`: pins that stay with USB-Serial/JTAG",
        finding="application-never-appears",
        port_mistake="usb_missing",
        long=True,
        proofs=(_enter(), _enter("from_boot=2", REPLUG)),
    ),
)
"""In the order of the matrix."""
