"""ICMP echo."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.errors import WireError
from hil.wire.icmp import IcmpEcho, is_echo

PURE = settings(deadline=None, derandomize=True, database=None, max_examples=80)
ECHOES = st.builds(IcmpEcho, st.booleans(), st.integers(0, 0xFFFF), st.integers(0, 0xFFFF), st.binary(max_size=70))


@PURE
@given(ECHOES)
def test_an_echo_survives_the_round_trip(echo: IcmpEcho) -> None:
    """Odd payloads included."""
    assert IcmpEcho.parse(echo.pack()) == echo
    assert is_echo(echo.pack())


@PURE
@given(st.one_of(st.binary(max_size=30), ECHOES.map(IcmpEcho.pack)), st.integers(0, 30))
def test_any_bytes_are_an_echo_or_a_wire_error(data: bytes, cut: int) -> None:
    """Random bytes and cut messages raise nothing but WireError."""
    try:
        IcmpEcho.parse(data[:cut])
    except WireError:
        return


@pytest.mark.parametrize("kind", [3, 5, 11])
def test_other_messages_are_no_echo(kind: int) -> None:
    """Unreachable, redirect and time exceeded are refused by type."""
    data = bytes([kind]) + IcmpEcho(False, 1, 2, b"").pack()[1:]
    assert not is_echo(data)
    with pytest.raises(WireError, match=f"type {kind} code 0"):
        IcmpEcho.parse(data)


def test_a_wrong_checksum_is_refused() -> None:
    """One flipped bit in the payload is enough."""
    data = bytearray(IcmpEcho(True, 1, 2, b"payload").pack())
    data[-1] ^= 1
    with pytest.raises(WireError, match="ICMP checksum"):
        IcmpEcho.parse(bytes(data))


@pytest.mark.slow
def test_scapy_makes_the_same_bytes() -> None:
    """Request and reply, with checksum."""
    from scapy.layers.inet import ICMP

    assert bytes(ICMP(type=8, id=5, seq=6) / b"abc") == IcmpEcho(False, 5, 6, b"abc").pack()
    assert bytes(ICMP(type=0, id=5, seq=6) / b"abc") == IcmpEcho(True, 5, 6, b"abc").pack()
