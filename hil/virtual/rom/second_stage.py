"""ESP-IDF's second-stage boot loader: partition table, choice of the application, loading of it.

Steps and words: ESP-IDF ``bootloader_utility.c`` and ``flash_partitions.c``, v5.5, without rollback, secure boot and
flash encryption; the first lines as on the UART of an ESP32-S3.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from hil.errors import WireError
from hil.virtual.flash import SECTOR, FlashChip
from hil.virtual.rom.app_image import LoadedApp, LogText, load_app
from hil.virtual.rom.identity import ChipIdentity
from hil.wire.esp_image import FLASH_MB, FLASH_MHZ, FLASH_MODES, BootloaderDescription, ImageHeader
from hil.wire.esp_partitions import (
    APP,
    DATA,
    EFUSE,
    FACTORY,
    NVS,
    NVS_KEYS,
    OTA_DATA,
    PHY,
    TABLE_LENGTH,
    TABLE_OFFSET,
    TEST,
    OtaChoice,
    Partition,
    PartitionTable,
)

FACTORY_INDEX = -1
_MB = 1 << 20
_DATA_USES = {OTA_DATA: "OTA data", PHY: "RF data", NVS: "WiFi data", NVS_KEYS: "NVS keys", EFUSE: "efuse"}
_APP_USES = {FACTORY: "factory app", TEST: "test app"}


@dataclass(frozen=True, slots=True)
class SecondStage:
    """What came of it."""

    log: tuple[LogText, ...]
    app: LoadedApp | None = None
    """None: nothing was bootable."""
    partition: Partition | None = None
    failure: str = ""


@dataclass(frozen=True, slots=True)
class _Slots:
    """``bootloader_state_t``."""

    factory: Partition | None
    test: Partition | None
    ota: dict[int, Partition]
    ota_count: int
    ota_data: Partition | None

    @classmethod
    def of(cls, table: PartitionTable) -> "_Slots":
        found = [(each.ota_slot, each) for each in table.partitions]
        ota = [(slot, each) for slot, each in found if slot is not None]
        data = table.find(DATA, OTA_DATA)
        return cls(table.find(APP, FACTORY), table.find(APP, TEST), dict(ota), len(ota), data)

    def partition(self, index: int) -> Partition | None:
        if index == FACTORY_INDEX:
            return self.factory
        return self.ota.get(index) if index < self.ota_count else None


def second_stage(
    flash: FlashChip, header: ImageHeader, description: BootloaderDescription, identity: ChipIdentity
) -> SecondStage:
    """From its first line to the start of an application, or to the line before it resets the chip.

    Args:
        header: of the boot loader's own image. The flash size it gives is the one that partitions are held to, or the
            chip's where that is smaller; a real chip repeats its contents there.
        description: of the same image.
    """
    log = list(_greeting(header, description, identity))
    size = FLASH_MB[header.spi_size] * _MB if header.spi_size < len(FLASH_MB) else flash.size
    try:
        table = PartitionTable.parse(flash.read(TABLE_OFFSET, TABLE_LENGTH))
        _check_table(table, min(size, flash.size))
    except WireError as error:
        log += [("E", "flash_parts", str(error)), ("E", "boot", "Failed to verify partition table")]
        log.append(("E", "boot", "load partition table error!"))
        return SecondStage(tuple(log), failure=str(error))
    log += [("I", "boot", text) for text in _table_texts(table)]
    return _boot(flash, _Slots.of(table), log)


def _greeting(header: ImageHeader, description: BootloaderDescription, identity: ChipIdentity) -> Iterator[LogText]:
    mode = FLASH_MODES[header.spi_mode] if header.spi_mode < len(FLASH_MODES) else FLASH_MODES[-1]
    size = FLASH_MB[header.spi_size] if header.spi_size < len(FLASH_MB) else 2
    yield "I", "boot", f"ESP-IDF {description.idf_version} 2nd stage bootloader"
    yield "I", "boot", f"compile time {description.date_time}"
    yield "I", "boot", "Multicore bootloader"
    yield "I", "boot", "chip revision: v{}.{}".format(*identity.revision)
    yield "I", "boot", "efuse block revision: v{}.{}".format(*identity.efuse_revision)
    yield "I", "boot.esp32s3", f"Boot SPI Speed : {FLASH_MHZ.get(header.spi_speed, 20)}MHz"
    yield "I", "boot.esp32s3", f"SPI Mode       : {mode}"
    yield "I", "boot.esp32s3", f"SPI Flash Size : {size}MB"
    yield "I", "boot", "Enabling RNG early entropy source..."


def _check_table(table: PartitionTable, size: int) -> None:
    for number, each in enumerate(table.partitions):
        if each.offset + each.size > size:
            where = f"offset 0x{each.offset:x} size 0x{each.size:x}"
            raise WireError(f"partition {number} invalid - {where} exceeds flash chip size 0x{size:x}")


def _table_texts(table: PartitionTable) -> Iterator[str]:
    yield "Partition Table:"
    yield "## Label            Usage          Type ST Offset   Length"
    for number, each in enumerate(table.partitions):
        kind = f"{each.type:02x} {each.subtype:02x} {each.offset:08x} {each.size:08x}"
        yield f"{number:2d} {each.label:<16} {_use(each):<16} {kind}"
    yield "End of partition table"


def _use(partition: Partition) -> str:
    if partition.type == APP:
        return "OTA app" if partition.ota_slot is not None else _APP_USES.get(partition.subtype, "Unknown app")
    return _DATA_USES.get(partition.subtype, "Unknown data") if partition.type == DATA else "unknown"


def _boot(flash: FlashChip, slots: _Slots, log: list[LogText]) -> SecondStage:
    start, initial = _choose(flash, slots, log)
    order = [*range(start, FACTORY_INDEX - 1, -1), *range(start + 1, slots.ota_count)]
    failure = ""
    for index in order:
        partition = slots.partition(index)
        if partition is None or partition.size == 0:
            continue
        app = load_app(flash, partition)
        log += app.log
        if not app.failure:
            if initial:
                _note_slot(flash, slots, index)
            return _start(log, app, partition, [_slot_noted(index)] if initial and index > FACTORY_INDEX else [])
        failure = failure or app.failure
        name = "Factory app partition" if index == FACTORY_INDEX else f"OTA app partition slot {index}"
        log.append(("E", "boot", f"{name} is not bootable"))
    return _boot_test(flash, slots, log, failure)


def _boot_test(flash: FlashChip, slots: _Slots, log: list[LogText], failure: str) -> SecondStage:
    if slots.test is not None and slots.test.size:
        app = load_app(flash, slots.test)
        log += app.log
        if not app.failure:
            return _start(log, app, slots.test, [("W", "boot", "Falling back to test app as only bootable partition")])
    text = "No bootable app partitions in the partition table"
    log.append(("E", "boot", text))
    return SecondStage(tuple(log), failure=failure or text)


def _start(log: list[LogText], app: LoadedApp, partition: Partition, between: list[LogText]) -> SecondStage:
    loaded: LogText = ("I", "boot", f"Loaded app from partition at offset 0x{partition.offset:x}")
    last: LogText = ("I", "boot", "Disabling RNG early entropy source...")
    return SecondStage((*log, loaded, *between, last), app, partition)


def _note_slot(flash: FlashChip, slots: _Slots, slot: int) -> None:
    """``set_actual_ota_seq``: into OTA data that were never written."""
    if slot > FACTORY_INDEX and slots.ota_data is not None:
        flash.erase(slots.ota_data.offset, SECTOR)
        flash.program(slots.ota_data.offset, OtaChoice(slot + 1, state=2).pack())


def _slot_noted(slot: int) -> LogText:
    return "I", "boot", f"Set actual ota_seq={slot + 1} in otadata[0]"


def _choose(flash: FlashChip, slots: _Slots, log: list[LogText]) -> tuple[int, bool]:
    """The index to begin with, and whether the OTA data still have to be written."""
    if slots.ota_data is None:
        return FACTORY_INDEX, False
    if slots.ota_data.size < 2 * SECTOR:
        text = f"ota_info partition size {slots.ota_data.size} is too small (minimum {2 * SECTOR} bytes)"
        log.append(("E", "boot", text))
        return FACTORY_INDEX, False
    choices = [OtaChoice.parse(flash.read(slots.ota_data.offset + at, 32)) for at in (0, SECTOR)]
    if all(choice.initial for choice in choices) or not slots.ota_count:
        factory = slots.factory is not None
        log.append(("I", "boot", "Defaulting to factory image" if factory else "No factory image, trying OTA 0"))
        return (FACTORY_INDEX, False) if factory else (0, True)
    valid = [choice.sequence for choice in choices if choice.valid]
    if valid:
        return (max(valid) - 1) % slots.ota_count, False
    rest = "falling back to factory" if slots.factory else "and no factory, will try all partitions"
    joint = ", " if slots.factory else " "
    log.append(("E", "boot", f"ota data partition invalid{joint}{rest}"))
    return FACTORY_INDEX, False
