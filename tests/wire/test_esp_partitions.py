"""Partition tables."""

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.errors import WireError
from hil.wire.esp_partitions import APP, DATA, FACTORY, NVS, OTA_0, OtaChoice, Partition, PartitionTable

PURE = settings(deadline=None, derandomize=True, database=None, max_examples=60)
WORDS = st.integers(0, 0xFFFF_FFFF)
LABELS = st.text(st.characters(codec="ascii", exclude_characters="\0"), max_size=16)
PARTITIONS = st.builds(Partition, LABELS, st.integers(0, 255), st.integers(0, 255), WORDS, WORDS, WORDS)
TABLE = PartitionTable(
    (Partition("nvs", DATA, NVS, 0x9000, 0x6000), Partition("factory", APP, FACTORY, 0x10000, 0x177000))
)


@PURE
@given(st.lists(PARTITIONS, max_size=6))
def test_a_table_survives_the_round_trip(partitions: list[Partition]) -> None:
    """In the order of its entries."""
    table = PartitionTable(tuple(partitions))
    assert len(table.pack()) == 0xC00
    assert PartitionTable.parse(table.pack()) == table


@PURE
@given(st.binary(max_size=200))
def test_any_bytes_are_a_value_or_a_wire_error(data: bytes) -> None:
    """Also behind a good magic."""
    for parse in (PartitionTable.parse, Partition.parse, OtaChoice.parse):
        for start in (b"", b"\xaa\x50", b"\xeb\xeb", b"\xff\xff\xff\xff"):
            try:
                parse(start + data)
            except WireError:
                continue


def test_an_entry_has_its_fields_where_the_boot_loader_looks() -> None:
    """esp_partition_info_t, and the MD5 after the entries."""
    packed = TABLE.pack()
    assert packed[32:64] == bytes.fromhex("aa50 00 00 00000100 00701700") + b"factory".ljust(16, b"\0") + bytes(4)
    assert packed[64:96] == b"\xeb\xeb" + b"\xff" * 14 + hashlib.md5(packed[:64]).digest()
    assert packed[96:] == b"\xff" * (0xC00 - 96)


def test_a_table_without_md5_is_read() -> None:
    """CONFIG_PARTITION_TABLE_MD5 can be off."""
    packed = TABLE.pack()[:64] + b"\xff" * 32
    assert PartitionTable.parse(packed) == TABLE


@pytest.mark.parametrize(
    ("packed", "words"),
    [
        (TABLE.pack()[:8] + b"\1" + TABLE.pack()[9:], "Incorrect MD5 checksum"),
        (b"\x12\x34" + TABLE.pack()[2:], "partition 0 invalid magic number 0x3412"),
        (TABLE.pack()[:96] + TABLE.pack()[64:96] + b"\xff" * 32, "Only one MD5"),
        (TABLE.pack()[:64], "no terminating entry"),
        (b"", "no terminating entry"),
    ],
)
def test_a_bad_table_is_named_as_the_boot_loader_names_it(packed: bytes, words: str) -> None:
    """The words of flash_partitions.c."""
    with pytest.raises(WireError, match=words):
        PartitionTable.parse(packed)


def test_the_last_partition_of_a_type_counts() -> None:
    """As in bootloader_utility_load_partition_table."""
    first, second = Partition("a", APP, OTA_0 + 1, 0x10000, 1), Partition("b", APP, OTA_0 + 1, 0x20000, 1)
    assert PartitionTable((first, second)).find(APP, OTA_0 + 1) == second
    assert PartitionTable(()).find(APP, FACTORY) is None
    assert (first.ota_slot, TABLE.partitions[1].ota_slot) == (1, None)


def test_what_does_not_fit_is_refused() -> None:
    """Labels and tables that are too long."""
    with pytest.raises(WireError, match="label is"):
        Partition("x" * 17, DATA, NVS, 0, 0).pack()
    with pytest.raises(WireError, match="95 partitions, at most 94"):
        PartitionTable((Partition("x", DATA, NVS, 0, 0),) * 95).pack()


def test_an_ota_choice_is_valid_by_its_checksum() -> None:
    """The CRC-32 of the sequence alone; 0x4743989a for 1, as dumps of OTA data show it."""
    packed = OtaChoice(1).pack()
    assert packed[:4] == b"\x01\0\0\0"
    assert packed[28:].hex() == "9a984347"
    assert OtaChoice.parse(packed).valid
    assert not OtaChoice.parse(packed[:-1] + b"\x00").valid
    assert not OtaChoice.parse(b"\xff" * 32).valid
    assert OtaChoice.parse(b"\xff" * 32).initial
    assert not OtaChoice(1, state=3).valid
