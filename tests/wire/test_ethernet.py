"""Ethernet frames."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.errors import WireError
from hil.wire.addresses import mac_text
from hil.wire.ethernet import BROADCAST, ETHERTYPE_ARP, EthernetFrame

PURE = settings(deadline=None, derandomize=True, database=None, max_examples=60)
MACS = st.binary(min_size=6, max_size=6).map(mac_text)


@PURE
@given(st.builds(EthernetFrame, MACS, MACS, st.integers(0, 0xFFFF), st.binary(max_size=64)))
def test_a_frame_survives_the_round_trip(frame: EthernetFrame) -> None:
    """Nothing is padded and nothing is lost."""
    assert EthernetFrame.parse(frame.pack()) == frame


@PURE
@given(st.binary(max_size=40))
def test_any_bytes_are_a_frame_or_a_wire_error(data: bytes) -> None:
    """Fourteen bytes and more are a frame that packs to the same bytes; less is refused."""
    if len(data) >= 14:
        assert EthernetFrame.parse(data).pack() == data
    else:
        with pytest.raises(WireError, match="Ethernet header"):
            EthernetFrame.parse(data)


def test_the_destination_comes_first() -> None:
    """Field order on the wire: destination, source, type."""
    frame = EthernetFrame(dst=BROADCAST, src="02:02:11:22:33:02", ethertype=ETHERTYPE_ARP, payload=b"x")
    assert frame.pack() == bytes.fromhex("ffffffffffff 020211223302 0806") + b"x"


def test_an_ethertype_over_16_bits_is_refused() -> None:
    """pack raises WireError, too."""
    with pytest.raises(WireError, match="does not fit"):
        EthernetFrame(BROADCAST, BROADCAST, 0x10000, b"").pack()
