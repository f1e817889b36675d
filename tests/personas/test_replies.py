"""Which replies a client believes, and what is wrong about them."""

import pytest

from hil.personas import LINUX
from hil.personas.client_profile import AckRule, ClientProfile, NakRule
from hil.personas.replies import IGNORE, REASONS, RESTART, TAKE, Expected, Verdict, foreign, judge
from hil.personas.states import BOUND, REBINDING, REBOOTING, RENEWING, REQUESTING, SELECTING
from hil.testing.fake_net import BOARD_IP, BOARD_MAC, HOST_MAC, LEASED, dhcp_reply
from hil.wire import dhcp

PLAIN = ClientProfile(name="plain")
ASKED = dhcp.DhcpMessage(op=dhcp.BOOTREQUEST, xid=1, chaddr=HOST_MAC)
OTHER = "192.168.7.9"


def made(kind: int, **given: object) -> dhcp.DhcpMessage:
    """A reply as it is after its journey."""
    message = dhcp.from_frame(dhcp_reply(kind, ASKED, **given))  # type: ignore[arg-type]
    assert message is not None
    return message


def offer(**given: object) -> Verdict:
    """What a client of RFC 2131 makes of an OFFER."""
    return judge(PLAIN, Expected(SELECTING, "", ""), "OFFER", made(dhcp.OFFER, **given))


def ack(state: str, rule: AckRule, **given: object) -> Verdict:
    """What a client under ``rule`` makes of an ACK, after it has asked the board for 192.168.7.2."""
    profile = ClientProfile(name="ruled", ack=rule)
    return judge(profile, Expected(state, BOARD_IP, LEASED), "ACK", made(dhcp.ACK, **given))


def nak(state: str, checked: bool, server: str) -> Verdict:
    rule = NakRule(checked_in=frozenset((state,)) if checked else frozenset())
    profile = ClientProfile(name="ruled", nak=rule)
    return judge(profile, Expected(state, BOARD_IP, LEASED), "NAK", made(dhcp.NAK, server=server))


def test_nothing_is_wrong_with_a_good_reply() -> None:
    """Nor with a router of its own subnet, nor with two hosts on a wire of their own (RFC 3021)."""
    assert offer() == Verdict(TAKE)
    assert offer(router="192.168.7.254") == Verdict(TAKE)
    assert offer(address="192.168.7.0", server="192.168.7.1", mask="255.255.255.254") == Verdict(TAKE)
    assert ack(REQUESTING, AckRule()) == Verdict(TAKE)
    assert nak(REQUESTING, True, BOARD_IP) == Verdict(TAKE)


@pytest.mark.parametrize(
    ("given", "reasons"),
    [
        ({"mask": ""}, ("no-mask",)),
        ({"mask": "255.0.255.0"}, ("broken-mask",)),
        ({"lease_s": 0}, ("no-lease-time",)),
        ({"address": "192.168.7.255"}, ("network-address",)),
        ({"address": "192.168.7.0"}, ("network-address",)),
        ({"address": BOARD_IP}, ("server-address",)),
        ({"address": "192.168.8.2"}, ("server-outside-subnet",)),
        ({"router": "192.168.8.254"}, ("router-outside-subnet",)),
        ({"address": "10.0.0.2", "router": "10.0.0.1"}, ("server-outside-subnet",)),
    ],
)
def test_an_offer_that_is_wrong_is_taken_with_the_reason(given: dict[str, object], reasons: tuple[str, ...]) -> None:
    """No client checks this; what comes of it is the board's fault."""
    assert offer(**given) == Verdict(TAKE, reasons)
    assert set(reasons) <= set(REASONS)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"address": "0.0.0.0"}, "no-address"),
        ({"address": "127.0.0.1"}, "unusable-address"),
        ({"address": "239.0.0.1"}, "unusable-address"),
        ({"address": "255.255.255.255"}, "unusable-address"),
        ({"server": ""}, "no-server"),
    ],
)
def test_an_offer_that_cannot_be_asked_for_is_ignored(given: dict[str, object], reason: str) -> None:
    """RFC 2131 table 3 has the server name itself."""
    assert offer(**given) == Verdict(IGNORE, (reason,))


def test_what_an_offer_needs_is_the_profiles() -> None:
    """systemd wants a lease time too."""
    verdict = judge(LINUX, Expected(SELECTING, "", ""), "OFFER", made(dhcp.OFFER, lease_s=0))
    assert verdict == Verdict(IGNORE, ("no-lease-time",))


@pytest.mark.parametrize(
    ("rule", "given", "reason"),
    [
        (AckRule(needs_server_in=frozenset((RENEWING,))), {"server": ""}, "no-server"),
        (AckRule(needs_lease_time=True), {"lease_s": 0}, "no-lease-time"),
        (AckRule(other_server_ignored_in=frozenset((RENEWING,))), {"server": OTHER}, "other-server"),
        (AckRule(other_address_ignored_in=frozenset((RENEWING,))), {"address": "192.168.7.3"}, "other-address"),
    ],
    ids=["server", "lease-time", "other-server", "other-address"],
)
def test_an_ack_is_ignored_by_rule_and_taken_with_a_doubt_without(
    rule: AckRule, given: dict[str, object], reason: str
) -> None:
    """Each rule holds in the states that it names."""
    assert ack(RENEWING, rule, **given) == Verdict(IGNORE, (reason,))
    loose = AckRule(other_server_ignored_in=frozenset())
    assert ack(RENEWING, loose, **given) == Verdict(TAKE, (reason,))
    if not rule.needs_lease_time:
        assert ack(REBOOTING, rule, **given) == Verdict(TAKE, (reason,))


def test_an_ack_for_another_address_can_end_the_lease() -> None:
    """Apple's client begins anew."""
    rule = AckRule(other_address_restarts_in=frozenset((RENEWING,)))
    assert ack(RENEWING, rule, address="192.168.7.3") == Verdict(RESTART, ("other-address",))


def test_a_rebinding_client_asks_every_server() -> None:
    """None is another one."""
    assert ack(REBINDING, AckRule(), server=OTHER) == Verdict(TAKE)


@pytest.mark.parametrize(("server", "reason"), [("", "no-server"), (OTHER, "other-server")])
def test_a_nak_of_nobody_or_another_is_ignored_where_it_is_checked(server: str, reason: str) -> None:
    """And believed elsewhere, with the same doubt."""
    assert nak(BOUND, True, server) == Verdict(IGNORE, (reason,))
    assert nak(BOUND, False, server) == Verdict(TAKE, (reason,))


def test_foreign_replies_are_told_apart() -> None:
    """By what of them is right."""
    reply = made(dhcp.OFFER)
    assert foreign(reply, HOST_MAC, 2) == "other-exchange"
    assert foreign(reply, BOARD_MAC, 1) == "other-client"
    assert foreign(reply, BOARD_MAC, 2) == ""
