"""What a DHCPACK grants."""

import ipaddress
from dataclasses import dataclass

from hil.clock import to_ns
from hil.wire import dhcp
from hil.wire.ethernet import BROADCAST

DEFAULT_LEASE_S = 3600
"""For an ACK without option 51."""


@dataclass(frozen=True, slots=True)
class Lease:
    """An address, and until when."""

    address: str
    server: str
    """Option 54, else that of the OFFER, or ''."""
    server_mac: str
    prefix: int
    router: str
    """Option 3 where it lies in the subnet, else ''."""
    lease_s: int
    renew_at_ns: int
    rebind_at_ns: int
    expires_at_ns: int


def granted(ack: dhcp.DhcpMessage, server: str, server_mac: str, now_ns: int) -> Lease:
    """The lease that ``ack`` grants from ``now_ns`` on; ``server`` is who it is from where it does not say so."""
    lease_s = ack.u32_option(dhcp.OPTION_LEASE_TIME) or DEFAULT_LEASE_S
    renew_s, rebind_s = _t1_t2(ack, lease_s)
    network = subnet(ack)
    router = ack.address_option(dhcp.OPTION_ROUTER) or ""
    return Lease(
        address=ack.yiaddr,
        server=ack.address_option(dhcp.OPTION_SERVER_ID) or server,
        server_mac=server_mac,
        prefix=network.prefixlen,
        router=router if router and ipaddress.IPv4Address(router) in network else "",
        lease_s=lease_s,
        renew_at_ns=now_ns + to_ns(renew_s),
        rebind_at_ns=now_ns + to_ns(rebind_s),
        expires_at_ns=now_ns + to_ns(lease_s),
    )


def elsewhere(address: str, now_ns: int) -> Lease:
    """The lease of ``address`` that another network has given, by a server that is not here."""
    end_ns = now_ns + to_ns(DEFAULT_LEASE_S)
    return Lease(address, "", BROADCAST, _class_prefix(address), "", DEFAULT_LEASE_S, end_ns, end_ns, end_ns)


def subnet(reply: dhcp.DhcpMessage) -> ipaddress.IPv4Network:
    """The network of the address in ``reply``, by option 1, else by its class (RFC 791 section 3.2)."""
    mask = reply.address_option(dhcp.OPTION_SUBNET_MASK)
    prefix = sum(int(part).bit_count() for part in mask.split(".")) if mask else _class_prefix(reply.yiaddr)
    return ipaddress.IPv4Network(f"{reply.yiaddr}/{prefix}", strict=False)


def _class_prefix(address: str) -> int:
    first = int(address.split(".", 1)[0])
    if first < 128:
        return 8
    return 16 if first < 192 else 24


def _t1_t2(ack: dhcp.DhcpMessage, lease_s: int) -> tuple[float, float]:
    """RFC 2131 section 4.4.5: half and seven eighths of the lease, unless the server says something sensible."""
    renew_s = ack.u32_option(dhcp.OPTION_RENEWAL_TIME) or lease_s / 2
    rebind_s = ack.u32_option(dhcp.OPTION_REBINDING_TIME) or lease_s * 7 / 8
    if renew_s < rebind_s < lease_s:
        return renew_s, rebind_s
    return lease_s / 2, lease_s * 7 / 8
