"""The SPI NOR flash of a virtual board, kept in a file so that it outlives the process.

As in any NOR flash (Winbond W25Q64JV data sheet, "Page Program" and "Sector Erase"), programming only clears bits, and
only erasing, 4 KiB at least, sets them again: to write where nothing was erased leaves the AND of both.

The file holds the complement of each byte. Erased flash is then a hole, and 8 MB that hold a small firmware take the
space of that firmware. Every change is in the file when the call returns: a process that is killed leaves what a board
that lost its power would have.
"""

import asyncio
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from hil.clock import Deadline
from hil.errors import VirtualBoardError

FREED_WITHIN_S, POLL_S = 5.0, 0.02
SECTOR = 0x1000
MB = 1 << 20
ERASED = b"\xff" * SECTOR
SIZES = tuple(2**exponent * MB for exponent in range(8))
WINBOND, SERIAL_NOR = 0xEF, 0x40
_COMPLEMENT = bytes(range(255, -1, -1))


class FlashChip:
    """Sectors that were ever programmed, by number; the others are erased.

    Args:
        size: bytes; one of :data:`SIZES`.
        path: the file; made where it is missing, and locked. Without one the contents end with the object.
        maker: JEDEC manufacturer.
        kind: JEDEC memory type.

    Raises:
        VirtualBoardError: the size is none of a chip or not that of the file, or another process has the file.
    """

    def __init__(
        self, size: int = 8 * MB, path: Path | None = None, *, maker: int = WINBOND, kind: int = SERIAL_NOR
    ) -> None:
        if size not in SIZES:
            raise VirtualBoardError(f"flash: {size} bytes; known: {', '.join(f'{each // MB} MB' for each in SIZES)}")
        self.size = size
        self.jedec_id = maker | kind << 8 | (size.bit_length() - 1) << 16
        """As RDID (0x9F) answers, first byte lowest: maker, memory type, binary logarithm of the size."""
        self._sectors: dict[int, bytearray] = {}
        self._worn: dict[int, int] = {}
        self._fd, self._file_size = -1, size
        if path is not None:
            self._fd = _open(path, size)
            self._sectors = dict(_load(self._fd, size))

    def shown_as(self, size: int) -> "FlashChip":
        """The same cells as a chip of another size has them, at most so many; :meth:`erase_all` is for all of them."""
        made = FlashChip(size)
        made._sectors, made._worn, made._fd, made._file_size = self._sectors, self._worn, self._fd, self._file_size
        return made

    def close(self) -> None:
        """Gives the file to others; the contents can still be read."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def read(self, offset: int, length: int) -> bytes:
        self._check(offset, length)
        parts = (self._sectors.get(sector, ERASED)[start:end] for sector, start, end in _spans(offset, length))
        return b"".join(bytes(part) for part in parts)

    def program(self, offset: int, data: bytes) -> None:
        """Clears the bits that are 0 in ``data``; whatever their page."""
        self._check(offset, len(data))
        done = 0
        for sector, start, end in _spans(offset, len(data)):
            piece = data[done : done + end - start]
            done += end - start
            held = self._sectors.setdefault(sector, bytearray(ERASED))
            held[start:end] = piece if held[start:end] == ERASED[start:end] else _both(held[start:end], piece)
            self._settle(sector, start, end)

    def erase(self, offset: int, length: int) -> None:
        """Every sector that the range touches."""
        self._check(offset, length)
        for sector, _, _ in _spans(offset, length):
            if self._sectors.pop(sector, None) is not None and self._fd >= 0:
                os.pwrite(self._fd, bytes(SECTOR), sector * SECTOR)
            self._settle(sector, 0, SECTOR)

    def erase_all(self) -> None:
        """Chip erase; the file gives its space back."""
        self._sectors.clear()
        if self._fd >= 0:
            os.ftruncate(self._fd, 0)
            os.ftruncate(self._fd, self._file_size)
        for offset in self._worn:
            self._settle(offset // SECTOR, 0, SECTOR)

    def wear_out(self, offset: int, bits: int = 0xFF) -> None:
        """From now on these bits of a byte read 0, erased or not: the way in which NOR flash wears out."""
        self._check(offset, 1)
        self._worn[offset] = self._worn.get(offset, 0) | bits & 0xFF
        self._settle(offset // SECTOR, 0, SECTOR)

    def _settle(self, sector: int, start: int, end: int) -> None:
        """Worn bits fall back to 0, and what is new goes to the file."""
        for offset, bits in self._worn.items():
            if offset // SECTOR == sector:
                self._sectors.setdefault(sector, bytearray(ERASED))[offset % SECTOR] &= ~bits & 0xFF
                start, end = min(start, offset % SECTOR), max(end, offset % SECTOR + 1)
        if self._fd >= 0 and sector in self._sectors:
            data = self._sectors[sector][start:end].translate(_COMPLEMENT)
            os.pwrite(self._fd, data, sector * SECTOR + start)

    def _check(self, offset: int, length: int) -> None:
        if offset < 0 or length < 0 or offset + length > self.size:
            raise VirtualBoardError(f"flash: {length} bytes at 0x{offset:x}; it has 0x{self.size:x}")


async def open_when_free(path: Path, within_s: float = FREED_WITHIN_S) -> FlashChip:
    """The chip in that file, once a board that is just ending has let go of it.

    Raises:
        VirtualBoardError: it cannot be opened within ``within_s``.
    """
    deadline = Deadline(within_s)
    while True:
        try:
            return FlashChip(path=path)
        except VirtualBoardError:
            if deadline.passed:
                raise
        await asyncio.sleep(POLL_S)


def _spans(offset: int, length: int) -> Iterator[tuple[int, int, int]]:
    """Sector, first byte and end in it, for each sector of a range."""
    end = offset + length
    while offset < end:
        sector, start = divmod(offset, SECTOR)
        stop = min(SECTOR, end - sector * SECTOR)
        yield sector, start, stop
        offset = sector * SECTOR + stop


def _both(held: bytearray, data: bytes) -> bytes:
    return (int.from_bytes(held) & int.from_bytes(data)).to_bytes(len(data))


def _open(path: Path, size: int) -> int:
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        found = os.fstat(fd).st_size
        if found not in (0, size):
            raise VirtualBoardError(f"flash file {path}: {found} bytes, the board's flash has {size}")
        os.ftruncate(fd, size)
    except BlockingIOError:
        os.close(fd)
        raise VirtualBoardError(f"flash file {path} belongs to another running board") from None
    except (OSError, VirtualBoardError):
        os.close(fd)
        raise
    return fd


def _load(fd: int, size: int) -> Iterator[tuple[int, bytearray]]:
    """The sectors of a file that hold anything, holes left out."""
    at = 0
    while at < size:
        try:
            at = os.lseek(fd, at, os.SEEK_DATA) // SECTOR * SECTOR
        except OSError:  # ENXIO: nothing but a hole up to the end
            return
        end = os.lseek(fd, at, os.SEEK_HOLE)
        for start in range(at, end, SECTOR):
            held = os.pread(fd, SECTOR, start)
            if any(held):
                yield start // SECTOR, bytearray(held.translate(_COMPLEMENT))
        at = max(end, at + SECTOR)
