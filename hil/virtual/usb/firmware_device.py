"""The ESP32-S3 application device: CDC-ACM for the log, CDC-NCM for the network."""

from hil.virtual.usb import descriptors
from hil.virtual.usb.acm import AcmFunction, AcmWiring
from hil.virtual.usb.application import Application
from hil.virtual.usb.descriptors import FirmwareUsb
from hil.virtual.usb.device import UsbDevice
from hil.virtual.usb.hooks import UsbHooks
from hil.virtual.usb.ncm import NcmFunction, NcmWiring
from hil.virtual.usb.throttle import FullSpeedBus

ACM = AcmWiring(descriptors.ACM_CONTROL, descriptors.ACM_NOTIFY, descriptors.ACM_OUT, descriptors.ACM_IN)
NCM = NcmWiring(descriptors.NCM_CONTROL, descriptors.NCM_NOTIFY, descriptors.NCM_OUT, descriptors.NCM_IN)


class FirmwareDevice(UsbDevice):
    """A board that runs a composite firmware; made inside a running event loop.

    Args:
        build: what the firmware calls itself, and its TinyUSB version.
        application: is told everything; its callbacks run in the loop.
        own_supply: see :class:`UsbDevice`.
    """

    def __init__(
        self,
        build: FirmwareUsb,
        application: Application,
        hooks: UsbHooks | None = None,
        *,
        bus: FullSpeedBus | None = None,
        own_supply: bool = False,
    ) -> None:
        self.build = build
        self.serial = AcmFunction(ACM, application)
        self.net = NcmFunction(NCM, application, build.tinyusb)
        functions = (self.serial, self.net)
        super().__init__(build.descriptors(), functions, application, hooks, bus=bus, own_supply=own_supply)
