"""The DHCP client machine under whatever comes, in whatever order."""

import random
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from hil.clock import to_ns
from hil.personas import PERSONAS
from hil.personas.client_profile import ClientProfile
from hil.personas.commands import ClearAddress, Command, Doubted, SetAddress, StateChanged
from hil.personas.dhcp_client import TRANSITIONS, DhcpClient
from hil.personas.states import HOLDING, REQUESTING, SILENT, STATES
from hil.testing.driven_client import PLAIN, sent
from hil.testing.fake_net import BOARD_IP, HOST_MAC, LEASED, dhcp_reply
from hil.wire import dhcp

OTHER_SERVER = "192.168.7.9"
OTHER_MAC = "02:02:11:22:33:07"
EAGER = ClientProfile(name="eager", starts_without_carrier=True)

REPLY: dict[str, list[Any]] = {
    "kind": [dhcp.OFFER, dhcp.ACK, dhcp.NAK, dhcp.NAK, dhcp.DISCOVER],
    "xid": ["right", "right", "right", "wrong"],
    "server": [BOARD_IP, BOARD_IP, OTHER_SERVER, ""],
    "address": [LEASED, LEASED, "192.168.7.3", "0.0.0.0", "10.0.0.1", "255.255.255.255"],
    "mask": ["255.255.255.0", "", "255.0.255.0", "0.0.0.0", "255.255.255.255"],
    "router": ["", "192.168.7.254", "10.0.0.254"],
    "lease_s": [0, 1, 60, 0xFFFFFFFF],
}
STEPS = ["answer"] * 8 + ["wake"] * 8 + ["reply"] * 4 + ["up"] * 3 + ["attached"] * 2 + ["down", "detached", "bytes"]
INTERFACES = [(HOST_MAC, True), (HOST_MAC, False), (OTHER_MAC, True)]


@dataclass(frozen=True)
class Moment:
    """One step, and what came of it."""

    what: str
    now_ns: int
    before: str
    state: str
    commands: list[Command]
    asked: dhcp.DhcpMessage
    """The last message before it."""
    reply: dict[str, Any]
    carrier: bool
    mac: str
    deadline_ns: int | None

    @property
    def sent(self) -> list[dhcp.DhcpMessage]:
        return sent(self.commands)


@dataclass
class History:
    """A client of one profile through a series of steps."""

    profile: ClientProfile
    moments: list[Moment]


class Drive:
    """Takes a client through arbitrary steps; an answer is a reply with which nothing is wrong."""

    def __init__(self, profile: ClientProfile, dice: random.Random) -> None:
        self.dice = dice
        self.machine = DhcpClient(profile, HOST_MAC, random.Random(7))
        self.now_ns = 0
        self.present = True
        self.carrier = False
        self.asked = dhcp.DhcpMessage(op=dhcp.BOOTREQUEST, xid=0, chaddr=HOST_MAC)

    def step(self) -> Moment:
        self.now_ns += to_ns(0.4)
        before, asked = self.machine.state, self.asked
        what = self.dice.choice(STEPS)
        given = {name: self.dice.choice(values) for name, values in REPLY.items()}
        if what == "answer":
            what = "reply"
            kind = dhcp.OFFER if asked.message_type == dhcp.DISCOVER else dhcp.ACK
            given = {"kind": kind, "xid": "right", "server": BOARD_IP}
        commands = self.reply(**given) if what == "reply" else self.other(what)
        machine = self.machine
        moment = Moment(
            what,
            self.now_ns,
            before,
            machine.state,
            commands,
            asked,
            given if what == "reply" else {},
            self.carrier,
            machine.mac,
            machine.deadline_ns,
        )
        self.asked = moment.sent[-1] if moment.sent else asked
        return moment

    def reply(self, kind: int, xid: str, **fields: Any) -> list[Command]:
        to = self.asked if xid == "right" else replace(self.asked, xid=self.asked.xid ^ 1)
        return self.machine.receive(dhcp_reply(kind, to, **fields), self.now_ns)

    def other(self, what: str) -> list[Command]:
        machine = self.machine
        match what:
            case "up" | "down":
                self.carrier = self.present and what == "up"
                return machine.link_changed(what == "up", self.now_ns)
            case "attached":
                self.present = True
                mac, self.carrier = self.dice.choice(INTERFACES)
                return machine.attached(mac, self.carrier, self.now_ns)
            case "detached":
                self.present = self.carrier = False
                return machine.detached(self.now_ns)
            case "bytes":
                return machine.receive(self.dice.randbytes(self.dice.randrange(400)), self.now_ns)
        self.now_ns = max(self.now_ns, machine.deadline_ns or 0)
        return machine.wake(self.now_ns)


def told(profile: ClientProfile, seed: int, length: int) -> History:
    drive = Drive(profile, random.Random(seed))
    return History(profile, [drive.step() for _ in range(length)])


HISTORIES = st.builds(
    told,
    st.sampled_from([PLAIN, EAGER, *PERSONAS.values()]),
    st.integers(0, 2**32 - 1),
    st.integers(1, 60),
)
"""A seed makes the steps, so that many are cheap; their number shrinks."""


@settings(deadline=None)
@given(HISTORIES)
def test_every_step_is_one_of_the_table(history: History) -> None:
    """The states are legal ones, each change of them is told, and the table has it."""
    pairs = {(before, state) for (before, _), (state, _) in TRANSITIONS.items()}
    for moment in history.moments:
        assert moment.state in STATES
        changes = [command for command in moment.commands if isinstance(command, StateChanged)]
        at = moment.before
        for change in changes:
            assert change.previous == at
            assert (at, change.state) in pairs
            at = change.state
        assert at == moment.state


@settings(deadline=None)
@given(HISTORIES)
def test_nothing_is_sent_in_a_silent_state(history: History) -> None:
    """Only a link or an interface ends one; there is nothing to wait for in it."""
    for moment in history.moments:
        if moment.state in SILENT:
            assert moment.deadline_ns is None
            assert moment.state == moment.before or not moment.sent
        if moment.before in SILENT and moment.what not in ("up", "attached"):
            assert moment.state in SILENT
            assert not moment.sent


@settings(deadline=None)
@given(HISTORIES)
def test_nothing_is_sent_without_carrier(history: History) -> None:
    """Whatever state the client is in."""
    assert all(moment.carrier or not moment.sent for moment in history.moments)


@settings(deadline=None)
@given(HISTORIES)
def test_a_client_speaks_for_itself_and_in_its_own_words(history: History) -> None:
    """Every message carries the interface's address and the profile's option 55."""
    for message in (message for moment in history.moments for message in moment.sent):
        assert message.option(dhcp.OPTION_PARAMETER_LIST) == bytes(history.profile.requested)
    assert all(message.chaddr == moment.mac for moment in history.moments for message in moment.sent)


@settings(deadline=None)
@given(HISTORIES)
def test_a_lease_is_an_answer_to_a_request_of_the_same_exchange(history: History) -> None:
    """It comes from an ACK, or with the end of the time that one was held for."""
    for moment in history.moments:
        if any(isinstance(command, SetAddress) for command in moment.commands):
            assert moment.asked.message_type == dhcp.REQUEST
            if moment.what == "wake":
                assert history.profile.gather_acks_s
            else:
                assert (moment.reply["kind"], moment.reply["xid"]) == (dhcp.ACK, "right")


@settings(deadline=None)
@given(HISTORIES)
def test_no_lease_comes_from_another_server_untold(history: History) -> None:
    """Only where the profile takes it, and then with a doubt."""
    for moment in history.moments:
        asked = moment.asked.address_option(dhcp.OPTION_SERVER_ID)
        server = moment.reply.get("server")
        granted = any(isinstance(command, SetAddress) for command in moment.commands)
        if granted and moment.before == REQUESTING and server and asked and server != asked:
            assert REQUESTING not in history.profile.ack.other_server_ignored_in
            assert any(isinstance(command, Doubted) and command.reason == "other-server" for command in moment.commands)


@settings(deadline=None)
@given(HISTORIES)
def test_the_address_is_there_exactly_while_the_lease_is_held(history: History) -> None:
    """It is cleared once, and it is the one that was set."""
    address = ""
    for moment in history.moments:
        for command in moment.commands:
            if isinstance(command, SetAddress):
                address = command.address
            elif isinstance(command, ClearAddress):
                assert command.address == address != ""
                address = ""
        assert bool(address) == (moment.state in HOLDING)


@settings(deadline=None)
@given(HISTORIES)
def test_a_client_that_was_woken_has_nothing_due(history: History) -> None:
    """So that its caller can wait."""
    woken = [moment for moment in history.moments if moment.what == "wake"]
    assert all(moment.deadline_ns is None or moment.deadline_ns > moment.now_ns for moment in woken)
