"""The messages of one exchange, and when they are due."""

import random
from dataclasses import replace

from hil.clock import to_ns
from hil.personas.client_profile import Backoff, ClientProfile
from hil.personas.exchange import FLAG_BROADCAST, Exchange
from hil.testing.fake_net import BOARD_IP, HOST_MAC, LEASED
from hil.wire import dhcp

PLAIN = ClientProfile(name="plain")
ORDER = (12, 50, 51, 53, 54, 57, 61, 55)


def begun(profile: ClientProfile = PLAIN, now_ns: int = 0) -> Exchange:
    exchange = Exchange(profile, random.Random(7))
    exchange.begin(now_ns)
    return exchange


def test_each_exchange_has_its_own_transaction_id() -> None:
    """And it repeats with the seed."""
    exchange = begun()
    first = exchange.xid
    exchange.begin(1)
    assert (begun().xid, exchange.xid == first) == (first, False)


def test_options_go_out_in_the_profiles_order_and_those_without_a_value_stay_at_home() -> None:
    """A host name is sent where there is one and the profile names the option."""
    full = replace(PLAIN, option_order=ORDER, host_name="Mac", max_message_size=1500, asked_lease_s=60)
    message = begun(full).message(dhcp.DISCOVER, HOST_MAC, 0, requested=LEASED)
    assert [code for code, _ in message.options] == [12, 50, 51, 53, 57, 61, 55]
    assert message.option(dhcp.OPTION_MAX_SIZE) == b"\x05\xdc"
    plain = begun(replace(full, option_order=PLAIN.option_order)).message(dhcp.DISCOVER, HOST_MAC, 0)
    assert [code for code, _ in plain.options] == [53, 61, 55]


def test_a_message_that_names_a_server_asks_for_no_lease_time() -> None:
    """The OFFER has said it."""
    asking = replace(PLAIN, option_order=ORDER, asked_lease_s=60)
    message = begun(asking).message(dhcp.REQUEST, HOST_MAC, 0, requested=LEASED, server=BOARD_IP)
    assert [code for code, _ in message.options] == [50, 53, 54, 61, 55]


def test_the_client_says_how_long_it_has_been_asking() -> None:
    """Whole seconds since the exchange began, at most 65535; and whether it can hear unicast."""
    exchange = begun(replace(PLAIN, broadcast_flag=True), now_ns=to_ns(10))
    assert exchange.message(dhcp.DISCOVER, HOST_MAC, to_ns(13.9)).secs == 3
    late = exchange.message(dhcp.DISCOVER, HOST_MAC, to_ns(10**6))
    assert (late.secs, late.flags) == (0xFFFF, FLAG_BROADCAST)


def test_messages_are_counted_to_the_last() -> None:
    """The wait follows the backoff, and counting may begin again within the exchange."""
    exchange = begun()
    backoff = Backoff((1, 2), 0.0, 0.0, tries=3)
    assert [exchange.count(backoff) for _ in range(3)] == [(to_ns(1), False), (to_ns(2), False), (to_ns(2), True)]
    exchange.count_anew()
    assert exchange.count(backoff) == (to_ns(1), False)
    assert exchange.count(Backoff((1,), 0.0, 0.0)) == (to_ns(1), False)


def test_jitter_stays_within_its_bounds() -> None:
    """RFC 2131 section 4.1: a second either way; and no wait is shorter than a tenth of one."""
    assert [Backoff((4,)).delay_s(1, dice) for dice in (0.0, 0.5, 1.0)] == [3.0, 4.0, 5.0]
    assert Backoff((0.5,)).delay_s(1, 0.0) == 0.1
