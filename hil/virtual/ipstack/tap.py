"""A TAP interface: the kernel's stack on one side, Ethernet frames on a descriptor on the other (tun.rst)."""

import fcntl
import os
import struct
from contextlib import suppress

from hil.errors import SetupError

TUNSETIFF = 0x400454CA
IFF_TAP, IFF_NO_PI = 0x0002, 0x1000
FRAME_ROOM = 2048
"""Bytes read at once; a frame has at most 1514."""


class Tap:
    """Made in the namespace of the calling thread; closing it removes the interface."""

    def __init__(self, name: str) -> None:
        try:
            self.descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise SetupError(f"/dev/net/tun: {error.strerror}; the kernel module tun is needed") from error
        fcntl.ioctl(self.descriptor, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI))

    def write(self, frame: bytes) -> None:
        """A frame for the stack; one that it has no room for, or that is no frame, is lost as on a wire."""
        with suppress(OSError):
            os.write(self.descriptor, frame)

    def read(self) -> bytes | None:
        """The next frame from the stack, or None."""
        try:
            return os.read(self.descriptor, FRAME_ROOM)
        except BlockingIOError:
            return None

    def close(self) -> None:
        os.close(self.descriptor)
