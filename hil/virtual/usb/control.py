"""Control transfers of the default pipe: USB 2.0 section 9.4, as TinyUSB answers it (``src/device/usbd.c``).

Where TinyUSB departs from the specification so does this: SET_INTERFACE to an interface whose driver does not know it
is acknowledged, GET_STATUS of an interface is stalled, and SET_CONFIGURATION to the current value does nothing.
"""

from collections.abc import Callable
from typing import Literal, Protocol

from hil.virtual.usb.descriptors import SELF_POWERED, UsbDescriptors
from hil.virtual.usb.function import UsbFunction
from hil.wire import usb
from hil.wire.usb import SetupPacket

State = Literal["default", "address", "configured"]

GET_STATUS, CLEAR_FEATURE, SET_FEATURE, SET_ADDRESS, GET_DESCRIPTOR = 0, 1, 3, 5, 6
GET_CONFIGURATION, SET_CONFIGURATION, GET_INTERFACE, SET_INTERFACE = 8, 9, 10, 11
STANDARD, CLASS = 0x00, 0x20
TYPE_MASK, RECIPIENT_MASK = 0x60, 0x1F
TO_DEVICE, TO_INTERFACE, TO_ENDPOINT = range(3)
ENDPOINT_HALT, DEVICE_REMOTE_WAKEUP = 0, 1
DONE = b""
FIRST_READ, FIRST_READ_OLD = 64, 8
"""wLength of the first GET_DESCRIPTOR(device) after a bus reset (hub_port_init, drivers/usb/core/hub.c)."""


class Haltable(Protocol):
    """What a request to an endpoint needs of a pipe."""

    halted: bool

    def halt(self) -> None: ...

    def clear_halt(self) -> None: ...


class Target(Protocol):
    """The device as its default pipe drives it."""

    def open_configuration(self) -> None:
        """SET_CONFIGURATION to a value other than 0."""

    def close_configuration(self, left_for_nothing: bool) -> None:
        """The configuration is left; ``left_for_nothing``: for configuration 0."""

    def function(self, interface: int) -> UsbFunction | None:
        """The function that an interface belongs to."""

    def function_of_endpoint(self, address: int) -> UsbFunction | None:
        """The function that an endpoint belongs to."""

    def pipe(self, address: int) -> Haltable | None:
        """The pipe of an endpoint address."""


class DefaultPipe:
    """State and answers of endpoint 0.

    vhci_hcd answers port resets and SET_ADDRESS itself (``vhci_urb_enqueue``), so a bus reset shows only in the host's
    first request after it: Linux reads 64 bytes of device descriptor at address 0. A read of 8 bytes counts as one
    where the device is configured, as nobody reads so little otherwise.
    """

    def __init__(self, descriptors: UsbDescriptors, target: Target) -> None:
        self.state: State = "default"
        self.configuration = 0
        self.remote_wakeup_armed = False
        self._descriptors = descriptors
        self._target = target
        self._device = descriptors.device.pack()
        self._configuration = descriptors.configuration.pack()

    def reset(self) -> None:
        """State default."""
        self.state = "default"
        self.configuration = 0
        self.remote_wakeup_armed = False

    def answer(self, setup: SetupPacket, data: bytes) -> bytes | None:
        """The data stage to the host, which wLength may cut; None is a STALL."""
        if self.state == "default" and not self.begins_enumeration(setup):
            self.state = "address"
        kind, recipient = setup.request_type & TYPE_MASK, setup.request_type & RECIPIENT_MASK
        if recipient == TO_DEVICE and kind == STANDARD:
            return self._device_request(setup)
        if recipient == TO_INTERFACE or (recipient == TO_DEVICE and kind == CLASS):
            return self._interface_request(setup, data, kind)
        if recipient == TO_ENDPOINT:
            return self._endpoint_request(setup, data, kind)
        return None

    def begins_enumeration(self, setup: SetupPacket) -> bool:
        """The host has reset the bus before it sent this."""
        if (setup.request_type, setup.request, setup.value) != (0x80, GET_DESCRIPTOR, usb.DEVICE << 8):
            return False
        return setup.length == FIRST_READ or (setup.length == FIRST_READ_OLD and bool(self.configuration))

    def _device_request(self, setup: SetupPacket) -> bytes | None:
        high, low = setup.value >> 8, setup.value & 0xFF
        if setup.request in (CLEAR_FEATURE, SET_FEATURE):
            return self._wakeup_feature(setup)
        answers: dict[int, Callable[[], bytes | None]] = {
            GET_STATUS: self._status,
            SET_ADDRESS: lambda: DONE,
            GET_DESCRIPTOR: lambda: self._descriptor(high, low),
            GET_CONFIGURATION: lambda: bytes((self.configuration,)),
            SET_CONFIGURATION: lambda: self._configure(low),
        }
        return answers.get(setup.request, lambda: None)()

    def _status(self) -> bytes:
        powered = bool(self._descriptors.configuration.attributes & SELF_POWERED and self.configuration)
        return bytes((powered | self.remote_wakeup_armed << 1, 0))

    def _wakeup_feature(self, setup: SetupPacket) -> bytes | None:
        if setup.value != DEVICE_REMOTE_WAKEUP:
            return None
        self.remote_wakeup_armed = setup.request == SET_FEATURE
        return DONE

    def _descriptor(self, kind: int, index: int) -> bytes | None:
        if kind == usb.DEVICE:
            return self._device
        if kind == usb.CONFIGURATION and index < self._descriptors.device.configurations:
            return self._configuration
        if kind == usb.STRING:
            return self._descriptors.string(index)
        # A device qualifier is stalled too: a full-speed device has none (USB 2.0 section 9.6.2).
        return None

    def _configure(self, value: int) -> bytes | None:
        if value == self.configuration:
            return DONE
        if self.configuration:
            self.configuration = 0
            self.remote_wakeup_armed = False
            self.state = "address"
            self._target.close_configuration(value == 0)
        if value == 0:
            return DONE
        if value != self._descriptors.configuration.value:
            return None
        self.configuration = value
        self.state = "configured"
        self._target.open_configuration()
        return DONE

    def _interface_request(self, setup: SetupPacket, data: bytes, kind: int) -> bytes | None:
        function = self._target.function(setup.index & 0xFF) if self.configuration else None
        if function is None:
            return None
        answer = function.control(setup, data)
        if answer is not None or kind != STANDARD:
            return answer
        return {GET_INTERFACE: b"\0", SET_INTERFACE: DONE}.get(setup.request)

    def _endpoint_request(self, setup: SetupPacket, data: bytes, kind: int) -> bytes | None:
        address = setup.index & 0xFF
        if kind != STANDARD:
            function = self._target.function_of_endpoint(address) if self.configuration else None
            return None if function is None else function.control(setup, data)
        pipe = self._target.pipe(address) if self.configuration else None
        if setup.request == GET_STATUS and (pipe is not None or address & 0x7F == 0):
            return bytes((bool(pipe and pipe.halted), 0))
        if pipe is None or setup.request not in (CLEAR_FEATURE, SET_FEATURE):
            return None
        if setup.value == ENDPOINT_HALT:
            (pipe.halt if setup.request == SET_FEATURE else pipe.clear_halt)()
        return DONE
