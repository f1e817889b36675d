"""The kernel inside a vmlinuz."""

import gzip
import lzma
import struct

from hil.launcher.kernelimage import uncompressed

KERNEL = b"\x7fELF" + bytes(range(256)) * 8


def bz_image(payload: bytes) -> bytes:
    """A bzImage with two setup sectors and ``payload`` 0x40 bytes into its protected-mode part."""
    head = bytearray(3 * 512)
    head[0x1F1] = 2
    head[0x202:0x206] = b"HdrS"
    struct.pack_into("<II", head, 0x248, 0x40, len(payload))
    return bytes(head) + bytes(0x40) + payload + b"end"


def test_xz_and_gzip_payloads_are_uncompressed() -> None:
    """Debian's and older kernels: the size that Linux appends does not disturb."""
    size = struct.pack("<I", len(KERNEL))
    assert uncompressed(bz_image(lzma.compress(KERNEL, check=lzma.CHECK_CRC32) + size)) == KERNEL
    assert uncompressed(bz_image(gzip.compress(KERNEL) + size)) == KERNEL


def test_an_unknown_compression_leaves_the_image_as_it_is() -> None:
    """The kernel's own loader can do it, only slower."""
    image = bz_image(b"\x02\x21\x4c\x18 lz4")
    assert uncompressed(image) == image


def test_an_arm64_image_is_unzipped_or_kept() -> None:
    """It is gzip of the Image, or the Image."""
    image = b"MZ" + bytes(600)
    assert uncompressed(gzip.compress(image)) == image
    assert uncompressed(image) == image
