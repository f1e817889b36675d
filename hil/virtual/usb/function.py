"""What a device and its functions (class drivers) are to each other, after TinyUSB's ``usbd_class_driver_t``."""

from typing import Protocol

from hil.virtual.usb.hooks import UsbHooks
from hil.wire.usb import SetupPacket

OUT_PACKET = 64
"""Bytes of a full-speed bulk packet."""


class DevicePort(Protocol):
    """The device as its functions see it. Endpoints are addresses with the direction bit 0x80."""

    @property
    def hooks(self) -> UsbHooks:
        """Taps of this device."""

    @property
    def ready(self) -> bool:
        """Configured and not suspended (``tud_ready``)."""

    def transmit(self, endpoint: int, data: bytes) -> None:
        """Start one transfer to the host; ``transmitted`` is called when the host has taken all of it.

        Raises:
            VirtualBoardError: a transfer of this endpoint is still under way.
        """

    def busy(self, endpoint: int) -> bool:
        """A transfer to the host is under way (``usbd_edpt_busy``)."""

    def polled(self, endpoint: int) -> bool:
        """The host asks for data of this IN endpoint."""

    def renew(self, endpoint: int) -> None:
        """``out_room`` of this OUT endpoint may have changed."""


class UsbFunction(Protocol):
    """One function of a device: the interfaces and endpoints of one class driver."""

    @property
    def interfaces(self) -> frozenset[int]:
        """Numbers of its interfaces."""

    @property
    def endpoints(self) -> frozenset[int]:
        """Addresses of its endpoints."""

    def bind(self, port: DevicePort) -> None:
        """Called once, by the device."""

    def reset(self) -> None:
        """Bus reset, or the configuration was left: state of the class driver as after power-up."""

    def control(self, setup: SetupPacket, data: bytes) -> bytes | None:
        """A request to one of its interfaces or endpoints, standard or class; None: not supported."""

    def transmitted(self, endpoint: int, octets: int) -> None:
        """The transfer on this IN endpoint is over."""

    def out_room(self, endpoint: int) -> int:
        """Size in bytes of the buffer that waits for a transfer from the host; 0 answers NAK."""

    def received(self, endpoint: int, data: bytes) -> None:
        """One transfer from the host: ended by a short packet, or as long as the buffer."""
