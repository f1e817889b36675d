"""Fixed fields."""

import pytest

from hil.errors import WireError
from hil.wire.layout import Layout, exactly

PAIR = Layout("pair", ">BH")


def test_fields_survive_the_round_trip() -> None:
    """What is packed is unpacked, at an offset too."""
    assert PAIR.size == 3
    assert PAIR.unpack(b"\xee" + PAIR.pack(1, 0x0203), 1) == (1, 0x0203)


@pytest.mark.parametrize("values", [(256, 0), (-1, 0), (0, 65536), (0,), ("a", 0), (1.5, 0)])
def test_a_value_that_does_not_fit_is_named(values: tuple[object, ...]) -> None:
    """WireError, with the name of the fields, instead of struct.error."""
    with pytest.raises(WireError, match=r"^pair: "):
        PAIR.pack(*values)


@pytest.mark.parametrize(("data", "offset"), [(b"", 0), (b"ab", 0), (b"abc", 1), (b"abc", -1), (b"abc", 99)])
def test_fields_that_are_not_all_there_are_refused(data: bytes, offset: int) -> None:
    """Short data and offsets outside of it, negative ones included."""
    with pytest.raises(WireError, match="3 bytes needed"):
        PAIR.unpack(data, offset)


def test_exactly_lets_only_the_length_through() -> None:
    """Longer is as wrong as shorter."""
    assert exactly("thing", b"ab", 2) == b"ab"
    with pytest.raises(WireError, match="thing: 3 bytes, expected 2"):
        exactly("thing", b"abc", 2)
