"""Where a fault may look at what crosses the bus, and change it.

The device layer calls these at the last moment before something leaves the device and at the first moment after it
arrived, so that a faulty cable and a faulty firmware look the same to the host.
"""

from typing import Protocol

from hil.wire.usb import SetupPacket


class UsbHooks(Protocol):
    """Taps of one device; :class:`NoHooks` lets everything pass unchanged."""

    def control(self, setup: SetupPacket, answer: bytes | None) -> bytes | None:
        """The data stage to the host (empty: none) for ``answer``; None is a STALL."""

    def urb_in(self, endpoint: int, data: bytes) -> bytes | None:
        """One bulk transfer of the device to the host; None swallows it: the device believes it was sent."""

    def urb_out(self, endpoint: int, data: bytes) -> bytes | None:
        """One transfer of the host to the device, complete; None swallows it: the host believes it arrived."""

    def notification(self, data: bytes) -> bytes | None:
        """One CDC notification on an interrupt endpoint; None swallows it."""

    def rearms(self, interface: int) -> bool:
        """Whether alternate setting 1 of a data interface, chosen again after 0, arms its bulk endpoints anew."""

    def frame_to_host(self, frame: bytes) -> list[bytes]:
        """Ethernet frames that go into NTBs for ``frame``: none, one or several."""

    def frame_from_host(self, frame: bytes) -> list[bytes]:
        """Ethernet frames that the firmware sees for ``frame``."""

    def serial_to_host(self, data: bytes) -> bytes:
        """Serial bytes that go into the transmit FIFO for one write of ``data``."""


class NoHooks:
    """Changes nothing; also the base for hooks that change one thing."""

    def control(self, setup: SetupPacket, answer: bytes | None) -> bytes | None:
        return answer

    def urb_in(self, endpoint: int, data: bytes) -> bytes | None:
        return data

    def urb_out(self, endpoint: int, data: bytes) -> bytes | None:
        return data

    def notification(self, data: bytes) -> bytes | None:
        return data

    def rearms(self, interface: int) -> bool:
        return True

    def frame_to_host(self, frame: bytes) -> list[bytes]:
        return [frame]

    def frame_from_host(self, frame: bytes) -> list[bytes]:
        return [frame]

    def serial_to_host(self, data: bytes) -> bytes:
        return data
