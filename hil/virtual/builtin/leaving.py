"""Faults of the firmware's way into the chip's loader, and of what runs when a board comes out of it."""

from collections.abc import Mapping
from dataclasses import replace

from hil.virtual.download import Download
from hil.virtual.faults import Fault
from hil.virtual.firmware import Command, FirmwareConfig, StartUsb
from hil.virtual.soc import Reset


class LoaderFlagNotSet(Fault):
    """The firmware leaves the bus, gives the PHY away and restarts, and has not set the bit that forces a download.

    Source: ESP32-S3 TRM, RTC_CNTL_OPTION1_REG; optacon-esp32 at 2da0333 needs both the PHY and the bit.

    Finding: the board goes, and comes back as its application.
    """

    name = "loader-flag-not-set"

    def configure(self, config: FirmwareConfig) -> FirmwareConfig:
        return replace(config, loader_without_flag=1)


class LoaderFlagLeft(Fault):
    """The bit that forces a download is set at each boot, so any restart of the chip ends in its loader.

    Source: the bit lies in the RTC domain and outlives a reset of the core; esptool's ``hard_reset`` clears it
    (``esptool/targets/esp32s3.py``), a firmware that does not leaves it to the next restart.

    Finding: a restart that was asked for over HTTP ends in the loader.
    """

    name = "loader-flag-left"

    def configure(self, config: FirmwareConfig) -> FirmwareConfig:
        return replace(config, loader_flag_left=1)


class LoaderRequestIgnored(Fault):
    """The firmware says that it goes to its loader, and goes on as before.

    Source: a MicroPython call that ends in an exception answers the host like one that worked: ``mpremote`` follows no
    output of it (``tools/mpremote/mpremote/transport_serial.py``).

    Finding: the board was told to leave, and has not left the bus.
    """

    name = "loader-request-ignored"

    def configure(self, config: FirmwareConfig) -> FirmwareConfig:
        return replace(config, loader_request_ignored=1)


class ApplicationWithoutUsb(Fault):
    """Out of its loader the board runs its application, which does not bring up USB until the power was away.

    Source: pins that are left with USB-Serial/JTAG, and an application that waits for something else that only a
    power-on resets (ESP-IDF ``components/usb/usb_phy.c``).

    Finding: the board was reset out of its loader, the ROM starts what is in flash, and no device comes.
    """

    name = "application-without-usb"

    def __init__(self, options: Mapping[str, str]) -> None:
        super().__init__(options)
        self._was_loaded = False

    def boot(self, reset: Reset) -> Reset:
        self._was_loaded = self._was_loaded and reset is not Reset.POWER_ON
        return reset

    def download(self, how: Download) -> Download:
        self._was_loaded = True
        return how

    def command(self, command: Command) -> Command | None:
        return None if self._was_loaded and isinstance(command, StartUsb) else command


LEAVING_FAULTS: tuple[type[Fault], ...] = (
    LoaderFlagNotSet,
    LoaderFlagLeft,
    LoaderRequestIgnored,
    ApplicationWithoutUsb,
)
