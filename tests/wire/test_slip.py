"""SLIP framing."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.errors import WireError
from hil.wire.slip import SlipReader, decode, encode

PURE = settings(deadline=None, derandomize=True, database=None, max_examples=100)
AWKWARD = st.lists(st.sampled_from([b"\xc0", b"\xdb", b"\xdc", b"\xdd", b"a", b"\x00"]), max_size=40).map(b"".join)
PAYLOADS = AWKWARD | st.binary(max_size=80)


@PURE
@given(PAYLOADS)
def test_a_payload_survives_the_round_trip(payload: bytes) -> None:
    """Delimiters and escapes inside a payload come back as they were."""
    packet = encode(payload)
    assert packet[:1] == packet[-1:] == b"\xc0"
    assert b"\xc0" not in packet[1:-1]
    assert decode(packet[1:-1]) == payload


@PURE
@given(st.lists(PAYLOADS.filter(bool), max_size=5), st.data())
def test_chunks_make_no_difference(payloads: list[bytes], data: st.DataObject) -> None:
    """However the stream is cut, every payload comes once and in order."""
    stream = b"".join(encode(payload) for payload in payloads)
    reader = SlipReader(500)
    found = []
    while stream:
        cut = data.draw(st.integers(1, len(stream)))
        found += reader.feed(stream[:cut])
        stream = stream[cut:]
    assert found == payloads
    assert reader.dropped == 0


@PURE
@given(AWKWARD | st.binary(max_size=200))
def test_any_bytes_are_read_or_dropped(data: bytes) -> None:
    """Nothing leaves the reader but payloads, and one of two packets after the noise is read."""
    reader = SlipReader(50)
    reader.feed(data)
    assert b"after" in [*reader.feed(encode(b"after")), *reader.feed(encode(b"after"))]


@PURE
@given(AWKWARD)
def test_a_body_is_a_payload_or_a_wire_error(body: bytes) -> None:
    """What decodes encodes to the same bytes."""
    try:
        payload = decode(body)
    except WireError:
        return
    assert encode(payload)[1:-1] == body


def test_text_before_a_packet_is_not_one() -> None:
    """A boot log precedes the answer of a loader."""
    assert SlipReader(50).feed(b"waiting for download\r\n" + encode(b"x")) == [b"x"]


def test_packets_may_share_or_double_their_delimiter() -> None:
    """The loaders send two between packets; empty packets are none."""
    assert SlipReader(50).feed(b"\xc0a\xc0\xc0b\xc0\xc0\xc0\xc0c\xc0") == [b"a", b"b", b"c"]


@pytest.mark.parametrize("body", [b"a\xdb", b"a\xdbb", b"\xdb\xdb\xdc"])
def test_a_bad_escape_costs_its_packet_alone(body: bytes) -> None:
    """The next packet is read."""
    reader = SlipReader(50)
    assert reader.feed(b"\xc0" + body + b"\xc0" + encode(b"next")) == [b"next"]
    assert reader.dropped == 1
    with pytest.raises(WireError, match="escape at offset"):
        decode(body)


def test_a_packet_over_the_limit_is_dropped_whatever_its_chunks() -> None:
    """Its memory is given back while it comes, and the next packet is read."""
    reader = SlipReader(4)
    for _ in range(100):
        assert reader.feed(b"\xc0" if _ == 0 else b"xyz") == []
    assert reader.feed(b"\xc0" + encode(b"1234") + encode(b"12345")) == [b"1234"]
    assert reader.dropped == 2


def test_a_limit_of_nothing_is_refused() -> None:
    """No packet would ever be read."""
    with pytest.raises(WireError, match="limit 0"):
        SlipReader(0)
