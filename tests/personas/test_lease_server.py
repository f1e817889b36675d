"""The DHCP server for boards that are clients: what it answers, to whom, and what it remembers."""

import pytest

from hil.personas.commands import Note, OwnAddress, SendFrame
from hil.personas.lease_server import SERVER_MAC, LeasePlan, LeaseServer
from hil.wire import arp, dhcp
from hil.wire.addresses import ipv4_bytes
from hil.wire.arp import ArpPacket
from hil.wire.dhcp import DhcpMessage
from hil.wire.ethernet import BROADCAST, ETHERTYPE_ARP, EthernetFrame

BOARD, OTHER = "02:02:11:22:33:02", "02:02:11:22:33:99"
SERVER, FIRST, SECOND = "192.168.7.254", "192.168.7.100", "192.168.7.101"


def message(kind: int, mac: str = BOARD, ciaddr: str = "0.0.0.0", requested: str = "", server: str = "") -> DhcpMessage:
    given = {dhcp.OPTION_REQUESTED_ADDRESS: requested, dhcp.OPTION_SERVER_ID: server}
    options = tuple((code, ipv4_bytes(address)) for code, address in given.items() if address)
    return DhcpMessage(
        dhcp.BOOTREQUEST, 7, mac, ciaddr=ciaddr, options=((dhcp.OPTION_MESSAGE_TYPE, bytes([kind])), *options)
    )


def told(server: LeaseServer, asked: DhcpMessage) -> tuple[int, str]:
    """Type and address of the answer; (0, '') for silence."""
    reply = server.answer(asked)
    return (0, "") if reply is None else (reply.message_type, reply.yiaddr)


def served(server: LeaseServer, mac: str = BOARD) -> str:
    """The address that a client gets by DISCOVER and REQUEST."""
    kind, address = told(server, message(dhcp.DISCOVER, mac))
    assert kind == dhcp.OFFER
    assert told(server, message(dhcp.REQUEST, mac, requested=address, server=SERVER)) == (dhcp.ACK, address)
    return address


def sent(commands: list[object]) -> EthernetFrame:
    (command,) = commands
    assert isinstance(command, SendFrame)
    return EthernetFrame.parse(command.frame)


def test_every_client_gets_an_address_of_its_own_and_keeps_it() -> None:
    """In ascending order; who asks again gets what he has."""
    server = LeaseServer(LeasePlan())
    assert [served(server), served(server, OTHER), served(server)] == [FIRST, SECOND, FIRST]


def test_an_offer_says_what_a_client_has_to_know() -> None:
    """Server, mask and times; T1 and T2 where the plan has them."""
    server = LeaseServer(LeasePlan(lease_s=60, renew_s=4))
    offer = server.answer(message(dhcp.DISCOVER))
    assert offer is not None
    assert (offer.op, offer.xid, offer.chaddr, offer.ciaddr) == (dhcp.BOOTREPLY, 7, BOARD, "0.0.0.0")
    assert offer.address_option(dhcp.OPTION_SERVER_ID) == SERVER
    assert offer.address_option(dhcp.OPTION_SUBNET_MASK) == "255.255.255.0"
    times = (dhcp.OPTION_LEASE_TIME, dhcp.OPTION_RENEWAL_TIME, dhcp.OPTION_REBINDING_TIME)
    assert [offer.u32_option(code) for code in times] == [60, 4, 32]
    plain = LeaseServer(LeasePlan()).answer(message(dhcp.DISCOVER))
    assert plain is not None
    assert plain.u32_option(dhcp.OPTION_RENEWAL_TIME) is None


def test_a_renewal_is_granted_to_the_address_that_is_renewed() -> None:
    """RFC 2131 section 4.1: unicast to ciaddr."""
    server = LeaseServer(LeasePlan())
    address = served(server)
    frame = dhcp.frame(message(dhcp.REQUEST, ciaddr=address), BOARD, SERVER_MAC, address, SERVER)
    answered = sent(server.receive(frame, 0))
    reply = dhcp.from_frame(answered.pack())
    assert reply is not None
    assert (answered.dst, answered.src, reply.message_type, reply.ciaddr) == (BOARD, SERVER_MAC, dhcp.ACK, address)


def test_a_first_answer_goes_to_everyone() -> None:
    """The client has no address yet."""
    frame = dhcp.frame(message(dhcp.DISCOVER), BOARD, BROADCAST, "0.0.0.0", "255.255.255.255")
    assert sent(LeaseServer(LeasePlan()).receive(frame, 0)).dst == BROADCAST


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        (message(dhcp.REQUEST, requested="10.0.0.9"), (0, "")),
        (message(dhcp.REQUEST, requested=FIRST, server="10.0.0.1"), (0, "")),
        (message(dhcp.REQUEST, requested=FIRST, server=SERVER), (dhcp.NAK, "0.0.0.0")),
        (message(dhcp.INFORM, ciaddr=FIRST), (0, "")),
        (message(dhcp.RELEASE, ciaddr=FIRST), (0, "")),
    ],
    ids=["a stranger's reboot", "another server's", "never offered", "an INFORM", "a RELEASE of nothing"],
)
def test_what_was_never_given_is_not_granted(asked: DhcpMessage, answer: tuple[int, str]) -> None:
    """Silence where another server may know better (RFC 2131 section 4.3.2), a NAK where this one was asked."""
    assert told(LeaseServer(LeasePlan()), asked) == answer


def test_a_client_that_asks_for_another_address_is_refused() -> None:
    """INIT-REBOOT with what it does not have; the refusal names the server and nothing else."""
    server = LeaseServer(LeasePlan())
    served(server)
    reply = server.answer(message(dhcp.REQUEST, requested=SECOND))
    assert reply is not None
    assert reply.message_type == dhcp.NAK
    assert [code for code, _ in reply.options] == [dhcp.OPTION_MESSAGE_TYPE, dhcp.OPTION_SERVER_ID]


def test_a_declined_address_is_given_to_nobody_again() -> None:
    """Somebody has it."""
    server = LeaseServer(LeasePlan())
    served(server)
    assert told(server, message(dhcp.DECLINE, requested=FIRST, server=SERVER)) == (0, "")
    assert [served(server), served(server, OTHER)] == [SECOND, "192.168.7.102"]


def test_a_released_address_is_free() -> None:
    """And a client that has chosen another server has none here."""
    server = LeaseServer(LeasePlan(count=1))
    served(server)
    assert told(server, message(dhcp.DISCOVER, OTHER)) == (0, "")
    server.answer(message(dhcp.RELEASE, ciaddr=FIRST))
    assert served(server, OTHER) == FIRST
    server.answer(message(dhcp.REQUEST, OTHER, requested=FIRST, server="10.0.0.1"))
    assert served(server) == FIRST


def test_it_answers_arp_for_its_own_address_alone() -> None:
    """The address that it offers is for nobody to answer for but the client."""
    server = LeaseServer(LeasePlan())
    for address, answers in ((SERVER, 1), (FIRST, 0), ("192.168.7.253", 0)):
        asked = ArpPacket(arp.REQUEST, BOARD, FIRST, arp.UNSPECIFIED_MAC, address)
        commands = server.receive(EthernetFrame(BROADCAST, BOARD, ETHERTYPE_ARP, asked.pack()).pack(), 0)
        assert len(commands) == answers
        if commands:
            assert ArpPacket.parse(sent(commands).payload) == ArpPacket(arp.REPLY, SERVER_MAC, SERVER, BOARD, FIRST)


def test_its_computer_gets_an_address_on_every_interface() -> None:
    """What the client serves is asked for from there."""
    server = LeaseServer(LeasePlan())
    for _ in range(2):
        assert server.attached("02:02:11:22:33:01", False, 0) == [OwnAddress("192.168.7.253", 24)]
        assert server.link_changed(True, 0) == server.wake(0) == server.detached(0) == []
    assert server.deadline_ns is None


def test_a_broken_frame_is_told_and_ignored() -> None:
    """It may be what the test is looking for."""
    (note,) = LeaseServer(LeasePlan()).receive(EthernetFrame(BROADCAST, BOARD, ETHERTYPE_ARP, b"\x00").pack(), 0)
    assert isinstance(note, Note)
    assert note.text.startswith("a malformed frame was ignored: ARP packet")
