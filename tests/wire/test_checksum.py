"""The Internet checksum."""

from hypothesis import given, settings
from hypothesis import strategies as st

from hil.wire.checksum import internet_checksum, pseudo_header

PURE = settings(deadline=None, derandomize=True, database=None, max_examples=100)


def word_by_word(data: bytes) -> int:
    """RFC 1071 as its section 4.1 spells it."""
    total = sum(int.from_bytes(data[at : at + 2].ljust(2, b"\0"), "big") for at in range(0, len(data), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def test_the_example_of_the_rfc_comes_out() -> None:
    """RFC 1071 section 3: the words 0001 f203 f4f5 f6f7 sum to ddf2."""
    assert internet_checksum(bytes.fromhex("0001f203f4f5f6f7")) == 0xDDF2 ^ 0xFFFF


@PURE
@given(st.one_of(st.binary(max_size=200), st.sampled_from([b"\xff" * 8, b"\0" * 6, b"\xff\xff", b""])))
def test_any_bytes_sum_as_the_rfc_adds_them(data: bytes) -> None:
    """The closed form agrees with the loop of the RFC, all-ones and empty runs included."""
    assert internet_checksum(data) == word_by_word(data)


def test_a_pseudo_header_is_twelve_bytes() -> None:
    """Addresses, zero, protocol and length, as RFC 768 draws them."""
    made = pseudo_header(b"\x01\x02\x03\x04", b"\x05\x06\x07\x08", 17, 0x1234)
    assert made == bytes.fromhex("01020304 05060708 00 11 1234")
