"""What a DHCPACK grants."""

import pytest

from hil.clock import to_ns
from hil.personas.lease import Lease, elsewhere, granted, subnet
from hil.testing.fake_net import BOARD_IP, BOARD_MAC, HOST_MAC, LEASED
from hil.wire import dhcp
from hil.wire.addresses import ipv4_bytes


def ack(address: str = LEASED, **options: int | str) -> dhcp.DhcpMessage:
    """An ACK with options by name: numbers are seconds, texts addresses."""
    values = {
        getattr(dhcp, f"OPTION_{name.upper()}"): value.to_bytes(4, "big")
        if isinstance(value, int)
        else ipv4_bytes(value)
        for name, value in options.items()
    }
    return dhcp.DhcpMessage(op=dhcp.BOOTREPLY, xid=1, chaddr=HOST_MAC, yiaddr=address, options=tuple(values.items()))


def test_everything_comes_from_the_ack() -> None:
    """Address, server, prefix, router and the three times."""
    options = {"server_id": BOARD_IP, "subnet_mask": "255.255.255.0", "router": BOARD_IP, "lease_time": 60}
    assert granted(ack(**options), "", BOARD_MAC, 5) == Lease(
        LEASED, BOARD_IP, BOARD_MAC, 24, BOARD_IP, 60, 5 + to_ns(30), 5 + to_ns(52.5), 5 + to_ns(60)
    )


def test_what_the_ack_leaves_out_is_known_from_elsewhere() -> None:
    """The server from the OFFER, the mask from the address's class, an hour as its time."""
    lease = granted(ack(), BOARD_IP, BOARD_MAC, 0)
    assert (lease.server, lease.prefix, lease.router, lease.lease_s) == (BOARD_IP, 24, "", 3600)


def test_a_router_that_cannot_be_reached_is_left_out() -> None:
    """The kernel would refuse the route, and the address is of use without it."""
    assert granted(ack(subnet_mask="255.255.255.0", router="192.168.8.254"), "", BOARD_MAC, 0).router == ""


@pytest.mark.parametrize(
    ("renewal", "rebinding", "times_s"),
    [(10, 20, (10, 20)), (20, 10, (30, 52.5)), (10, 60, (30, 52.5)), (70, 80, (30, 52.5)), (10, 0, (10, 52.5))],
)
def test_t1_and_t2_are_the_servers_where_they_make_sense(
    renewal: int, rebinding: int, times_s: tuple[float, float]
) -> None:
    """T1 before T2 before the end, else half and seven eighths."""
    message = ack(lease_time=60, renewal_time=renewal, rebinding_time=rebinding)
    lease = granted(message, "", BOARD_MAC, 0)
    assert (lease.renew_at_ns, lease.rebind_at_ns) == tuple(map(to_ns, times_s))


@pytest.mark.parametrize(
    ("address", "network"),
    [("10.1.2.3", "10.0.0.0/8"), ("172.16.1.2", "172.16.0.0/16"), ("192.168.7.2", "192.168.7.0/24")],
)
def test_a_missing_mask_is_that_of_the_class(address: str, network: str) -> None:
    """RFC 791 section 3.2."""
    assert str(subnet(ack(address))) == network


def test_an_address_from_elsewhere_is_a_lease_of_nobody_here() -> None:
    """With the mask of its class, for an hour."""
    lease = elsewhere("10.20.30.40", 5)
    assert (lease.address, lease.server, lease.prefix, lease.expires_at_ns) == ("10.20.30.40", "", 8, 5 + to_ns(3600))
