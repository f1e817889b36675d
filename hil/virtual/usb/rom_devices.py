"""The USB devices that the chip itself shows: USB-Serial/JTAG, and the ROM's loader on USB-OTG.

Known: every descriptor of 303a:1001 (dumps of ``lsusb -v`` in mathoudebine/turing-smart-screen-python issue 426 and
meshtastic/python issue 641; 0x62 bytes); of the ROM's OTG device its numbers (esptool, ``loader.py``: the product is
the chip's number in images) and, from its sibling 303a:0002, the strings, the serial number "0" and bcdDevice 7.23
(esphome/issues issue 3200).

Inferred: the endpoints of the OTG device, and that its reset wants RTS to fall alone (esptool's hard reset does that; a
port that is closed lets both lines fall at once and resets nothing).
"""

from collections.abc import Callable

from hil.virtual.usb.acm import AcmFunction, AcmWiring
from hil.virtual.usb.application import QuietApplication
from hil.virtual.usb.descriptors import ALWAYS, BULK, INTERRUPT, PACKET, SELF_POWERED, UsbDescriptors, acm_function
from hil.virtual.usb.device import NO_ENDPOINT, UsbDevice
from hil.virtual.usb.function import OUT_PACKET, DevicePort
from hil.wire.usb import (
    ClassSpecific,
    Configuration,
    DeviceDescriptor,
    Endpoint,
    Interface,
    InterfaceAssociation,
    SetupPacket,
)
from hil.wire.usbip import CmdSubmit, RetSubmit

VID, SERIAL_JTAG_PID, OTG_PID = 0x303A, 0x1001, 0x0009
SERIAL_JTAG_RELEASE, OTG_RELEASE = 0x0101, 0x0723
SERIAL_JTAG = AcmWiring(control=0, notify=0x82, out=0x01, inward=0x81)
OTG = AcmWiring(control=0, notify=0x81, out=0x02, inward=0x82)
JTAG_INTERFACE, JTAG_OUT, JTAG_IN = 2, 0x02, 0x83
FIFO = 1 << 16
"""Bytes for a host that reads; the chip itself waits for such a host."""

Receive = Callable[[bytes], None]


class LoaderPort(QuietApplication):
    """What either device tells the chip.

    Args:
        receive: gets the host's bytes.
        reset: asks for a reset of the core; True: into the loader.
    """

    def __init__(self, receive: Receive, reset: Callable[[bool], None]) -> None:
        self._receive = receive
        self._reset = reset
        self._dtr = self._rts = self._wants_download = False

    def on_bus_reset(self) -> None:
        self._dtr = self._rts = self._wants_download = False

    def on_serial(self, data: bytes) -> None:
        self._receive(data)


class SerialJtagPort(LoaderPort):
    """DTR and RTS as USB-Serial/JTAG takes them (ESP32-S3 technical reference manual, "USB Serial/JTAG Controller").

    DTR alone sets its download flag, neither clears it, RTS alone resets the chip, both do nothing: esptool's
    ``USBJTAGSerialReset`` walks from one to the other through both.
    """

    def on_line_state(self, dtr: bool, rts: bool) -> None:
        resets = rts and not dtr and (self._dtr, self._rts) != (dtr, rts)
        self._dtr, self._rts = dtr, rts
        if not rts:
            self._wants_download = dtr
        if resets:
            self._reset(self._wants_download)


class OtgPort(LoaderPort):
    """The ROM's CDC device: RTS that falls while DTR is low resets the chip."""

    def on_line_state(self, dtr: bool, rts: bool) -> None:
        falls = self._rts and not rts and not self._dtr and not dtr
        self._dtr, self._rts = dtr, rts
        if falls:
            self._reset(False)


class JtagFunction:
    """The vendor interface: takes what a debugger sends and says nothing."""

    interfaces = frozenset((JTAG_INTERFACE,))
    endpoints = frozenset((JTAG_OUT, JTAG_IN))

    def bind(self, port: DevicePort) -> None:
        pass

    def reset(self) -> None:
        pass

    def control(self, setup: SetupPacket, data: bytes) -> bytes | None:
        return None

    def transmitted(self, endpoint: int, octets: int) -> None:
        pass

    def out_room(self, endpoint: int) -> int:
        return OUT_PACKET

    def received(self, endpoint: int, data: bytes) -> None:
        pass


class RomDevice(UsbDevice):
    """One of the two; ``serial.write`` is what the chip sends. Faults of the firmware's device do not touch it.

    ``readable``: it answers; else the host finds a device on the port and nobody on the bus.
    """

    def __init__(
        self,
        descriptors: UsbDescriptors,
        wiring: AcmWiring,
        port: LoaderPort,
        others: tuple[JtagFunction, ...] = (),
        *,
        readable: bool,
    ) -> None:
        self.serial = AcmFunction(
            wiring, port, capacity=FIFO, idle_capacity=0, listening=lambda function: function.polled
        )
        self._readable = readable
        super().__init__(descriptors, (self.serial, *others), port)

    def submit(self, command: CmdSubmit, data: bytes) -> None:
        if self._readable:
            super().submit(command, data)
        else:
            self._give_back(RetSubmit(command.seqnum, NO_ENDPOINT, 0))


def serial_jtag(mac: str, port: LoaderPort, readable: bool = True) -> RomDevice:
    """303a:1001 of the chip with that MAC; made inside a running event loop."""
    return RomDevice(serial_jtag_descriptors(mac), SERIAL_JTAG, port, (JtagFunction(),), readable=readable)


def otg(port: LoaderPort, readable: bool = True) -> RomDevice:
    """303a:0009; made inside a running event loop."""
    return RomDevice(otg_descriptors(), OTG, port, readable=readable)


def serial_jtag_descriptors(mac: str) -> UsbDescriptors:
    functional = (
        ClassSpecific(0x00, (0x0110).to_bytes(2, "little")),
        ClassSpecific(0x01, bytes((3, 1))),
        ClassSpecific(0x02, bytes((2,))),
        ClassSpecific(0x06, bytes((0, 1))),
    )
    notify = Endpoint(SERIAL_JTAG.notify, INTERRUPT, PACKET, 1)
    control = Interface(0, 2, 2, 0, functional=functional, endpoints=(notify,))
    data = Interface(1, 10, 2, 0, endpoints=_bulk(SERIAL_JTAG.out, SERIAL_JTAG.inward))
    jtag = Interface(JTAG_INTERFACE, 0xFF, 0xFF, 1, endpoints=_bulk(JTAG_OUT, JTAG_IN))
    return UsbDescriptors(
        DeviceDescriptor(VID, SERIAL_JTAG_PID, SERIAL_JTAG_RELEASE),
        Configuration(
            (InterfaceAssociation(2, 2, 0, (control, data)), jtag), attributes=ALWAYS | SELF_POWERED, max_power_ma=500
        ),
        ("Espressif", "USB JTAG/serial debug unit", mac.upper()),
    )


def otg_descriptors() -> UsbDescriptors:
    return UsbDescriptors(
        DeviceDescriptor(VID, OTG_PID, OTG_RELEASE),
        Configuration((acm_function(0, 0, (OTG.notify, OTG.out, OTG.inward)),), attributes=ALWAYS | SELF_POWERED),
        ("Espressif", "ESP32-S3", "0"),
    )


def _bulk(out: int, inward: int) -> tuple[Endpoint, Endpoint]:
    return Endpoint(out, BULK, PACKET, 1), Endpoint(inward, BULK, PACKET, 1)
