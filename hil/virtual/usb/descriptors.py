"""Builds of firmware as USB sees them, as data.

esp_tinyusb (``usb_descriptors.c``) numbers interfaces and endpoints in the order CDC, NCM: interfaces 0 and 1 with
endpoints 0x81, 0x02, 0x82, interfaces 2 and 3 with 0x83, 0x04, 0x84; the strings follow in that order from 4 on. The
functions are TinyUSB's templates ``TUD_CDC_DESCRIPTOR`` and ``TUD_CDC_NCM_DESCRIPTOR`` (``src/device/usbd.h``), in
which ``bmNetworkCapabilities`` is 0 until 0.20 and claims the packet filter from 0.21 on.
"""

from dataclasses import dataclass
from typing import Literal

from hil.errors import VirtualBoardError
from hil.wire.addresses import mac_bytes, mac_text
from hil.wire.usb import (
    LANGUAGE_US_ENGLISH,
    ClassSpecific,
    Configuration,
    DeviceDescriptor,
    Endpoint,
    Interface,
    InterfaceAssociation,
)

TinyUsb = Literal["0.19", "0.21"]

BULK, INTERRUPT = 2, 3
PACKET = 64
ACM_CONTROL, ACM_DATA, NCM_CONTROL, NCM_DATA = range(4)
ACM_NOTIFY, ACM_OUT, ACM_IN = 0x81, 0x02, 0x82
NCM_NOTIFY, NCM_OUT, NCM_IN = 0x83, 0x04, 0x84
CDC_STRING, NET_STRING, MAC_STRING = 4, 5, 6
ACM_NOTIFY_PACKET, ACM_NOTIFY_INTERVAL = 8, 1
NCM_NOTIFY_PACKET, NCM_NOTIFY_INTERVAL = 64, 50
MAX_SEGMENT = 1514
"""CFG_TUD_NET_MTU."""
REMOTE_WAKEUP, SELF_POWERED, ALWAYS = 0x20, 0x40, 0x80
PACKET_FILTER = 1
"""Bit of bmNetworkCapabilities (NCM 1.0 table 5-2)."""
MAX_STRING = 31
"""Characters; esp_tinyusb cuts a string to its descriptor buffer of 32 words (``descriptors_control.c``)."""


@dataclass(frozen=True, slots=True)
class UsbDescriptors:
    """What a device answers to GET_DESCRIPTOR."""

    device: DeviceDescriptor
    configuration: Configuration
    strings: tuple[str, ...]
    """From index 1 on."""

    def string(self, index: int) -> bytes | None:
        """A string descriptor, index 0 the list of languages; None where there is none."""
        if index == 0:
            body = LANGUAGE_US_ENGLISH.to_bytes(2, "little")
        elif index <= len(self.strings):
            body = self.strings[index - 1][:MAX_STRING].encode("utf-16-le")
        else:
            return None
        return bytes((2 + len(body), 3)) + body


@dataclass(frozen=True, slots=True)
class FirmwareUsb:
    """One build of a CDC-ACM + CDC-NCM firmware on an ESP32-S3; the defaults are those of esp_tinyusb's Kconfig."""

    serial: str
    host_mac: str
    """iMACAddress: the address that the host's interface takes, ``'02:…'``."""
    vid: int = 0x303A
    pid: int = 0x4001
    """0x4000 with bit 0 for CDC; NCM has no bit."""
    release: int = 0x0100
    """bcdDevice."""
    manufacturer: str = "Espressif Systems"
    product: str = "Espressif Device"
    cdc: str = "Espressif CDC Device"
    net: str = "USB net"
    tinyusb: TinyUsb = "0.21"
    remote_wakeup: bool = True
    self_powered: bool = False
    max_power_ma: int = 100

    @classmethod
    def for_chip(cls, chip_mac: str, tinyusb: TinyUsb = "0.21") -> "FirmwareUsb":
        """Serial number and host address made from the chip's MAC, so that two boards differ.

        The host's interface takes the chip's MAC with the local bit set and the last bit flipped, the board's own
        (:attr:`board_mac`) the same without the flip.
        """
        octets = mac_bytes(chip_mac)
        host = bytes((octets[0] | 2, *octets[1:5], octets[5] ^ 1))
        return cls(serial=octets.hex().upper(), host_mac=mac_text(host), tinyusb=tinyusb)

    @property
    def board_mac(self) -> str:
        """The address of the board's own interface, where it was made by :meth:`for_chip`; USB does not show it."""
        octets = mac_bytes(self.host_mac)
        return mac_text(octets[:5] + bytes((octets[5] ^ 1,)))

    def descriptors(self) -> UsbDescriptors:
        """As esp_tinyusb would build them.

        Raises:
            VirtualBoardError: ``tinyusb`` names a version that has no model here.
        """
        if self.tinyusb not in ("0.19", "0.21"):
            raise VirtualBoardError(f"FirmwareUsb.tinyusb is {self.tinyusb!r}; known: '0.19', '0.21'")
        attributes = ALWAYS | (REMOTE_WAKEUP if self.remote_wakeup else 0) | (SELF_POWERED if self.self_powered else 0)
        capabilities = PACKET_FILTER if self.tinyusb == "0.21" else 0
        functions = (
            acm_function(ACM_CONTROL, CDC_STRING, (ACM_NOTIFY, ACM_OUT, ACM_IN)),
            ncm_function(NCM_CONTROL, NET_STRING, MAC_STRING, (NCM_NOTIFY, NCM_OUT, NCM_IN), capabilities),
        )
        mac = mac_bytes(self.host_mac).hex().upper()
        return UsbDescriptors(
            DeviceDescriptor(self.vid, self.pid, self.release),
            Configuration(functions, attributes=attributes, max_power_ma=self.max_power_ma),
            (self.manufacturer, self.product, self.serial, self.cdc, self.net, mac),
        )


def acm_function(first: int, string: int, endpoints: tuple[int, int, int]) -> InterfaceAssociation:
    """``TUD_CDC_DESCRIPTOR``: interfaces ``first`` and the next; endpoints notify, OUT, IN."""
    notify, out, inward = endpoints
    functional = (
        ClassSpecific(0x00, (0x0120).to_bytes(2, "little")),
        ClassSpecific(0x01, bytes((0, first + 1))),
        ClassSpecific(0x02, bytes((6,))),
        ClassSpecific(0x06, bytes((first, first + 1))),
    )
    notification = Endpoint(notify, INTERRUPT, ACM_NOTIFY_PACKET, ACM_NOTIFY_INTERVAL)
    control = Interface(first, 2, 2, 0, string=string, functional=functional, endpoints=(notification,))
    data = Interface(first + 1, 10, endpoints=(Endpoint(out, BULK, PACKET), Endpoint(inward, BULK, PACKET)))
    return InterfaceAssociation(2, 2, 0, (control, data))


def ncm_function(
    first: int, string: int, mac_string: int, endpoints: tuple[int, int, int], capabilities: int
) -> InterfaceAssociation:
    """``TUD_CDC_NCM_DESCRIPTOR``: alternate setting 0 of the data interface has no endpoints; notify, OUT, IN."""
    notify, out, inward = endpoints
    ethernet = bytes((mac_string, 0, 0, 0, 0)) + MAX_SEGMENT.to_bytes(2, "little") + bytes(3)
    functional = (
        ClassSpecific(0x00, (0x0110).to_bytes(2, "little")),
        ClassSpecific(0x06, bytes((first, first + 1))),
        ClassSpecific(0x0F, ethernet),
        ClassSpecific(0x1A, (0x0100).to_bytes(2, "little") + bytes((capabilities,))),
    )
    notification = Endpoint(notify, INTERRUPT, NCM_NOTIFY_PACKET, NCM_NOTIFY_INTERVAL)
    control = Interface(first, 2, 13, 0, string=string, functional=functional, endpoints=(notification,))
    active = (Endpoint(inward, BULK, PACKET), Endpoint(out, BULK, PACKET))
    idle = Interface(first + 1, 10, 0, 1)
    data = Interface(first + 1, 10, 0, 1, alternate=1, endpoints=active)
    return InterfaceAssociation(2, 13, 0, (control, idle, data))
