"""The cpio "newc" format, both ways.

Writing: the machine's initial RAM disk. Reading: the stream in which the machine sends back what a command wrote.
Format: Documentation/driver-api/early-userspace/buffer-format.rst of the Linux kernel. Every field is eight hexadecimal
digits, name and data are padded to four bytes, an entry named ``TRAILER!!!`` ends an archive.
"""

import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain

MAGIC = b"070701"
HEADER_LENGTH = 110
TRAILER = "TRAILER!!!"


class CpioError(ValueError):
    """Bytes that are no newc archive."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One file, directory, link or device of an archive."""

    name: str
    """Path without a leading slash."""
    mode: int
    """File type and permissions, as in ``st_mode``."""
    data: bytes = b""
    """Content of a file, target of a symbolic link."""
    rdev: tuple[int, int] = (0, 0)
    """Major and minor number of a device."""
    mtime_s: int = 0
    """Whole seconds since 1970."""
    inode: int = 0
    """The same for all names of one file; :func:`pack` gives numbers of its own."""
    links: int = 1
    """How many names the file has."""


def directory(name: str, mode: int = 0o755) -> Entry:
    """An entry for a directory."""
    return Entry(name, stat.S_IFDIR | mode)


def file(name: str, data: bytes, mode: int = 0o644) -> Entry:
    """An entry for a regular file."""
    return Entry(name, stat.S_IFREG | mode, data)


def symlink(name: str, target: str) -> Entry:
    """An entry for a symbolic link."""
    return Entry(name, stat.S_IFLNK | 0o777, target.encode())


def _padding(length: int) -> int:
    return -length % 4


def _pack_entry(entry: Entry, inode: int) -> bytes:
    name = entry.name.encode() + b"\0"
    major, minor = entry.rdev
    fields = (inode, entry.mode, 0, 0, entry.links, entry.mtime_s, len(entry.data), 0, 0, major, minor, len(name), 0)
    head = MAGIC + b"".join(b"%08x" % field for field in fields) + name
    return head + bytes(_padding(len(head))) + entry.data + bytes(_padding(len(entry.data)))


def pack(entries: Iterable[Entry]) -> bytes:
    """The archive of ``entries``, in the order given; a directory has to come before what is in it."""
    packed = [_pack_entry(entry, inode) for inode, entry in enumerate(entries, start=1)]
    return b"".join((*packed, _pack_entry(Entry(TRAILER, 0), 0)))


class Unpacker:
    """Turns bytes, in pieces of any size, into entries.

    Of a file with several names only one entry carries the data (busybox: the last); here each name becomes a file of
    its own. Owners are not kept.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._names: dict[int, list[Entry]] = {}
        self.finished = False
        """The trailer has been read; whatever follows is dropped."""

    def feed(self, data: bytes) -> Iterator[Entry]:
        """Take ``data``; yield the entries that became complete.

        Raises:
            CpioError: where a header should be, there is none.
        """
        self._buffer += data
        while not self.finished and (entry := self._next()) is not None:
            if entry.name == TRAILER:
                self.finished = True
                yield from chain.from_iterable(self._names.values())
            else:
                yield from self._with_names(entry)

    def _next(self) -> Entry | None:
        if len(self._buffer) < HEADER_LENGTH:
            return None
        if self._buffer[:6] != MAGIC:
            raise CpioError(f"cpio header starts with {bytes(self._buffer[:6])!r}; known: {MAGIC!r}")
        fields = [int(self._buffer[at : at + 8], 16) for at in range(6, HEADER_LENGTH, 8)]
        name_end = HEADER_LENGTH + fields[11]
        data_start = name_end + _padding(name_end)
        end = data_start + fields[6] + _padding(fields[6])
        if len(self._buffer) < end:
            return None
        name = self._buffer[HEADER_LENGTH : name_end - 1].decode("utf-8", "surrogateescape")
        data = bytes(self._buffer[data_start : data_start + fields[6]])
        del self._buffer[:end]
        return Entry(name, fields[1], data, (fields[9], fields[10]), fields[5], fields[0], fields[4])

    def _with_names(self, entry: Entry) -> list[Entry]:
        """``entry``, or nothing yet, or it and the names that waited for its data."""
        if entry.links < 2 or not stat.S_ISREG(entry.mode):
            return [entry]
        if not entry.data:
            self._names.setdefault(entry.inode, []).append(entry)
            return []
        return [*(replace(name, data=entry.data) for name in self._names.pop(entry.inode, [])), entry]
