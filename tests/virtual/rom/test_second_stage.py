"""The second-stage boot loader."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.virtual.flash import MB, FlashChip
from hil.virtual.rom.identity import ChipIdentity
from hil.virtual.rom.images import DEFAULT_TABLE, application, bootloader
from hil.virtual.rom.second_stage import SecondStage, second_stage
from hil.wire.esp_image import AppDescription, BootloaderDescription
from hil.wire.esp_partitions import APP, DATA, FACTORY, OTA_0, OTA_DATA, TEST, OtaChoice, Partition, PartitionTable

PURE = settings(deadline=None, derandomize=True, database=None, max_examples=40)
OTA_DATA_AT, SLOT_0, SLOT_1, FACTORY_AT, TEST_AT = 0xD000, 0x20000, 0x30000, 0x10000, 0x40000
OTA = (
    Partition("otadata", DATA, OTA_DATA, OTA_DATA_AT, 0x2000),
    Partition("ota_0", APP, OTA_0, SLOT_0, 0x10000),
    Partition("ota_1", APP, OTA_0 + 1, SLOT_1, 0x10000),
)
FACTORY_PART = Partition("factory", APP, FACTORY, FACTORY_AT, 0x10000)
TEST_PART = Partition("test", APP, TEST, TEST_AT, 0x10000)


def flash_with(partitions: tuple[Partition, ...], *apps: int) -> FlashChip:
    """An application at each offset, named for it."""
    flash = FlashChip(8 * MB)
    flash.program(0x8000, PartitionTable(partitions).pack())
    for offset in apps:
        flash.program(offset, application(AppDescription(f"at-{offset:x}", "1", "00" * 32)).pack())
    return flash


def run(flash: FlashChip) -> SecondStage:
    return second_stage(flash, bootloader().header, BootloaderDescription(), ChipIdentity())


def booted(flash: FlashChip) -> str | None:
    found = run(flash)
    return found.app.description.project if found.app and found.app.description else None


def texts(found: SecondStage) -> list[str]:
    return [f"{level} {tag}: {text}" for level, tag, text in found.log]


def choose(flash: FlashChip, *choices: OtaChoice | None) -> None:
    for sector, choice in enumerate(choices):
        if choice is not None:
            flash.program(OTA_DATA_AT + sector * 0x1000, choice.pack())


def test_one_application_boots() -> None:
    """Every line, as on the UART of a board with ESP-IDF's single-application table."""
    found = run(flash_with(DEFAULT_TABLE.partitions, FACTORY_AT))
    assert texts(found) == [
        "I boot: ESP-IDF v5.5.1 2nd stage bootloader",
        "I boot: compile time Nov 20 2026 12:00:00",
        "I boot: Multicore bootloader",
        "I boot: chip revision: v0.2",
        "I boot: efuse block revision: v1.3",
        "I boot.esp32s3: Boot SPI Speed : 80MHz",
        "I boot.esp32s3: SPI Mode       : DIO",
        "I boot.esp32s3: SPI Flash Size : 8MB",
        "I boot: Enabling RNG early entropy source...",
        "I boot: Partition Table:",
        "I boot: ## Label            Usage          Type ST Offset   Length",
        "I boot:  0 nvs              WiFi data        01 02 00009000 00006000",
        "I boot:  1 phy_init         RF data          01 01 0000f000 00001000",
        "I boot:  2 factory          factory app      00 00 00010000 00177000",
        "I boot: End of partition table",
        "I esp_image: segment 0: paddr=00010020 vaddr=3c000020 size=00200h (   512) map",
        "I esp_image: segment 1: paddr=00010228 vaddr=3fc94000 size=00200h (   512) load",
        "I esp_image: segment 2: paddr=00010430 vaddr=40374000 size=00400h (  1024) load",
        "I esp_image: segment 3: paddr=00010838 vaddr=42000838 size=00004h (     4) map",
        "I boot: Loaded app from partition at offset 0x10000",
        "I boot: Disabling RNG early entropy source...",
    ]
    assert found.failure == ""


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (b"", "partition 0 invalid magic number 0x0"),
        (PartitionTable((FACTORY_PART,)).pack()[:40] + b"\0", "Incorrect MD5 checksum"),
        (
            PartitionTable((Partition("big", APP, FACTORY, 0x10000, 8 * MB),)).pack(),
            "partition 0 invalid - offset 0x10000 size 0x800000 exceeds flash chip size 0x800000",
        ),
    ],
)
def test_a_bad_table_ends_the_boot(table: bytes, words: str) -> None:
    """In three lines; the cause comes first."""
    flash = FlashChip(8 * MB)
    flash.program(0x8000, table.ljust(0xC00, b"\0") if len(table) < 0xC00 else table)
    found = run(flash)
    assert texts(found)[-3:] == [
        f"E flash_parts: {words}",
        "E boot: Failed to verify partition table",
        "E boot: load partition table error!",
    ]
    assert (found.app, found.failure) == (None, words)


def test_a_table_is_held_to_the_chip() -> None:
    """Also where the header promises a larger one."""
    flash = flash_with((Partition("far", APP, FACTORY, 9 * MB, MB),))
    found = second_stage(flash, bootloader(flash_mb=16).header, BootloaderDescription(), ChipIdentity())
    assert found.failure.endswith("exceeds flash chip size 0x800000")


def test_nothing_bootable_is_said_of_each_partition() -> None:
    """Then of all."""
    found = run(flash_with((*OTA, FACTORY_PART)))
    assert texts(found)[-8:] == [
        "I boot: Defaulting to factory image",
        "E esp_image: image at 0x10000 has invalid magic byte (nothing flashed here?)",
        "E boot: Factory app partition is not bootable",
        "E esp_image: image at 0x20000 has invalid magic byte (nothing flashed here?)",
        "E boot: OTA app partition slot 0 is not bootable",
        "E esp_image: image at 0x30000 has invalid magic byte (nothing flashed here?)",
        "E boot: OTA app partition slot 1 is not bootable",
        "E boot: No bootable app partitions in the partition table",
    ]
    assert found.failure == "image at 0x10000 has invalid magic byte (nothing flashed here?)"


ALL = (FACTORY_AT, SLOT_0, SLOT_1)


@pytest.mark.parametrize(
    ("choices", "apps", "expected"),
    [
        ((), ALL, "at-10000"),
        ((OtaChoice(1),), ALL, "at-20000"),
        ((OtaChoice(1), OtaChoice(2)), ALL, "at-30000"),
        ((OtaChoice(3), OtaChoice(2)), ALL, "at-20000"),
        ((OtaChoice(2, crc=1),), ALL, "at-10000"),
        ((OtaChoice(2), None), (FACTORY_AT, SLOT_0), "at-20000"),
        ((OtaChoice(1), None), (SLOT_1,), "at-30000"),
        ((OtaChoice(1), None), (FACTORY_AT, SLOT_1), "at-10000"),
    ],
)
def test_the_valid_choice_of_the_higher_sequence_boots(
    choices: tuple[OtaChoice | None, ...], apps: tuple[int, ...], expected: str
) -> None:
    """Down to the factory from there where it does not load, then up."""
    flash = flash_with((*OTA, FACTORY_PART), *apps)
    choose(flash, *choices)
    assert booted(flash) == expected


def test_a_first_boot_without_factory_notes_its_slot() -> None:
    """In the OTA data, once."""
    flash = flash_with(OTA, SLOT_1)
    assert booted(flash) == "at-30000"
    assert OtaChoice.parse(flash.read(OTA_DATA_AT, 32)) == OtaChoice(2, 2, crc=OtaChoice.parse(OtaChoice(2).pack()).crc)
    assert "I boot: No factory image, trying OTA 0" not in texts(run(flash))


def test_bad_ota_data_are_said() -> None:
    """With what is done in their place."""
    flash = flash_with((*OTA, FACTORY_PART), FACTORY_AT)
    choose(flash, OtaChoice(2, crc=1))
    assert "E boot: ota data partition invalid, falling back to factory" in texts(run(flash))
    flash = flash_with(OTA, SLOT_0)
    choose(flash, OtaChoice(2, crc=1))
    assert "E boot: ota data partition invalid and no factory, will try all partitions" in texts(run(flash))
    small = flash_with((Partition("otadata", DATA, OTA_DATA, OTA_DATA_AT, 0x1000), FACTORY_PART), FACTORY_AT)
    assert "E boot: ota_info partition size 4096 is too small (minimum 8192 bytes)" in texts(run(small))


def test_the_test_application_is_the_last_resort() -> None:
    """With a warning."""
    found = run(flash_with((FACTORY_PART, TEST_PART), TEST_AT))
    assert texts(found)[-3:] == [
        "I boot: Loaded app from partition at offset 0x40000",
        "W boot: Falling back to test app as only bootable partition",
        "I boot: Disabling RNG early entropy source...",
    ]
    assert found.partition == TEST_PART


WORDS = st.integers(0, 0xFFFF_FFFF) | st.integers(0, 2047).map(lambda sector: sector * 0x1000)
PARTITIONS = st.builds(Partition, st.just("x"), st.integers(0, 2), st.integers(0, 0x20), WORDS, WORDS)


@PURE
@given(st.lists(PARTITIONS, max_size=5), st.binary(max_size=64))
def test_any_table_leads_to_an_application_or_a_failure(partitions: list[Partition], data: bytes) -> None:
    """Whatever stands where it points to."""
    flash = flash_with(tuple(partitions), FACTORY_AT)
    for each in partitions:
        if each.offset + len(data) <= flash.size and not 0x8000 - 64 < each.offset < 0x8C00:
            flash.program(each.offset, data)
    found = run(flash)
    assert (found.app is None) is bool(found.failure)
