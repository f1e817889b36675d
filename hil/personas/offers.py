"""Which of several DHCPOFFERs a client asks for, and when."""

import ipaddress

from hil.clock import to_ns
from hil.personas.client_profile import ClientProfile
from hil.wire import dhcp

_PUBLIC, _PRIVATE, _LINK_LOCAL = 1000, 100, 0
_PRIVATE_NETWORKS = tuple(map(ipaddress.IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))
"""RFC 1918."""


class Offers:
    """The OFFERs to one DISCOVER.

    Args:
        profile: how long it collects them, and whether it rates them.
    """

    def __init__(self, profile: ClientProfile) -> None:
        self.chosen: dhcp.DhcpMessage | None = None
        self._profile = profile
        self._until_ns = 0

    def forget(self) -> None:
        """Another DISCOVER is sent."""
        self.chosen = None

    def take(self, offer: dhcp.DhcpMessage, now_ns: int) -> int:
        """One more OFFER; when the chosen one is to be asked for, in nanoseconds."""
        profile = self._profile
        if self.chosen is None:
            self._until_ns = now_ns + to_ns(profile.gather_s)
        elif not profile.rates_offers or _rating(offer, profile.requested) <= _rating(self.chosen, profile.requested):
            return self._until_ns
        self.chosen = offer
        if profile.rates_offers and _rating(offer, profile.requested) == _PUBLIC + len(profile.requested):
            self._until_ns = now_ns
        return self._until_ns


def _rating(offer: dhcp.DhcpMessage, requested: tuple[int, ...]) -> int:
    """bootp-494.60.3, IPConfiguration.bproj/dhcp.c, dhcp_init() and get_rating_for_ip_address(): the requested options
    that the OFFER has, and 1000 for a public address, 100 for a private one, 0 for a link-local one."""
    address = ipaddress.IPv4Address(offer.yiaddr)
    private = any(address in network for network in _PRIVATE_NETWORKS)
    kind = _LINK_LOCAL if address.is_link_local else _PRIVATE if private else _PUBLIC
    return kind + sum(offer.option(code) is not None for code in requested)
