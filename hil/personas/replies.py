"""Whether a client believes a DHCP reply, and what is wrong about it.

A reply that is wrong is not always ignored: hosts check little. What is taken all the same is doubted too, so that the
timeline says what the board got wrong before it says what came of it.
"""

import ipaddress
from dataclasses import dataclass
from typing import Final

from hil.personas.client_profile import ClientProfile
from hil.personas.commands import Doubted
from hil.personas.lease import subnet
from hil.personas.states import REBINDING
from hil.wire import dhcp

REASONS: Final = {
    "no-address": "yiaddr is 0.0.0.0",
    "unusable-address": "the address is a loopback, multicast, reserved or broadcast address",
    "no-server": "the server identifier (option 54) is missing",
    "no-lease-time": "the lease time (option 51) is missing or 0",
    "no-mask": "the subnet mask (option 1) is missing",
    "broken-mask": "the ones of the subnet mask are not in one piece",
    "network-address": "the address is the first or the last of its subnet",
    "server-address": "the address is the server's own",
    "server-outside-subnet": "the server is not in the subnet of the address",
    "router-outside-subnet": "the router (option 3) is not in the subnet of the address",
    "other-server": "the reply comes from another server than the one that was asked",
    "other-address": "the reply grants another address than the one that was asked for",
    "other-exchange": "the transaction id is not that of the exchange",
    "other-client": "the hardware address is not the client's",
}
TAKE, IGNORE, RESTART = "take", "ignore", "restart"
OFFER, ACK, NAK = "OFFER", "ACK", "NAK"


@dataclass(frozen=True, slots=True)
class Expected:
    """What a client expects of a reply."""

    state: str
    server: str
    """Identifier of the server it deals with, '' where it deals with none yet."""
    address: str
    """The address it asked for or has, '' for none."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a client does with a reply."""

    action: str
    """:data:`TAKE`, :data:`IGNORE` or :data:`RESTART`."""
    reasons: tuple[str, ...] = ()
    """Keys of :data:`REASONS`; those that :data:`IGNORE` rests on, else everything that is wrong."""


def judge(profile: ClientProfile, expected: Expected, kind: str, reply: dhcp.DhcpMessage) -> Verdict:
    """What the client makes of ``reply``, which is of the right client and exchange.

    Args:
        profile: of the client.
        expected: what it waits for.
        kind: OFFER, ACK or NAK.
        reply: the message.
    """
    if kind == NAK:
        return _judge_nak(profile, expected, reply)
    unusable = _unusable(reply.yiaddr)
    if unusable:
        return Verdict(IGNORE, (unusable,))
    wrong = _missing(reply) + (_deviating(expected, reply) if kind == ACK else ())
    ignored = _ignored_ack(profile, expected) if kind == ACK else _ignored_offer(profile)
    fatal = tuple(reason for reason in wrong if reason in ignored)
    if fatal:
        return Verdict(IGNORE, fatal)
    restarts = "other-address" in wrong and expected.state in profile.ack.other_address_restarts_in
    return Verdict(RESTART if restarts else TAKE, wrong + _inconsistent(reply))


def server_of(reply: dhcp.DhcpMessage) -> str:
    """Option 54, or ''."""
    return reply.address_option(dhcp.OPTION_SERVER_ID) or ""


def doubted(kind: str, reason: str, taken: bool, reply: dhcp.DhcpMessage) -> Doubted:
    """The command that tells one reason."""
    return Doubted(kind, reason, taken, reply.yiaddr, server_of(reply))


def foreign(reply: dhcp.DhcpMessage, mac: str, xid: int) -> str:
    """What is wrong with a reply that is not of the client ``mac`` and its exchange; '' where it is neither's."""
    if reply.chaddr == mac:
        return "other-exchange"
    return "other-client" if reply.xid == xid else ""


def _judge_nak(profile: ClientProfile, expected: Expected, reply: dhcp.DhcpMessage) -> Verdict:
    server = server_of(reply)
    checked = expected.state in profile.nak.checked_in
    if not server:
        return Verdict(IGNORE if checked else TAKE, ("no-server",))
    if expected.server and server != expected.server:
        return Verdict(IGNORE if checked else TAKE, ("other-server",))
    return Verdict(TAKE)


def _ignored_offer(profile: ClientProfile) -> set[str]:
    reasons = {
        dhcp.OPTION_SERVER_ID: "no-server",
        dhcp.OPTION_LEASE_TIME: "no-lease-time",
        dhcp.OPTION_SUBNET_MASK: "no-mask",
    }
    return {reasons[code] for code in profile.offer_needs if code in reasons}


def _ignored_ack(profile: ClientProfile, expected: Expected) -> set[str]:
    rule = profile.ack
    applies = {
        "no-server": expected.state in rule.needs_server_in,
        "no-lease-time": rule.needs_lease_time,
        "other-server": expected.state in rule.other_server_ignored_in,
        "other-address": expected.state in rule.other_address_ignored_in,
    }
    return {reason for reason, ignored in applies.items() if ignored}


def _unusable(address: str) -> str:
    parsed = ipaddress.IPv4Address(address)
    if parsed.is_unspecified:
        return "no-address"
    return "unusable-address" if parsed.is_loopback or parsed.is_multicast or parsed.is_reserved else ""


def _missing(reply: dhcp.DhcpMessage) -> tuple[str, ...]:
    there = {
        "no-server": server_of(reply),
        "no-lease-time": reply.u32_option(dhcp.OPTION_LEASE_TIME),
        "no-mask": reply.option(dhcp.OPTION_SUBNET_MASK),
    }
    return tuple(reason for reason, value in there.items() if not value)


def _deviating(expected: Expected, reply: dhcp.DhcpMessage) -> tuple[str, ...]:
    server = server_of(reply)
    other_server = bool(server and expected.server) and server != expected.server and expected.state != REBINDING
    other_address = bool(expected.address) and reply.yiaddr != expected.address
    return ("other-server",) * other_server + ("other-address",) * other_address


def _inconsistent(reply: dhcp.DhcpMessage) -> tuple[str, ...]:
    """What of the reply contradicts the rest of it."""
    network = subnet(reply)
    address = ipaddress.IPv4Address(reply.yiaddr)
    server = server_of(reply)
    router = reply.address_option(dhcp.OPTION_ROUTER) or ""
    edges = (network.network_address, network.broadcast_address) if network.prefixlen < 31 else ()
    wrong = {
        "broken-mask": reply.address_option(dhcp.OPTION_SUBNET_MASK) not in (None, str(network.netmask)),
        "network-address": address in edges,
        "server-address": reply.yiaddr == server,
        "server-outside-subnet": bool(server) and ipaddress.IPv4Address(server) not in network,
        "router-outside-subnet": bool(router) and ipaddress.IPv4Address(router) not in network,
    }
    return tuple(reason for reason, is_so in wrong.items() if is_so)
