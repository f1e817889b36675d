"""A persona at work on an interface that comes, goes, and fails."""

import os
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from hil.errors import AgentError, HarnessError
from hil.net.persona_runner import PersonaRunner
from hil.personas.client_profile import Backoff, ClientProfile, LinkLocalTimes
from hil.personas.commands import GaveUp
from hil.testing.fake_net import BOARD_MAC, HOST_MAC, LEASED, PACKET_OUTGOING, WITHIN_S, FakeNet, dhcp_reply
from hil.testing.netns import RTMGRP_LINK, Namespace
from hil.timeline.events import (
    Event,
    LeaseBound,
    LeaseLost,
    LinkLocalBound,
    LinkLocalLost,
    PersonaGaveUp,
    PersonaNote,
    PersonaState,
    ReplyDoubted,
)
from hil.wire import dhcp
from hil.wire.ethernet import BROADCAST, EthernetFrame
from hil.wire.rtnetlink_requests import dump_links

ETH_P_ALL = 3
PLAIN = ClientProfile(name="plain")
AT_ONCE = Backoff((0,), 0.1, 0.1, tries=2)
QUICK = LinkLocalTimes((0.0, 0.0), 1, (0.0, 0.0), 0.0, 1, 0.0)
WEARY = ClientProfile(
    name="plain",
    discover=AT_ONCE,
    request=AT_ONCE,
    caches_failure=True,
    starts_without_carrier=True,
    link_local_at_try=1,
    link_local=QUICK,
)
"""Gives up after 0.2 s, with an address of its own."""


@pytest.fixture
def runner(net: FakeNet) -> Iterator[PersonaRunner]:
    """A client of RFC 2131's own figures, started; it is stopped whatever has become of it."""
    made = PersonaRunner(net, "s3-a", PLAIN, net.record)
    made.start()
    assert net.kernel.recv(4096) == dump_links()
    yield made
    try:
        made.stop()
    except HarnessError:
        assert not any(thread.name == "persona-plain" for thread in threading.enumerate())


def bound(net: FakeNet, runner: PersonaRunner) -> None:
    """Bring the link up and grant a lease."""
    net.link(carrier=True)
    net.grant()
    assert runner.wait_bound(WITHIN_S) == LEASED


def test_a_carrier_begins_the_handshake_and_its_end_is_a_lease(net: FakeNet, runner: PersonaRunner) -> None:
    """Address, interface, state and the server's hardware address are known then, and the timeline has it."""
    assert (runner.address, runner.interface, runner.mac, runner.board_mac) == ("", "", "", BROADCAST)
    bound(net, runner)
    assert net.calls == [("set_address", "s3-a", "192.168.7.2/24", "")]
    assert (runner.interface, runner.mac, runner.state, runner.board_mac) == ("usb0", HOST_MAC, "BOUND", BOARD_MAC)
    event = net.until(LeaseBound())
    assert (event.board, event.source) == ("s3-a", "persona")
    assert isinstance(event, LeaseBound)
    assert (event.address, event.lease_s, event.persona) == (LEASED, 60, "plain")


def test_a_lease_is_bound_only_once_its_address_is_on_the_interface(net: FakeNet, runner: PersonaRunner) -> None:
    """While the agent is at it, there is neither an address nor an event."""
    net.may_set.clear()
    net.link(carrier=True)
    net.grant()
    assert net.setting.wait(WITHIN_S)
    assert runner.address == ""
    assert runner.wait_bound(0.0) == ""
    assert not any(isinstance(event, LeaseBound) for event in net.recorded)
    net.may_set.set()
    assert runner.wait_bound(WITHIN_S) == LEASED
    assert any(isinstance(event, LeaseBound) for event in net.recorded)


def test_a_link_bounce_loses_the_address_and_asks_for_it_again(net: FakeNet, runner: PersonaRunner) -> None:
    """The address is cleared while the carrier is away, and comes back by INIT-REBOOT."""
    bound(net, runner)
    net.link(carrier=False)
    lost = net.until(LeaseLost())
    assert isinstance(lost, LeaseLost)
    assert (lost.address, lost.reason) == (LEASED, "link-down")
    assert net.calls[-1] == ("clear_address", "s3-a")
    assert runner.address == ""
    net.link(carrier=True)
    net.until(PersonaState("REBOOTING"))
    net.grant()
    assert runner.wait_bound(WITHIN_S) == LEASED


def test_a_link_message_that_changes_nothing_is_nothing(net: FakeNet, runner: PersonaRunner) -> None:
    """A carrier that is told twice begins one handshake."""
    net.link(carrier=True)
    net.link(carrier=True)
    discover = net.asked()
    net.answer(dhcp.OFFER, discover)
    assert net.asked().message_type == dhcp.REQUEST


def test_an_interface_that_leaves_takes_its_address_along(net: FakeNet, runner: PersonaRunner) -> None:
    """Nothing is cleared on an interface that is not there."""
    bound(net, runner)
    net.link(carrier=False, deleted=True)
    net.until(LeaseLost(reason="link-down"))
    assert net.calls[-1][0] == "set_address"
    assert (runner.interface, runner.address) == ("", "")


def test_an_interface_that_changes_its_address_is_another(net: FakeNet, runner: PersonaRunner) -> None:
    """A lease is for a hardware address."""
    bound(net, runner)
    net.link(carrier=True, mac="02:02:11:22:33:07")
    message = net.asked()
    assert (message.message_type, message.chaddr) == (dhcp.DISCOVER, "02:02:11:22:33:07")


@pytest.mark.parametrize(("mac", "first"), [(HOST_MAC, dhcp.REQUEST), ("02:02:11:22:33:07", dhcp.DISCOVER)])
def test_the_persona_follows_the_board_to_its_next_interface(
    net: FakeNet, runner: PersonaRunner, mac: str, first: int
) -> None:
    """It asks there by itself, with the interface's own address: for the old lease where that is the same."""
    bound(net, runner)
    net.link(carrier=False, deleted=True)
    net.link(carrier=False, index=3, mac=mac)
    net.link(carrier=True, index=3, mac=mac)
    message = net.asked()
    assert (message.message_type, message.chaddr) == (first, mac)
    if first == dhcp.DISCOVER:
        net.answer(dhcp.OFFER, message)
        message = net.asked()
    net.answer(dhcp.ACK, message)
    assert runner.wait_bound(WITHIN_S) == LEASED
    assert runner.mac == mac


def test_a_new_interface_before_the_end_of_the_old_one_is_a_new_link(net: FakeNet, runner: PersonaRunner) -> None:
    """Its address has to be set anew, and the late end of the old one is not its own."""
    bound(net, runner)
    net.link(carrier=True, index=3)
    net.link(carrier=False, index=2, deleted=True)
    net.until(LeaseLost(reason="link-down"))
    net.grant()
    assert runner.wait_bound(WITHIN_S) == LEASED
    assert [call[0] for call in net.calls].count("set_address") == 2
    assert "clear_address" not in [call[0] for call in net.calls]


def test_a_frame_that_cannot_be_sent_is_noted(net: FakeNet, runner: PersonaRunner) -> None:
    """The interface has left and its message is still under way: the persona goes on."""
    net.packets.gone = True
    net.link(carrier=True)
    note = net.until(PersonaNote())
    assert isinstance(note, PersonaNote)
    assert note.text == "a frame could not be sent on usb0: No such device or address"
    net.packets.gone = False
    net.link(carrier=False)
    net.until(PersonaState("STOPPED"))
    net.link(carrier=True)
    net.grant()
    assert runner.wait_bound(WITHIN_S) == LEASED


def test_frames_of_other_interfaces_and_of_the_host_itself_are_not_replies(net: FakeNet, runner: PersonaRunner) -> None:
    """Only what the board sends on this interface moves the persona."""
    net.link(carrier=True)
    discover = net.asked()
    for net.packets.arrives_on, net.packets.kind in (("lo", 0), ("usb0", PACKET_OUTGOING)):
        net.answer(dhcp.OFFER, discover)
        with pytest.raises(TimeoutError):
            silent(net)
    net.packets.arrives_on, net.packets.kind = "usb0", 0
    net.answer(dhcp.OFFER, discover)
    assert net.asked().message_type == dhcp.REQUEST


def silent(net: FakeNet) -> None:
    """Whether the persona says something within a moment."""
    net.far.settimeout(0.05)
    try:
        net.far.recv(65536)
    finally:
        net.far.settimeout(WITHIN_S)


def test_noise_on_the_wire_is_ignored(net: FakeNet, runner: PersonaRunner) -> None:
    """Bytes of any kind, cut DHCP among them, do not end the persona."""
    net.link(carrier=True)
    discover = net.asked()
    dice = random.Random(7)
    offer = dhcp_reply(dhcp.OFFER, discover)
    for length in (1, 13, 14, 60, 200, 342, 1514):
        net.far.send(dice.randbytes(length))
        net.far.send(offer[:length] or b"\0")
    net.answer(dhcp.OFFER, discover)
    net.answer(dhcp.ACK, net.asked())
    assert runner.wait_bound(WITHIN_S) == LEASED


# ---- a host that gives up -----------------------------------------------------------------------


@pytest.fixture
def weary(net: FakeNet) -> Iterator[PersonaRunner]:
    """A client that gives up soon, started."""
    made = PersonaRunner(net, "s3-a", WEARY, net.record)
    made.start()
    yield made
    made.stop()


def test_giving_up_wakes_who_waits_for_it(net: FakeNet, weary: PersonaRunner) -> None:
    """The timeline has the state before what it was waiting for."""
    net.link(carrier=True)
    assert weary.wait_gave_up(WITHIN_S) == weary.gave_up == GaveUp("OFFER", 2)
    assert weary.state == "FAILED"
    net.until(PersonaState("FAILED"))
    assert net.until(PersonaGaveUp("OFFER", 2)).source == "persona"


def test_another_link_ends_the_failure(net: FakeNet, weary: PersonaRunner) -> None:
    """There is nothing to be told of it any more, and the board may grant."""
    net.link(carrier=True)
    weary.wait_gave_up(WITHIN_S)
    net.link(carrier=False)
    net.until(PersonaState("STOPPED"))
    assert weary.gave_up is None
    net.link(carrier=True, index=3, mac="02:02:11:22:33:07")
    net.until(PersonaState("SELECTING"))
    assert weary.gave_up is None


def test_an_interface_without_carrier_is_given_up_too(net: FakeNet, weary: PersonaRunner) -> None:
    """And nothing was sent."""
    net.link(carrier=False)
    assert weary.wait_gave_up(WITHIN_S) == GaveUp("carrier", 1)
    with pytest.raises(TimeoutError):
        silent(net)


def test_an_ack_that_does_not_come_is_told_and_is_no_failure(net: FakeNet, weary: PersonaRunner) -> None:
    """The client goes on with DISCOVER."""
    net.link(carrier=True)
    net.answer(dhcp.OFFER, discovered(net))
    net.until(PersonaGaveUp("ACK", 2))
    assert weary.wait_gave_up(0.0) is None


def discovered(net: FakeNet) -> dhcp.DhcpMessage:
    """The next DISCOVER; what else the persona sends is passed over."""
    while True:
        message = dhcp.from_frame(net.far.recv(65536))
        if message is not None:
            return message


def test_an_address_of_its_own_is_set_and_makes_room_for_a_lease(net: FakeNet, weary: PersonaRunner) -> None:
    """The timeline has both, and each is on the interface while it is told."""
    net.link(carrier=True)
    discover = discovered(net)
    claimed = net.until(LinkLocalBound())
    assert isinstance(claimed, LinkLocalBound)
    assert weary.link_local == claimed.address
    assert net.calls == [("set_address", "s3-a", f"{claimed.address}/16", "")]
    net.answer(dhcp.OFFER, discover)
    net.answer(dhcp.ACK, discovered(net))
    lost = net.until(LinkLocalLost())
    assert isinstance(lost, LinkLocalLost)
    assert (lost.address, lost.reason) == (claimed.address, "lease")
    assert weary.wait_bound(WITHIN_S) == LEASED
    assert weary.link_local == ""
    assert [call[0] for call in net.calls] == ["set_address", "clear_address", "set_address"]


def test_an_address_of_its_own_that_is_refused_is_noted(net: FakeNet, weary: PersonaRunner) -> None:
    """It is not told as if it were there."""
    net.broken = AgentError("the kernel says no")
    net.link(carrier=True)
    net.until(PersonaNote("the kernel says no"))
    net.until(PersonaState("FAILED"))
    assert weary.link_local == ""
    assert not any(isinstance(event, LinkLocalBound) for event in net.recorded)


def test_a_reply_that_is_not_right_is_told(net: FakeNet, runner: PersonaRunner) -> None:
    """With the reason, and whether it counts."""
    net.link(carrier=True)
    discover = net.asked()
    net.far.send(dhcp_reply(dhcp.OFFER, discover, server=""))
    doubt = net.until(ReplyDoubted())
    assert isinstance(doubt, ReplyDoubted)
    assert (doubt.message, doubt.reason, doubt.taken, doubt.persona) == ("OFFER", "no-server", False, "plain")


# ---- what fails ---------------------------------------------------------------------------------


def test_an_address_that_is_refused_is_no_lease(net: FakeNet, runner: PersonaRunner) -> None:
    """The agent's words are noted and kept until the interface leaves."""
    net.broken = AgentError("the kernel says no")
    net.link(carrier=True)
    net.grant()
    net.until(PersonaNote("the kernel says no"))
    assert runner.wait_bound(0.05) == ""
    assert runner.refused == "the kernel says no"
    assert not any(isinstance(event, LeaseBound) for event in net.recorded)
    net.link(carrier=False, deleted=True)
    net.until(PersonaState("STOPPED"))
    assert runner.refused == ""


def test_an_agent_that_is_gone_ends_the_persona(net: FakeNet, runner: PersonaRunner) -> None:
    """Whoever waits is woken at once, and check() and stop() say what happened."""
    net.link(carrier=True)
    discover = net.asked()
    net.alive = False
    net.answer(dhcp.OFFER, discover)
    net.answer(dhcp.ACK, net.asked())
    assert runner.wait_bound(WITHIN_S * 10) == ""
    message = "persona plain on s3-a ended: boards_known: the agent is gone"
    for look in (runner.check, runner.stop, runner.stop):
        with pytest.raises(HarnessError, match=message):
            look()


@pytest.mark.parametrize("message", [b"\x01\x02\x03", b"\xff" * 32], ids=["cut", "length"])
def test_a_garbled_link_message_ends_the_persona(net: FakeNet, runner: PersonaRunner, message: bytes) -> None:
    """The kernel's words are never guessed at."""
    net.kernel.send(message)
    runner.wait_bound(WITHIN_S * 10)
    with pytest.raises(HarnessError, match="ended: rtnetlink: "):
        runner.check()


def test_a_recorder_that_fails_ends_the_persona(net: FakeNet) -> None:
    """A persona whose events are lost would be a silent one."""

    def broken(_: Event) -> Event:
        raise HarnessError("the capture process is dead")

    runner = PersonaRunner(net, "s3-a", PLAIN, broken)
    runner.start()
    net.link(carrier=True)
    runner.wait_bound(WITHIN_S * 10)
    with pytest.raises(HarnessError, match="ended: the capture process is dead"):
        runner.stop()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_error_of_our_own_ends_the_persona_aloud(net: FakeNet) -> None:
    """Whoever waits is woken at once and told; it is not taken for a board that gives no lease."""

    def broken(_: Event) -> Event:
        raise LookupError("no such thing")

    runner = PersonaRunner(net, "s3-a", PLAIN, broken)
    runner.start()
    net.link(carrier=True)
    began = time.monotonic()
    assert runner.wait_bound(WITHIN_S * 10) == ""
    assert time.monotonic() - began < WITHIN_S * 5
    with pytest.raises(
        HarnessError, match=r"persona plain on s3-a ended: its thread died of LookupError\('no such thing'"
    ):
        runner.check()
    with pytest.raises(HarnessError, match="its thread died"):
        runner.stop()


def test_a_persona_that_cannot_open_its_sockets_leaves_none_open(net: FakeNet) -> None:
    """The one that was open is closed."""
    net.no_route = HarnessError("no route socket")
    with pytest.raises(HarnessError, match="no route socket"):
        PersonaRunner(net, "s3-a", PLAIN, net.record)
    assert net.packets.closed


def test_stop_joins_the_thread_and_closes_the_sockets(net: FakeNet, runner: PersonaRunner) -> None:
    """In the middle of a handshake, and more than once."""
    net.link(carrier=True)
    net.asked()
    runner.stop()
    runner.stop()
    assert net.packets.closed
    assert net.route.fileno() == -1
    assert not any(thread.name == "persona-plain" for thread in threading.enumerate())


def test_stop_waits_for_a_call_that_the_agent_is_at(net: FakeNet, runner: PersonaRunner) -> None:
    """Sockets are not closed under a thread that uses them."""
    net.may_set.clear()
    net.link(carrier=True)
    net.grant()
    assert net.setting.wait(WITHIN_S)
    letting = threading.Timer(0.05, net.may_set.set)
    letting.start()
    runner.stop()
    letting.join()
    assert runner.address == LEASED


def test_a_persona_that_never_began_can_be_stopped(net: FakeNet) -> None:
    """Its sockets are closed."""
    PersonaRunner(net, "s3-a", PLAIN, net.record).stop()
    assert net.packets.closed


# ---- frames of the test's own -------------------------------------------------------------------

FRAME = EthernetFrame(BOARD_MAC, HOST_MAC, 0x88B5, b"hil").pack()


def test_a_frame_of_the_test_goes_out_as_it_is(net: FakeNet, runner: PersonaRunner) -> None:
    """On the interface that is there."""
    bound(net, runner)
    runner.send(FRAME)
    assert net.far.recv(65536) == FRAME


def no_link(net: FakeNet, runner: PersonaRunner) -> None:
    """The interface was never there."""


def gone(net: FakeNet, runner: PersonaRunner) -> None:
    """The interface has just left."""
    bound(net, runner)
    net.packets.gone = True


@pytest.mark.parametrize(
    ("before", "message"),
    [(no_link, "has no interface to send on"), (gone, "cannot send on usb0: No such device or address")],
)
def test_a_frame_without_an_interface_is_an_error(
    net: FakeNet, runner: PersonaRunner, before: Callable[[FakeNet, PersonaRunner], None], message: str
) -> None:
    """The message names board and persona."""
    before(net, runner)
    with pytest.raises(HarnessError, match=f"board s3-a: persona plain {message}"):
        runner.send(FRAME)


# ---- the kernel's own sockets -------------------------------------------------------------------


class NamespaceAgent:
    """Opens real sockets in a namespace that holds a veth pair, and sets addresses with ``ip``."""

    def __init__(self, space: Namespace, interface: str) -> None:
        self._space = space
        self._interface = interface

    def boards_known(self) -> list[str]:
        return ["s3-a"]

    def open_packet_socket(self, board: str) -> socket.socket:
        return self._space.run(lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL)))

    def open_route_socket(self, board: str) -> socket.socket:
        def opened() -> socket.socket:
            route = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
            route.bind((0, RTMGRP_LINK))
            return route

        return self._space.run(opened)

    def set_address(self, board: str, address: str, prefix: int, router: str = "") -> None:
        self._space.ip("address", "replace", f"{address}/{prefix}", "dev", self._interface)

    def clear_address(self, board: str) -> None:
        self._space.ip("address", "flush", "dev", self._interface)


@pytest.mark.root
@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: it makes a network namespace")
def test_a_persona_gets_its_lease_over_a_kernel_interface(net: FakeNet) -> None:
    """The packet socket's addresses, the link's own messages and its carrier are the kernel's, over a veth pair."""
    with Namespace() as host, Namespace() as far:
        where = far.run(lambda: f"/proc/{os.getpid()}/task/{threading.get_native_id()}/ns/net")
        host.ip("link", "add", "usb0", "type", "veth", "peer", "name", "board", "netns", where)
        agent = NamespaceAgent(host, "usb0")
        runner = PersonaRunner(agent, "s3-a", PLAIN, net.record)
        with NamespaceAgent(far, "board").open_packet_socket("s3-a") as board:
            board.settimeout(WITHIN_S)
            runner.start()
            host.ip("link", "set", "usb0", "up")
            far.ip("link", "set", "board", "up")
            discover = heard(board, dhcp.DISCOVER)
            board.sendto(dhcp_reply(dhcp.OFFER, discover), ("board", 0))
            board.sendto(dhcp_reply(dhcp.ACK, heard(board, dhcp.REQUEST)), ("board", 0))
            assert runner.wait_bound(WITHIN_S) == LEASED
            assert runner.mac == discover.chaddr
            far.ip("link", "set", "board", "down")
            net.until(LeaseLost(reason="link-down"))
            runner.stop()


def heard(board: socket.socket, kind: int) -> dhcp.DhcpMessage:
    """The next DHCP message of that kind on the wire."""
    while True:
        message = dhcp.from_frame(board.recv(65536))
        if message is not None and message.message_type == kind:
            return message
