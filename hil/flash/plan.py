"""What of a build has to be written, given what the board has. Pure: the board is asked through a function.

First the board's own hash of each region is compared, so that nothing is written that is there already. Where it
differs and the build that the board is said to have is known, its hash is asked for as well; if that is right, only the
sectors in which the two builds differ are written.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from hil.flash.build import SECTOR, Build, Region

UNCHANGED, CHANGED, WRITTEN = "unchanged", "changed", "written"
Md5 = Callable[[int, int], str]
"""Hash of what the board's flash holds at an offset, so many bytes: 32 hexadecimal digits."""


@dataclass(frozen=True, slots=True)
class Write:
    """Part of a region, or all of it."""

    region: Region
    offset: int
    data: bytes

    @property
    def whole(self) -> bool:
        return len(self.data) == len(self.region.data)

    def __str__(self) -> str:
        return str(self.region) if self.whole else f"{len(self.data)} bytes of {self.region.name} at 0x{self.offset:x}"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is left alone and what is written."""

    unchanged: tuple[Region, ...]
    writes: tuple[Write, ...]

    @property
    def what(self) -> str:
        """``unchanged`` (nothing is written), ``written`` (everything is), ``changed`` (part of it)."""
        if not self.writes:
            return UNCHANGED
        return WRITTEN if not self.unchanged and all(write.whole for write in self.writes) else CHANGED

    @property
    def size(self) -> int:
        """Bytes to be written."""
        return sum(len(write.data) for write in self.writes)

    @property
    def in_parts(self) -> tuple[Region, ...]:
        """Regions of which only some sectors are written."""
        return tuple(dict.fromkeys(write.region for write in self.writes if not write.whole))


def plan(build: Build, known: Build | None, md5: Md5) -> Plan:
    """Compare ``build`` with what the board has.

    Args:
        build: what is to be there.
        known: what the board is said to have; None where nothing is known of it. It is believed only as far as the
            board's own hash bears it out.
        md5: asks the board.
    """
    unchanged: list[Region] = []
    writes: list[Write] = []
    for region in build.regions:
        if md5(region.offset, len(region.data)) == digest(region.data):
            unchanged.append(region)
        else:
            writes += _writes(region, known.region(region.offset) if known else None, md5)
    return Plan(tuple(unchanged), tuple(writes))


def digest(data: bytes) -> str:
    """As the board tells it."""
    return hashlib.md5(data).hexdigest()


def changed_spans(old: bytes, new: bytes) -> Iterator[tuple[int, int]]:
    """Start and end of each run of sectors of ``new`` that ``old`` does not have."""
    start: int | None = None
    for at in range(0, len(new), SECTOR):
        end = min(at + SECTOR, len(new))
        if old[at:end] == new[at:end]:
            if start is not None:
                yield start, at
            start = None
        elif start is None:
            start = at
    if start is not None:
        yield start, len(new)


def _writes(region: Region, old: Region | None, md5: Md5) -> list[Write]:
    common = min(len(old.data), len(region.data)) if old else 0
    if old is None or md5(old.offset, common) != digest(old.data[:common]):
        return [Write(region, region.offset, region.data)]
    spans = changed_spans(old.data, region.data)
    return [Write(region, region.offset + start, region.data[start:end]) for start, end in spans]
