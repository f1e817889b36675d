"""Flashing one board through an open port: compare, write what differs, verify, reset.

Everything that can be refused is refused before the first byte is written: what a build is (:mod:`hil.flash.build`),
which chip it is, how large its flash is, what its eFuses forbid. Who else holds the port, the agent says.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from hil.clock import Deadline, now_ns, to_s
from hil.errors import BuildError, FlashFailed, FlashRefused, HilError, WireError
from hil.flash.build import (
    ANY_REVISION,
    BLANK,
    MB,
    SECTOR,
    TABLE_MARK,
    Build,
    Region,
    is_nvs,
    meets,
    require_partitions,
)
from hil.flash.esptool_loader import Chip, EsptoolLoader
from hil.flash.plan import Plan, Write, digest, plan
from hil.flash.progress import (
    COMPARING,
    CONNECTING,
    DONE,
    ERASING,
    FAILED,
    RESETTING,
    VERIFYING,
    WRITING,
    OnProgress,
    Told,
)
from hil.flash.tty_port import ROM_BAUD, TtyPort
from hil.wire.esp_partitions import ENTRY_LENGTH, TABLE_LENGTH, TABLE_OFFSET, Partition, PartitionTable

CONNECT_S = 20.0
"""Three attempts of esptool with five SYNCs each, a stub of 11 kB, and the size of the flash."""
COMPARE_S_PER_MB = 8.0
"""esptool's own limit for one hash of so much (MD5_TIMEOUT_PER_MB)."""
WRITE_S, WRITE_S_PER_MB = 15.0, 120.0
"""At 115200 baud a megabyte that does not compress takes 95 s, erasing it up to 20 s more."""
RESET_S = 5.0
OTHER_TABLES = range(TABLE_OFFSET + SECTOR, 0x20000, SECTOR)
"""Where a board that has no partition table in the usual place may have one (CONFIG_PARTITION_TABLE_OFFSET)."""


class Loader(Protocol):
    """What flashing needs of :class:`hil.flash.esptool_loader.EsptoolLoader`."""

    chip: Chip

    def md5(self, offset: int, length: int) -> str: ...
    def read(self, offset: int, length: int) -> bytes: ...
    def write(self, offset: int, data: bytes, on_part: Callable[[int, int], None]) -> None: ...
    def reset(self, after: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Flashed:
    """What was done to a board."""

    what: str
    """unchanged, changed (some sectors or regions) or written (everything)."""
    build: Build
    chip: Chip
    written: int
    """Bytes."""
    took_s: float

    @property
    def mac(self) -> str:
        return self.chip.mac

    def __str__(self) -> str:
        amount = "" if not self.written else f", {self.written} of {self.build.size} bytes written"
        return f"{self.what}: {self.build}{amount}, verified, in {self.took_s:.1f} s"


@dataclass(frozen=True, slots=True)
class Way:
    """How a chip is reached and left; esptool's ``--before``, ``--after``, ``--baud`` and ``--no-stub``."""

    before: str = "no-reset"
    after: str = "hard-reset"
    baud: int = ROM_BAUD
    stub: bool = True

    @property
    def resets(self) -> bool:
        """Whether the chip leaves its loader."""
        return not self.after.startswith("no-reset")


class Flasher:
    """Flashes the board at the other end of ``port``.

    Args:
        port: taken over; closed when :meth:`flash` returns or raises.
        way: how the chip is reached and left.
        on_progress: told each step.
        mac: of the chip that is expected there; '' takes any.
    """

    def __init__(
        self, port: TtyPort, way: Way | None = None, on_progress: OnProgress = lambda step: None, mac: str = ""
    ) -> None:
        self._port = port
        self._way = way or Way()
        self._told = Told(on_progress)
        self._mac = mac

    def flash(self, build: Build, known: Build | None = None) -> Flashed:
        """Have the board hold ``build``, and start over.

        Args:
            build: what is to be there.
            known: what the board is said to hold: only the sectors that differ from it are written, if it does.

        Raises:
            FlashRefused, BuildError: nothing was written.
            FlashFailed, BoardMute, BoardVanished: the board failed; what its flash holds is unknown.
        """
        began_ns = now_ns()
        try:
            self._told.tell(CONNECTING, 0, self._port.name or "")
            self._allow(CONNECT_S)
            way = self._way
            loader = EsptoolLoader.connect(self._port, way.before, way.stub, way.baud)
            self._require_fit(loader, build)
            done = self._bring(loader, build, known)
            if way.resets:
                self._told.tell(RESETTING, 100)
            self._allow(RESET_S)
            loader.reset(way.after)
        except HilError as error:
            self._told.tell(FAILED, detail=str(error))
            raise
        finally:
            self._port.close()
        self._told.tell(DONE, 100, done.what)
        return Flashed(done.what, build, loader.chip, done.size, to_s(now_ns() - began_ns))

    def _bring(self, loader: Loader, build: Build, known: Build | None) -> Plan:
        """Compare, write and verify."""
        self._told.tell(COMPARING, 0)
        self._allow(WRITE_S + COMPARE_S_PER_MB * 2 * build.size / MB)
        planned = plan(build, known, loader.md5)
        self._require_stored(loader, build, planned)
        before = 0
        for write in planned.writes:
            self._told.tell(ERASING, detail=str(write))
            self._allow(WRITE_S + WRITE_S_PER_MB * len(write.data) / MB)
            loader.write(write.offset, write.data, self._part(before, len(write.data), planned.size, str(write)))
            before += len(write.data)
        if planned.writes:
            self._told.tell(VERIFYING, 100)
        for region in planned.in_parts:
            _require_held(loader, region, self._port.board)
        return planned

    def _part(self, before: int, length: int, total: int, what: str) -> Callable[[int, int], None]:
        """Turns a part of one write into percents of all."""

        def on_part(done: int, of: int) -> None:
            self._told.tell(WRITING, int(100 * (before + length * done / max(of, 1)) / max(total, 1)), what)

        return on_part

    def _require_fit(self, loader: Loader, build: Build) -> None:
        """
        Raises:
            FlashRefused: this chip is not the one that is meant, or cannot hold the build.
        """
        reason, why = _misfit(loader.chip, build)
        if self._mac and self._mac.lower() != loader.chip.mac:
            why = f"{self._port.name} leads to the chip {loader.chip.mac}; {self._port.board} is {self._mac.lower()}"
            reason = "other-board"
        if reason:
            raise FlashRefused(f"board {self._port.board}: nothing was written: {why}", reason)
        if build.table is None:
            self._require_partitions(loader, build)

    def _require_partitions(self, loader: Loader, build: Build) -> None:
        """A build without a partition table goes with the one that the board has, if it has one."""
        for table in _boards_tables(loader, [TABLE_OFFSET]):
            try:
                require_partitions(build, table)
            except BuildError as error:
                raise self._refused(f"by its partition table, {error}") from error

    def _require_stored(self, loader: Loader, build: Build, planned: Plan) -> None:
        """See that no write takes away what the board has stored, wherever the build would have its own NVS.

        Raises:
            FlashRefused: one does; NVS that is blank holds nothing.
        """
        if not planned.writes or build.table is None:
            return
        others = [each for each in build.table_offsets if build.region(each) not in planned.unchanged]
        for table in _boards_tables(loader, others):
            for partition in filter(is_nvs, table.partitions):
                write = next((w for w in planned.writes if meets(partition, w.offset, w.offset + len(w.data))), None)
                if write is not None and not _is_blank(loader, partition):
                    raise self._refused(_takes_away(write, partition))

    def _refused(self, why: str) -> FlashRefused:
        return FlashRefused(f"board {self._port.board}: nothing was written: {why}", "partitions")

    def _allow(self, within_s: float) -> None:
        self._port.deadline = Deadline(within_s)


def _boards_tables(loader: Loader, offsets: Sequence[int]) -> list[PartitionTable]:
    """The partition tables that the board has at these places, or else wherever it may have one."""
    found = list(_tables(loader, offsets))
    return found if found or not offsets else list(_tables(loader, OTHER_TABLES))


def _tables(loader: Loader, offsets: Iterable[int]) -> Iterator[PartitionTable]:
    """None where the flash is blank or half written."""
    for offset in offsets:
        if loader.read(offset, ENTRY_LENGTH)[: len(TABLE_MARK)] == TABLE_MARK:
            with suppress(WireError):
                yield PartitionTable.parse(loader.read(offset, TABLE_LENGTH))


def _is_blank(loader: Loader, partition: Partition) -> bool:
    size = min(partition.size, loader.chip.flash_bytes - partition.offset)
    return loader.md5(partition.offset, size) == digest(BLANK * size)


def _takes_away(write: Write, partition: Partition) -> str:
    place = f"0x{partition.offset:x} 0x{partition.size:x}"
    return (
        f"{write} would erase what the board has stored in {partition.label!r} (0x{partition.offset:x}, "
        f"{partition.size} bytes): by its partition table that is NVS, which is never written; to give it up, erase it "
        f"first: `esptool --after no-reset erase-region {place}`"
    )


def _require_held(loader: Loader, region: Region, board: str) -> None:
    wanted, found = digest(region.data), loader.md5(region.offset, len(region.data))
    if found != wanted:
        raise FlashFailed(f"board {board}: {region}: the hash of what the flash holds is {found}, not {wanted}", "hash")


def _misfit(chip: Chip, build: Build) -> tuple[str, str]:
    """Why the chip cannot hold or run the build, in a word and in full; ('', '') where it can."""
    last = build.regions[-1]
    if last.end > chip.flash_bytes:
        return "flash-size", f"{last} ends at 0x{last.end:x}, and {_has(chip)}"
    if (build.started_bytes or 0) > chip.flash_bytes:
        named = (build.started_bytes or 0) // MB
        return "flash-size", f"{build.regions[0]} names {named} MB of flash and starts with no less, and {_has(chip)}"
    lowest, highest = build.revisions
    if lowest <= chip.revision <= highest:
        return "", ""
    upper = "or later" if highest == ANY_REVISION else f"to {_revision(highest)}"
    return (
        "revision",
        f"the chip is revision {_revision(chip.revision)}; {build.source} wants {_revision(lowest)} {upper}",
    )


def _has(chip: Chip) -> str:
    return f"the chip has {chip.flash_bytes / MB:g} MB of flash"


def _revision(number: int) -> str:
    return f"v{number // 100}.{number % 100}"
