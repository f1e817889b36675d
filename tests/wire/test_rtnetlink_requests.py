"""rtnetlink requests, read back by pyroute2, which is not ours."""

import os
import socket
from typing import Any

import pytest
from pyroute2.netlink.rtnl.ifaddrmsg import ifaddrmsg  # type: ignore[import-untyped]
from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg  # type: ignore[import-untyped]
from pyroute2.netlink.rtnl.rtmsg import rtmsg  # type: ignore[import-untyped]

from hil.wire import rtnetlink_requests as requests
from hil.wire.rtnetlink import NLMSG_ERROR, messages

ACK, REQUEST, EXCLUSIVE, CREATE, REPLACE, DUMP = 0x4, 0x1, 0x200, 0x400, 0x100, 0x300


def read(kind: Any, data: bytes) -> Any:
    """``data`` as pyroute2 understands it."""
    message = kind(data)
    message.decode()
    assert message["header"]["length"] == len(data)
    return message


@pytest.mark.parametrize("up", [True, False])
def test_a_flag_is_set_alone(up: bool) -> None:
    """IFF_UP is what changes, and nothing else."""
    message = read(ifinfmsg, requests.set_up(7, up, 3))
    assert (message["index"], message["flags"], message["change"]) == (7, int(up), 1)
    assert (message["header"]["type"], message["header"]["sequence_number"]) == (16, 3)
    assert message["header"]["flags"] == REQUEST | ACK


def test_a_move_names_the_namespace_by_its_descriptor() -> None:
    """IFLA_NET_NS_FD holds the number."""
    message = read(ifinfmsg, requests.move(7, 42))
    assert (message["index"], message.get_attr("IFLA_NET_NS_FD")) == (7, 42)


def test_a_veth_pair_has_two_names_and_a_place_for_the_peer() -> None:
    """The peer's own message lies in VETH_INFO_PEER; a pair that is there is not taken."""
    message = read(ifinfmsg, requests.new_veth("v0", "v1", 42))
    information = message.get_attr("IFLA_LINKINFO")
    peer = information.get_attr("IFLA_INFO_DATA").get_attr("VETH_INFO_PEER")
    assert message.get_attr("IFLA_IFNAME") == "v0"
    assert information.get_attr("IFLA_INFO_KIND") == "veth"
    assert (peer.get_attr("IFLA_IFNAME"), peer.get_attr("IFLA_NET_NS_FD")) == ("v1", 42)
    assert message["header"]["flags"] == REQUEST | ACK | CREATE | EXCLUSIVE


@pytest.mark.parametrize(("make", "kind"), [(requests.new_address, 20), (requests.delete_address, 21)])
def test_an_address_has_its_prefix_and_its_link(make: Any, kind: int) -> None:
    """Local and peer address are the same, as on any Ethernet."""
    message = read(ifaddrmsg, make(7, "192.168.7.2", 24))
    assert (message["family"], message["prefixlen"], message["index"]) == (socket.AF_INET, 24, 7)
    assert (message.get_attr("IFA_LOCAL"), message.get_attr("IFA_ADDRESS")) == ("192.168.7.2", "192.168.7.2")
    assert message["header"]["type"] == kind


def test_a_default_route_goes_through_the_router_by_that_link() -> None:
    """Destination 0.0.0.0/0 in the main table; one that is there is replaced."""
    message = read(rtmsg, requests.new_default_route(7, "192.168.7.1"))
    assert (message["dst_len"], message["table"], message["type"]) == (0, 254, 1)
    assert (message.get_attr("RTA_GATEWAY"), message.get_attr("RTA_OIF")) == ("192.168.7.1", 7)
    assert message["header"]["flags"] == REQUEST | ACK | CREATE | REPLACE


@pytest.mark.parametrize(("make", "kind"), [(requests.dump_links, 18), (requests.dump_addresses, 22)])
def test_a_dump_asks_for_everything(make: Any, kind: int) -> None:
    """NLM_F_DUMP, and no acknowledgement beside it."""
    message = next(messages(make(9)))
    assert (message.kind, message.sequence) == (kind, 9)
    assert int.from_bytes(make(9)[6:8], "little") == REQUEST | DUMP


def test_the_kernel_understands_a_removal() -> None:
    """The kernel of this machine answers that there is no such link, by its errno."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as route:
        route.settimeout(2.0)
        route.send(requests.delete_link(0x7FFFFFF0, 5))
        (answer,) = messages(route.recv(4096))
    assert (answer.kind, answer.sequence) == (NLMSG_ERROR, 5)
    assert os.strerror(answer.error) in ("No such device", "Operation not permitted")
