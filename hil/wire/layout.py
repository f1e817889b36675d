"""A run of fixed fields, packed and unpacked with :class:`~hil.errors.WireError` in place of ``struct.error``."""

import struct
from typing import Any

from hil.errors import WireError


class Layout:
    """Fixed fields of one format.

    Args:
        name: what the fields are, for error messages: ``'IPv4 header'``.
        fields: a ``struct`` format, byte order included.
    """

    __slots__ = ("_struct", "name", "size")

    def __init__(self, name: str, fields: str) -> None:
        self.name = name
        self._struct = struct.Struct(fields)
        self.size = self._struct.size

    def pack(self, *values: Any) -> bytes:
        """The fields as bytes; WireError where a value does not fit its field."""
        try:
            return self._struct.pack(*values)
        except (struct.error, OverflowError) as error:
            raise WireError(f"{self.name}: {values} does not fit: {error}") from error

    def unpack(self, data: bytes, offset: int = 0) -> tuple[Any, ...]:
        """The fields at ``offset``; WireError where ``data`` ends before them."""
        if offset < 0 or len(data) - offset < self.size:
            raise WireError(f"{self.name}: {self.size} bytes needed at offset {offset}, {len(data)} bytes in all")
        return self._struct.unpack_from(data, offset)


def exactly(name: str, data: bytes, length: int) -> bytes:
    """``data``, which must have ``length`` bytes."""
    if len(data) != length:
        raise WireError(f"{name}: {len(data)} bytes, expected {length}")
    return data
