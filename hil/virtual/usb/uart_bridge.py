"""The UART bridge of a board's console: a second USB device, as WCH's CH9102 (1a86:55d4) shows itself.

It has no manufacturer string, no interface association and a serial number of its own. Endpoint numbers are this
project's: nothing may depend on them.
"""

from hil.virtual.usb.acm import AcmFunction, AcmWiring
from hil.virtual.usb.application import QuietApplication, SerialEvents
from hil.virtual.usb.descriptors import ACM_NOTIFY_PACKET, BULK, INTERRUPT, PACKET, UsbDescriptors
from hil.virtual.usb.device import UsbDevice
from hil.virtual.usb.hooks import UsbHooks
from hil.virtual.usb.throttle import FullSpeedBus
from hil.wire.usb import ClassSpecific, Configuration, DeviceDescriptor, Endpoint, Interface

VID, PID, RELEASE = 0x1A86, 0x55D4, 0x0443
PRODUCT = "USB Single Serial"
COMMUNICATIONS = 2
WIRING = AcmWiring(control=0, notify=0x81, out=0x02, inward=0x82)
FIFO = 1 << 20
"""Bytes while the port is open: what the UART sends is never lost to a slow reader."""
CLOSED_FIFO = 512
"""Bytes that survive while nobody has the port open."""


class UartBridge(UsbDevice):
    """The bridge; ``serial.write`` is what the board sends on its UART, ``events`` get what the host sends.

    DTR and RTS come through ``on_line_state``; with the usual two transistors DTR pulls GPIO0 and RTS pulls EN.
    """

    def __init__(
        self, serial: str, events: SerialEvents, hooks: UsbHooks | None = None, *, bus: FullSpeedBus | None = None
    ) -> None:
        self.serial = AcmFunction(
            WIRING, events, capacity=FIFO, idle_capacity=CLOSED_FIFO, listening=lambda function: function.polled
        )
        super().__init__(bridge_descriptors(serial), (self.serial,), QuietApplication(), hooks, bus=bus)


def bridge_descriptors(serial: str) -> UsbDescriptors:
    """Device class 2 with one ACM function."""
    functional = (
        ClassSpecific(0x00, (0x0110).to_bytes(2, "little")),
        ClassSpecific(0x01, bytes((0, 1))),
        ClassSpecific(0x02, bytes((6,))),
        ClassSpecific(0x06, bytes((0, 1))),
    )
    notify = Endpoint(WIRING.notify, INTERRUPT, ACM_NOTIFY_PACKET, 1)
    control = Interface(0, COMMUNICATIONS, 2, 1, functional=functional, endpoints=(notify,))
    data = Interface(1, 10, endpoints=(Endpoint(WIRING.out, BULK, PACKET), Endpoint(WIRING.inward, BULK, PACKET)))
    identity = DeviceDescriptor(
        VID, PID, RELEASE, device_class=COMMUNICATIONS, subclass=0, protocol=0, manufacturer_string=0
    )
    return UsbDescriptors(identity, Configuration((control, data), max_power_ma=134), ("", PRODUCT, serial))
