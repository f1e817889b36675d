"""What is to be flashed, as values, checked before anything is asked of a board.

A :class:`Build` comes from a folder that ``idf.py build`` has left (its ``flasher_args.json``), from a merged image
(:mod:`hil.flash.merged`) or from explicit offsets. Every error is a :class:`~hil.errors.BuildError`.

Formats: ESP-IDF ``esp_app_format.h`` for the chip ids; the ROM and esptool's stub erase flash by sectors of 4 KiB
(esptool, ``FLASH_SECTOR_SIZE``).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from hil.errors import BuildError, WireError
from hil.wire.esp_image import CHIP_ESP32S3, FLASH_MB, MAGIC, AppDescription, Image, ImageHeader
from hil.wire.esp_partitions import APP, DATA, NVS, NVS_KEYS, TABLE_LENGTH, TABLE_OFFSET, Partition, PartitionTable
from hil.wire.esp_partitions import MAGIC as TABLE_MAGIC

SECTOR = 0x1000
BLANK = b"\xff"
"""What erased flash reads as."""
MB = 1 << 20
CHIP = "esp32s3"
CHIP_NAMES = {
    0: "ESP32",
    2: "ESP32-S2",
    5: "ESP32-C3",
    9: "ESP32-S3",
    12: "ESP32-C2",
    13: "ESP32-C6",
    16: "ESP32-H2",
    18: "ESP32-P4",
    20: "ESP32-C61",
    23: "ESP32-C5",
}
"""``esp_chip_id_t``."""
ANY_REVISION = 0xFFFF
"""The highest revision that an image takes, where it takes all."""
MOST_BYTES = 128 * MB
"""The largest flash that an image header can name."""
ELF_MAGIC = b"\x7fELF"
TABLE_MARK = TABLE_MAGIC.to_bytes(2, "little")
"""The first two bytes of a partition table."""


@dataclass(frozen=True, slots=True)
class Region:
    """Bytes, and where in flash they go."""

    offset: int
    data: bytes
    name: str
    """Of the file, as an error names it."""

    @property
    def end(self) -> int:
        """The first offset behind it."""
        return self.offset + len(self.data)

    @property
    def erased_end(self) -> int:
        """The first offset that writing it leaves alone: whole sectors are erased."""
        return sector_end(self.end)

    @property
    def image(self) -> Image | None:
        """The image that it begins with, or None.

        Raises:
            WireError: it has an image's magic, and is none.
        """
        return Image.parse(self.data) if self.data[:1] == bytes([MAGIC]) else None

    def __str__(self) -> str:
        return f"{self.name} at 0x{self.offset:x}"

    def __repr__(self) -> str:
        return f"Region({self.name!r}, 0x{self.offset:x}, {len(self.data)} bytes)"


@dataclass(frozen=True, slots=True)
class Build:
    """Regions that go together, in order of their offsets."""

    source: str
    """Where it comes from, as a person named it."""
    regions: tuple[Region, ...]
    flash_bytes: int | None = None
    """Size of the flash that it was built for; None where it does not say."""
    started_bytes: int | None = None
    """Size of the flash that its boot loader names, and does not start with less; None without a boot loader."""
    table: PartitionTable | None = None
    app: AppDescription | None = None
    """Of the application, as far as it is in the regions."""
    left_out: tuple[str, ...] = ()
    """What it holds and flashing leaves alone."""
    revisions: tuple[int, int] = (0, ANY_REVISION)
    """Of the chip, the lowest and the highest that its images take: major times 100 and minor."""

    @property
    def end(self) -> int:
        """The first offset behind all of it."""
        return self.regions[-1].erased_end

    @property
    def size(self) -> int:
        """Bytes of all regions."""
        return sum(len(region.data) for region in self.regions)

    @property
    def table_offsets(self) -> tuple[int, ...]:
        """Where a board that takes it may have a partition table: at the usual place, and where this build has one."""
        marked = (region.offset for region in self.regions if region.data[:2] == TABLE_MARK)
        return tuple(dict.fromkeys((TABLE_OFFSET, *marked)))

    def region(self, offset: int) -> Region | None:
        """The region that begins at ``offset``."""
        return next((each for each in self.regions if each.offset == offset), None)

    def __str__(self) -> str:
        what = f"{self.app.project} {self.app.version}" if self.app else f"{self.size} bytes"
        return f"{what} from {self.source}"


def sector_end(offset: int) -> int:
    """The first offset behind the sector that ends at or reaches over ``offset``."""
    return -(-offset // SECTOR) * SECTOR


def regions(pairs: Iterable[tuple[int, Path]]) -> Build:
    """The files, each for its offset.

    Raises:
        BuildError: a file cannot be read, or they do not go together.
    """
    read = [Region(offset, read_bytes(path, path.name), str(path)) for offset, path in pairs]
    names = ", ".join(map(str, read))
    return checked(names or "no files", read)


def checked(
    source: str,
    found: Sequence[Region],
    flash_bytes: int | None = None,
    left_out: tuple[str, ...] = (),
    app_offset: int | None = None,
) -> Build:
    """A build of these regions, if they go together and are what they have to be.

    Raises:
        BuildError: they are not; the message names the region.
    """
    ordered = tuple(sorted(found, key=lambda region: region.offset))
    if not ordered:
        raise BuildError(f"{source}: there is nothing to flash")
    images = {region.offset: _image(region) for region in ordered}
    named = _named_size(images)
    size = flash_bytes or named
    _require_room(ordered, size)
    table = _table(ordered)
    _require_place(ordered)
    build = Build(source, ordered, size, named, table, _app(images, table, app_offset), left_out, _revisions(images))
    if table is not None:
        require_partitions(build, table)
        _require_in_flash(build, table)
    return build


def require_partitions(build: Build, table: PartitionTable) -> None:
    """See that ``build`` goes with the partitions that the board will have.

    Raises:
        BuildError: an application or data does not fit, an application is no image, or a region reaches into NVS.
    """
    for region in build.regions:
        for partition in table.partitions:
            if meets(partition, region.offset, region.end):
                _require_partition(region, partition)


def _require_partition(region: Region, partition: Partition) -> None:
    where = f"partition {partition.label!r} (0x{partition.offset:x}, {partition.size} bytes)"
    if is_nvs(partition):
        raise BuildError(f"{region} reaches into {where}: NVS is never written; what else is to be flashed?")
    if partition.type == APP:
        _require_application(region, partition, where)
    if region.offset == partition.offset and region.end > partition.end:
        raise BuildError(f"{region} has {len(region.data)} bytes and does not fit {where}")


def _require_application(region: Region, partition: Partition, where: str) -> None:
    if region.offset != partition.offset:
        raise BuildError(f"{region} lies across {where}; an application begins where its partition does")
    if region.image is None:
        first = f"0x{region.data[0]:02x}"
        raise BuildError(f"{region} is not an image: its first byte is {first}, an image's is 0x{MAGIC:02x}; {where}")


def _require_in_flash(build: Build, table: PartitionTable) -> None:
    """See that the boot loader takes the table: it refuses one that reaches behind the flash that its header names."""
    size = build.started_bytes
    for partition in table.partitions:
        if size is not None and partition.end > size:
            raise BuildError(
                f"{build.source}: partition {partition.label!r} ends at 0x{partition.end:x}, behind the "
                f"{size // MB} MB of flash that the boot loader's header names: it would not start"
            )


def meets(partition: Partition, start: int, end: int) -> bool:
    """Whether writing from ``start`` to ``end`` erases something of it."""
    return start < partition.end and partition.offset < sector_end(end)


def is_nvs(partition: Partition) -> bool:
    """Whether it holds what the board itself has stored."""
    return partition.type == DATA and partition.subtype in (NVS, NVS_KEYS)


def read_bytes(path: Path, name: str) -> bytes:
    """
    Raises:
        BuildError: the file cannot be read, or is empty.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise BuildError(f"{path}: cannot be read: {reason}") from error
    if not data:
        raise BuildError(f"{path}: {name} is empty")
    if data.startswith(ELF_MAGIC):
        raise BuildError(f"{path}: an ELF file; `esptool --chip {CHIP} elf2image` makes an image of it")
    if len(data) > MOST_BYTES:
        raise BuildError(f"{path}: over {MOST_BYTES} bytes; no flash has more")
    return data


def _image(region: Region) -> Image | None:
    """The image that the region begins with, for this chip; None where it begins with something else."""
    try:
        if region.offset == 0 and region.data[0] != MAGIC:
            raise WireError(f"magic 0x{region.data[0]:02x} at offset 0, expected 0x{MAGIC:02x}")
        if region.data[0] != MAGIC:
            return None
        chip = ImageHeader.parse(region.data).chip_id
        if chip != CHIP_ESP32S3:
            name = CHIP_NAMES.get(chip, "an unknown chip")
            raise BuildError(f"{region} is an image for {name} (chip id {chip}); wanted ESP32-S3 (chip id 9)")
        image = Image.parse(region.data)
    except WireError as error:
        raise BuildError(f"{region} is not an image: {error}") from error
    if region.offset == 0 and image.description is not None:
        name = f"{image.description.project} {image.description.version}"
        raise BuildError(f"{region} is the application {name} and no boot loader; its place is such as 0x10000")
    return image


def _named_size(images: dict[int, Image | None]) -> int | None:
    """Of the flash, as the boot loader's header has it."""
    loader = images.get(0)
    if loader is None or loader.header.spi_size >= len(FLASH_MB):
        return None
    return FLASH_MB[loader.header.spi_size] * MB


def _require_room(ordered: tuple[Region, ...], flash_bytes: int | None) -> None:
    for region in ordered:
        if region.offset < 0 or region.offset % SECTOR:
            raise BuildError(f"{region} does not begin at a sector: offsets are multiples of 0x{SECTOR:x}")
        if region.end > (flash_bytes or MOST_BYTES):
            size = f"{(flash_bytes or MOST_BYTES) // MB} MB"
            raise BuildError(
                f"{region} has {len(region.data)} bytes and ends at 0x{region.end:x}, behind {size} of flash"
            )
    for first, second in pairwise(ordered):
        if second.offset < first.erased_end:
            span = f"writing {first} erases up to 0x{first.erased_end:x}"
            raise BuildError(f"{first} and {second} overlap: {span}")


def _require_place(ordered: tuple[Region, ...]) -> None:
    """See that nothing lies inside the boot loader's place, or in that of a partition table which is not behind it."""
    for region in ordered:
        table_behind = any(each.data[:2] == TABLE_MARK for each in ordered if each.offset >= region.end)
        if region.offset == TABLE_OFFSET and region.data[:2] != TABLE_MARK and not table_behind:
            raise BuildError(f"{region} is not a partition table: its first bytes are {region.data[:2].hex(' ')}")
        if region.offset < TABLE_OFFSET < region.end and not table_behind:
            raise BuildError(
                f"{region} reaches over the partition table at 0x{TABLE_OFFSET:x}; a merged image is named without an "
                "offset"
            )
        if 0 < region.offset < TABLE_OFFSET:
            raise BuildError(f"{region} lies in the boot loader, whose place on an ESP32-S3 is from 0x0 on")


def _table(ordered: tuple[Region, ...]) -> PartitionTable | None:
    """Of the region that is one: the one at its usual offset must be, if it looks like it."""
    for region in ordered:
        if region.data[:2] != TABLE_MARK:
            continue
        try:
            return PartitionTable.parse(region.data[:TABLE_LENGTH])
        except WireError as error:
            if region.offset == TABLE_OFFSET:
                raise BuildError(f"{region} is not a partition table: {error}") from error
    return None


def _app(images: dict[int, Image | None], table: PartitionTable | None, offset: int | None) -> AppDescription | None:
    """Of the application that will run: the named one, else the first partition for one that gets something."""
    places = (
        [offset] if offset is not None else sorted(p.offset for p in table.partitions if p.type == APP) if table else []
    )
    for place in places or sorted(images):
        image = images.get(place)
        if image is not None and image.description is not None:
            return image.description
    return None


def _revisions(images: dict[int, Image | None]) -> tuple[int, int]:
    headers = [image.header for image in images.values() if image is not None]
    lowest = max((header.min_revision for header in headers), default=0)
    highest = min((header.max_revision or ANY_REVISION for header in headers), default=ANY_REVISION)
    return lowest, highest
