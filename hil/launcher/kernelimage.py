"""The uncompressed kernel inside a distribution's vmlinuz.

An emulated CPU takes three seconds to uncompress a kernel, the host a fraction of one. On x86 the image is a bzImage:
its payload's place is in the header (Documentation/arch/x86/boot.rst: ``setup_sects`` at 0x1F1, ``payload_offset`` at
0x248, ``payload_length`` at 0x24C), its compression shows in the payload's first bytes. On arm64 it may be gzip of the
Image.
"""

import gzip
import lzma
import struct
import zlib

from hil.launcher.modules import unzstd

BZIMAGE_MAGIC = b"HdrS"
GZIP, XZ, ZSTD, ELF = b"\x1f\x8b", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd", b"\x7fELF"


def uncompressed(image: bytes) -> bytes:
    """The kernel that ``image`` holds, ready for QEMU's ``-kernel``; ``image`` itself where it is not compressed
    or in a way that only the kernel's own loader knows (LZ4, LZO).

    Raises:
        SetupError: zstd would be needed and is missing.
    """
    if image[0x202:0x206] != BZIMAGE_MAGIC:
        return gzip.decompress(image) if image.startswith(GZIP) else image
    inside = _inflate(_payload(image))
    return inside if inside.startswith(ELF) else image


def _payload(image: bytes) -> bytes:
    sectors = image[0x1F1] or 4
    offset, length = struct.unpack_from("<II", image, 0x248)
    start = (sectors + 1) * 512 + offset
    return image[start : start + length]


def _inflate(payload: bytes) -> bytes:
    if payload.startswith(XZ):
        return lzma.LZMADecompressor().decompress(payload)
    if payload.startswith(GZIP):
        return zlib.decompressobj(wbits=31).decompress(payload)
    return unzstd(payload[:-4]) if payload.startswith(ZSTD) else b""
