"""What the eFuses of a chip say."""

import pytest

from hil.errors import VirtualBoardError
from hil.virtual.rom.identity import ChipIdentity


def test_the_mac_fills_the_first_words_of_block_1() -> None:
    """Its last four octets are the first word, its first two the low half of the second."""
    words = ChipIdentity(mac="f4:12:fa:01:02:03").efuse_words()
    assert (words[0x6000_7044], words[0x6000_7048]) == (0xFA010203, 0xF412)


def test_revision_and_packages_stand_in_their_bits() -> None:
    """Minor revision 20:18 and its high bit 23, major 25:24, flash 29:27, PSRAM 4:3 and its high bit 19."""
    words = ChipIdentity(revision=(1, 9), flash_in_package=2, psram_in_package=4, efuse_revision=(1, 3)).efuse_words()
    assert words[0x6000_7050] == 1 << 18 | 3 << 24 | 2 << 27
    assert words[0x6000_7058] == 1 << 19 | 1 << 23 | 1 << 24
    assert words[0x6000_706C] == 1


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("revision", (4, 0), "revision is 4.0; at most 3.15"),
        ("efuse_revision", (1, 8), "efuse_revision is 1.8; at most 3.7"),
        ("package", 8, "package is 8"),
        ("psram_vendor", 4, "psram_vendor is 4"),
    ],
)
def test_what_the_bits_cannot_hold_is_refused(field: str, value: object, words: str) -> None:
    """With the value and the limit."""
    with pytest.raises(VirtualBoardError, match=words):
        ChipIdentity(**{field: value})  # type: ignore[arg-type]


def test_secure_boot_and_another_number_are_told() -> None:
    """By the eFuse that esptool reads, and by GET_SECURITY_INFO."""
    burnt = ChipIdentity(secure_boot=True, number=5)
    assert burnt.efuse_words()[0x6000_7038] == 1 << 20
    assert (burnt.security.flags, burnt.security.chip_id) == (1, 5)
    assert 0x6000_7038 not in ChipIdentity().efuse_words()
