"""A board that is a DHCP client asks as soon as it is plugged in, takes what nobody has, and serves there."""

import pytest

from hil import (
    ArpReply,
    Carrier,
    DhcpAck,
    DhcpDecline,
    DhcpDiscover,
    DhcpOffer,
    DhcpRequest,
    Expect,
    Host,
    HttpReply,
    UsbBoard,
    within,
)
from hil.board.interfaces import Instant
from hil.net.lease_peer import LeasePeer

LEASE_S = 20.0
"""A boot, an enumeration, a link, what a firmware waits for by itself, four messages, and an ARP check of a second."""
ASKS_S = 8.0
"""From one question to the next: ESP-IDF's client repeats after 2 and 4 s."""
ANSWER_S = 2.0
"""For what is due at once."""
CHECK_S = 2.5
"""The ARP check of ESP-IDF: two questions, half a second each."""
DECLINED_S = 15.0
"""10 s after a DHCPDECLINE a client may ask anew (RFC 2131 section 3.1), and four messages."""
RENEW_S = 6
"""T1 of a lease that is renewed while a test looks on."""
ELSEWHERE = "192.168.7.77"
"""An address that nobody has: a host that looks for it is heard, which is all that the board shall know of it."""
HANDSHAKE = (
    DhcpDiscover(sender="board"),
    DhcpOffer(sender="host"),
    DhcpRequest(sender="board"),
    DhcpAck(sender="host"),
)


@pytest.fixture
def server(board: UsbBoard, host: Host) -> LeasePeer:
    """A server for the board, not yet started, at a host that is heard."""
    host.asker(ELSEWHERE).start(board.name)
    return host.dhcp_server()


def leased(expect: Expect, since: Instant) -> DhcpAck:
    """The link comes up, the board asks, and is granted an address."""
    return expect.sequence(Carrier(up=True), *HANDSHAKE, since=since, within_s=LEASE_S).last(DhcpAck)


def serves(board: UsbBoard, expect: Expect, granted: DhcpAck) -> None:
    """The board looks whether somebody has the address, nobody has, and it answers there over HTTP."""
    expect.never(DhcpDecline(sender="board"), for_s=CHECK_S, since=granted)
    reading = board.first_answer("/", over=granted.address)
    assert isinstance(reading.reply, HttpReply), f"the board does not serve at {granted.address}: {reading.reply}"
    assert reading.reply.status == 200


@pytest.mark.hil(needs="vbus_off", role="dhcp-client")
def test_board_asks_for_an_address_and_serves_there(board: UsbBoard, expect: Expect, server: LeasePeer) -> None:
    """DISCOVER, OFFER, REQUEST, ACK, a look by ARP that nobody answers, and HTTP at the address that it was granted."""
    server.start(board.name)
    pulled = board.replug()
    granted = leased(expect, pulled)
    assert granted.address in server.plan.addresses
    serves(board, expect, granted)
    board.claims("DHCP_CLIENT_STARTED", "DHCP_DISCOVER_TX", "DHCP_ACK_RX", "DHCP_ASSIGNED", since=pulled)


@pytest.mark.hil(needs="vbus_off", role="dhcp-client")
def test_board_asks_until_a_server_comes(board: UsbBoard, expect: Expect, server: LeasePeer) -> None:
    """A server that was not there for the first questions is found by one that is repeated."""
    pulled = board.replug()
    link = expect.sequence(Carrier(up=True), since=pulled, within_s=LEASE_S).last(Carrier)
    asks = DhcpDiscover(sender="board")
    expect.sequence(asks, within(asks, ASKS_S), since=link, within_s=LEASE_S)
    came = server.start(board.name)
    serves(board, expect, expect.sequence(*HANDSHAKE, since=came, within_s=LEASE_S).last(DhcpAck))


@pytest.mark.hil(needs="vbus_off", role="dhcp-client")
def test_address_that_another_host_has_is_declined(
    board: UsbBoard, host: Host, expect: Expect, server: LeasePeer
) -> None:
    """A host answers for the address that was granted: the server is told, and the board gets and uses another one."""
    taken = server.plan.first
    host.squatter(taken).start(board.name)
    host.asker(taken, address="192.168.7.252").start(board.name)
    server.start(board.name)
    pulled = board.replug()
    granted = expect.sequence(DhcpAck(address=taken, sender="host"), since=pulled, within_s=LEASE_S).last(DhcpAck)
    expect.never(ArpReply(sender_ip=taken, sender="board"), for_s=CHECK_S, since=granted)
    declined = expect.sequence(DhcpDecline(requested=taken, sender="board"), since=granted).last(DhcpDecline)
    another = expect.sequence(*HANDSHAKE, since=declined, within_s=DECLINED_S).last(DhcpAck)
    assert another.address != taken
    serves(board, expect, another)
    board.claims("DHCP_DECLINE_TX", "DHCP_ASSIGNED", since=pulled)


@pytest.mark.hil(needs="vbus_off", role="dhcp-client")
def test_lease_is_renewed_when_it_is_due(board: UsbBoard, host: Host, expect: Expect) -> None:
    """At T1 the board asks its server to extend the lease, and keeps its address."""
    host.asker(ELSEWHERE).start(board.name)
    host.dhcp_server(lease_s=4 * RENEW_S, renew_s=RENEW_S).start(board.name)
    granted = leased(expect, board.replug())
    renewal = within(DhcpRequest(requested=granted.address, server="", sender="board"), RENEW_S + ANSWER_S)
    again = DhcpAck(address=granted.address, sender="host")
    expect.sequence(DhcpAck(sender="host"), renewal, again, since=granted, within_s=RENEW_S + 2 * ANSWER_S)
    serves(board, expect, granted)


@pytest.mark.hil(needs="reconfigure", role="dhcp-client")
def test_link_that_comes_back_brings_a_lease_again(board: UsbBoard, expect: Expect, server: LeasePeer) -> None:
    """Whoever is on the new link: the board asks, and serves again."""
    server.start(board.name)
    leased(expect, board.replug())
    cycled = board.authorize_cycle()
    granted = expect.sequence(
        Carrier(up=True), DhcpRequest(sender="board"), DhcpAck(sender="host"), since=cycled, within_s=LEASE_S
    ).last(DhcpAck)
    serves(board, expect, granted)
