"""Text of addresses."""

import ipaddress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.errors import WireError
from hil.wire import addresses

PURE = settings(deadline=None, derandomize=True, database=None, max_examples=60)


@PURE
@given(st.binary(min_size=4, max_size=4))
def test_four_bytes_become_the_text_that_ipaddress_makes_of_them(data: bytes) -> None:
    """IPv4 text agrees with the standard library in both directions."""
    text = addresses.ipv4_text(data)
    assert text == str(ipaddress.IPv4Address(data))
    assert addresses.ipv4_bytes(text) == data


@PURE
@given(st.binary(min_size=6, max_size=6))
def test_a_mac_survives_text_and_back(data: bytes) -> None:
    """MAC text is lower case and reads back, upper case and dashes included."""
    text = addresses.mac_text(data)
    assert addresses.mac_bytes(text) == addresses.mac_bytes(text.upper().replace(":", "-")) == data


@PURE
@given(st.text("0123456789.x\u0663 +-", max_size=16))
def test_text_is_an_address_only_where_ipaddress_says_so(text: str) -> None:
    """Any other text raises WireError and nothing else."""
    try:
        wanted = ipaddress.IPv4Address(text).packed
    except ValueError:
        with pytest.raises(WireError, match="IPv4 address"):
            addresses.ipv4_bytes(text)
    else:
        assert addresses.ipv4_bytes(text) == wanted


@pytest.mark.parametrize("text", ["", "02:02:11:22:33", "02:02:11:22:33:0g", "0202:11:22:33:02", "02:02:11:22:33:+1"])
def test_text_that_is_no_mac_is_refused(text: str) -> None:
    """The message shows the text and an example."""
    with pytest.raises(WireError, match=r"expected six pairs .* '02:02:11:22:33:02'"):
        addresses.mac_bytes(text)


@pytest.mark.parametrize("length", [0, 3, 5, 7])
def test_a_wrong_number_of_bytes_is_refused(length: int) -> None:
    """Neither kind of address has any of these lengths."""
    with pytest.raises(WireError, match=f"{length} bytes"):
        addresses.mac_text(bytes(length))
    with pytest.raises(WireError, match=f"{length} bytes"):
        addresses.ipv4_text(bytes(length))
