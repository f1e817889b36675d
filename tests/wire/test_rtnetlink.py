"""rtnetlink parsing."""

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.errors import WireError
from hil.wire import rtnetlink, rtnetlink_requests


def test_loopback_is_found_in_a_dump_of_the_running_kernel() -> None:
    """The kernel of this machine reports lo as a loopback link with the all-zero address."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as route:
        route.settimeout(2.0)
        route.bind((0, 0))
        route.send(rtnetlink_requests.dump_links())
        links = [item for item in rtnetlink.parse(route.recv(1 << 20)) if isinstance(item, rtnetlink.Link)]
    (loopback,) = [link for link in links if link.name == "lo"]
    assert loopback.loopback
    assert loopback.mac == "00:00:00:00:00:00"


def test_a_length_past_the_end_is_refused() -> None:
    """A message that claims more bytes than there are is named with both numbers."""
    with pytest.raises(WireError, match=r"says 32 bytes; 16 are there"):
        rtnetlink.parse((32).to_bytes(4, "little") + bytes(12))


@given(st.binary(max_size=200))
def test_only_wire_error_escapes(data: bytes) -> None:
    """Any bytes either parse or raise WireError."""
    try:
        rtnetlink.parse(data)
    except WireError:
        return


@given(st.binary(max_size=120))
def test_any_body_of_a_link_message_is_survived(body: bytes) -> None:
    """A well-formed header around any body parses or raises WireError."""
    header = (16 + len(body)).to_bytes(4, "little") + (16).to_bytes(2, "little") + bytes(10)
    try:
        parsed = rtnetlink.parse(header + body)
    except WireError:
        return
    assert all(isinstance(item, rtnetlink.Link) for item in parsed)
