"""ESP-IDF's DHCP server, against what its source does."""

import pytest

from hil.clock import NS_PER_S
from hil.virtual.ipstack.dhcp_server import REPLY_LENGTH, DhcpPool, DhcpServer, destination, reply_frame
from hil.wire.dhcp import (
    ACK,
    BOOTREQUEST,
    DECLINE,
    DISCOVER,
    INFORM,
    NAK,
    OFFER,
    RELEASE,
    REQUEST,
    DhcpMessage,
    from_frame,
)
from hil.wire.ethernet import EthernetFrame

HOST = "02:02:11:22:33:01"
POOL = DhcpPool("192.168.7.1", 24, "192.168.7.2", "192.168.7.10", router="192.168.7.254")


def packed(address: str) -> bytes:
    return bytes(int(part) for part in address.split("."))


def message(kind: int, mac: str = HOST, requested: str = "", **fields: object) -> DhcpMessage:
    options = [(53, bytes([kind]))]
    if requested:
        options.append((50, packed(requested)))
    return DhcpMessage(op=BOOTREQUEST, xid=7, chaddr=mac, options=tuple(options), **fields)  # type: ignore[arg-type]


def server(pool: DhcpPool = POOL) -> DhcpServer:
    return DhcpServer(pool, started_ns=0)


def mac(number: int) -> str:
    return f"02:00:00:00:00:{number:02x}"


def answered(reply: DhcpMessage | None) -> tuple[int, str]:
    assert reply is not None
    return reply.message_type, reply.yiaddr


def test_an_offer_has_the_options_of_esp_idf_in_their_order() -> None:
    """53, 1, 51, 54, 3, 6, 28, 26, 31, 43, whatever the client asked for in option 55."""
    reply = server().receive(message(DISCOVER), 0)
    assert reply is not None
    assert reply.options == (
        (53, bytes([OFFER])),
        (1, packed("255.255.255.0")),
        (51, (60).to_bytes(4, "big")),
        (54, packed("192.168.7.1")),
        (3, packed("192.168.7.254")),
        (6, packed("192.168.7.1")),
        (28, packed("192.168.7.255")),
        (26, b"\x05\xdc"),
        (31, b"\x00"),
        (43, bytes.fromhex("010400000002")),
    )


def test_without_a_gateway_there_is_no_router_option_and_a_portal_comes_before_option_31() -> None:
    """Option 3 is left out for gateway 0.0.0.0; option 114 stands between 26 and 31."""
    pool = DhcpPool("192.168.7.1", 24, "192.168.7.2", "192.168.7.10", captive_portal=b"http://192.168.7.1")
    reply = server(pool).receive(message(DISCOVER), 0)
    assert reply is not None
    assert [code for code, _ in reply.options] == [53, 1, 51, 54, 6, 28, 26, 114, 31, 43]


def test_a_reply_keeps_what_the_request_had_in_its_other_fields() -> None:
    """The reply is made in the request's buffer: xid, secs, flags and hardware address stay."""
    reply = server().receive(message(DISCOVER, secs=9, flags=0x8000), 0)
    assert reply is not None
    assert (reply.op, reply.xid, reply.secs, reply.flags, reply.chaddr) == (2, 7, 9, 0x8000, HOST)


def test_addresses_are_given_in_ascending_order() -> None:
    """The first client gets the first address of the pool, the next one the next."""
    dhcp = server()
    given = [answered(dhcp.receive(message(DISCOVER, mac(number)), 0))[1] for number in range(3)]
    assert given == ["192.168.7.2", "192.168.7.3", "192.168.7.4"]


def test_a_client_keeps_its_address() -> None:
    """The same hardware address is offered the same address again, also after others came."""
    dhcp = server()
    for number in (1, 2, 1):
        reply = dhcp.receive(message(DISCOVER, mac(number)), 0)
    assert answered(reply) == (OFFER, "192.168.7.2")


def test_the_address_after_the_last_given_is_preferred_to_a_lower_free_one() -> None:
    """A released address is not reused before the pool's end is reached."""
    dhcp = server()
    dhcp.receive(message(DISCOVER, mac(1)), 0)
    dhcp.receive(message(DISCOVER, mac(2)), 0)
    dhcp.receive(message(RELEASE, mac(1)), 0)
    assert answered(dhcp.receive(message(DISCOVER, mac(3)), 0)) == (OFFER, "192.168.7.4")


def test_a_full_pool_is_answered_with_nak() -> None:
    """With every address of a short pool in use the server refuses a newcomer's DISCOVER."""
    dhcp = server(DhcpPool("192.168.7.1", 24, "192.168.7.2", "192.168.7.3"))
    for number in (1, 2):
        dhcp.receive(message(DISCOVER, mac(number)), 0)
    assert answered(dhcp.receive(message(DISCOVER, mac(3)), 0))[0] == NAK


def test_the_ninth_station_evicts_the_one_that_expires_first() -> None:
    """At the next second more than eight leases become eight."""
    dhcp = server()
    for number in range(9):
        dhcp.receive(message(DISCOVER, mac(number)), number)
    dhcp.receive(message(DISCOVER, mac(8)), NS_PER_S)
    assert [lease.mac for lease in dhcp.leases] == [mac(number) for number in range(1, 9)]


def test_a_lease_ends_after_its_time() -> None:
    """After 60 s without renewal the client's entry is gone."""
    dhcp = server()
    dhcp.receive(message(REQUEST, requested="192.168.7.2"), 0)
    assert answered(dhcp.receive(message(DISCOVER, mac(2)), 61 * NS_PER_S)) == (OFFER, "192.168.7.2")


def test_request_for_the_offered_address_is_granted() -> None:
    """REQUEST with option 50 equal to the client's address becomes an ACK with all options."""
    dhcp = server()
    dhcp.receive(message(DISCOVER), 0)
    reply = dhcp.receive(message(REQUEST, requested="192.168.7.2"), 0)
    assert answered(reply) == (ACK, "192.168.7.2")
    assert reply is not None
    assert len(reply.options) == 10


def test_request_for_another_address_gets_a_nak_without_server_identifier() -> None:
    """The NAK has option 53 alone, its yiaddr is empty and the client's lease is gone."""
    dhcp = server()
    dhcp.receive(message(DISCOVER), 0)
    reply = dhcp.receive(message(REQUEST, requested="192.168.7.9"), 0)
    assert reply is not None
    assert (reply.options, reply.yiaddr, dhcp.leases) == (((53, bytes([NAK])),), "0.0.0.0", [])


def test_a_first_request_after_a_board_reboot_is_granted_only_for_the_first_address() -> None:
    """A server without memory grants INIT-REBOOT of 192.168.7.2, because it would give that anyway."""
    assert answered(server().receive(message(REQUEST, requested="192.168.7.2"), 0))[0] == ACK
    assert answered(server().receive(message(REQUEST, requested="192.168.7.3"), 0))[0] == NAK


def test_renewal_by_ciaddr_is_granted_to_its_owner_only() -> None:
    """REQUEST without option 50 is an ACK for the address the client has, else a NAK."""
    dhcp = server()
    dhcp.receive(message(DISCOVER), 0)
    assert answered(dhcp.receive(message(REQUEST, ciaddr="192.168.7.2"), 0))[0] == ACK
    assert answered(dhcp.receive(message(REQUEST, ciaddr="192.168.7.3"), 0))[0] == NAK


@pytest.mark.parametrize("kind", [DECLINE, RELEASE, INFORM])
def test_decline_release_and_inform_are_not_answered(kind: int) -> None:
    """The server stays silent."""
    dhcp = server()
    dhcp.receive(message(DISCOVER), 0)
    assert dhcp.receive(message(kind, requested="" if kind == INFORM else "192.168.7.2"), 0) is None


def test_a_declined_address_is_offered_again() -> None:
    """DECLINE changes nothing: the next DISCOVER of that client gets the same address."""
    dhcp = server()
    dhcp.receive(message(DISCOVER), 0)
    dhcp.receive(message(DECLINE, requested="192.168.7.2"), 0)
    assert answered(dhcp.receive(message(DISCOVER), 0)) == (OFFER, "192.168.7.2")


def test_replies_go_where_the_client_can_hear_them() -> None:
    """Broadcast where the client asked for it or for a NAK, else to its own address, without ARP."""
    dhcp = server()
    offer = dhcp.receive(message(DISCOVER), 0)
    loud = dhcp.receive(message(DISCOVER, flags=0x8000), 0)
    renewed = dhcp.receive(message(REQUEST, ciaddr="192.168.7.2"), 0)
    nak = dhcp.receive(message(REQUEST, requested="192.168.7.9"), 0)
    assert offer
    assert loud
    assert renewed
    assert nak
    assert destination(offer) == (HOST, "192.168.7.2")
    assert destination(loud) == ("ff:ff:ff:ff:ff:ff", "255.255.255.255")
    assert destination(renewed) == (HOST, "192.168.7.2")
    assert destination(nak) == ("ff:ff:ff:ff:ff:ff", "255.255.255.255")


def test_a_reply_frame_fills_the_whole_message_structure() -> None:
    """548 bytes of DHCP behind Ethernet, IPv4 and UDP headers, and it parses back."""
    reply = server().receive(message(DISCOVER), 0)
    assert reply is not None
    frame = reply_frame(reply, "02:02:11:22:33:02", "192.168.7.1")
    assert len(frame) == 14 + 20 + 8 + REPLY_LENGTH
    assert EthernetFrame.parse(frame).dst == HOST
    assert from_frame(frame) == reply
