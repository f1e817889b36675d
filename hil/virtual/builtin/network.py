"""Faults of what tells one board from another."""

from dataclasses import replace

from hil.virtual.faults import Fault
from hil.virtual.usb.descriptors import FirmwareUsb


class TwinBoards(Fault):
    """Every board that has this fault shows the same serial number and the same addresses.

    Source: mcu-apple-bridge at 0d5a385 (``main/network_setup.c``) has its addresses as constants and leaves the serial
    number to esp_tinyusb's Kconfig, whose default is "123456": so has every board with that firmware.

    Finding: two boards on one host show one serial number and one address.
    """

    name = "twin-boards"

    def identity(self, usb: FirmwareUsb) -> FirmwareUsb:
        return replace(usb, serial="123456", host_mac="02:02:11:22:33:01")


NETWORK_FAULTS: tuple[type[Fault], ...] = (TwinBoards,)
