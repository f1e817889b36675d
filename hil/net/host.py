"""The ``host`` fixture: the computer that the board is plugged into, as one persona or another."""

import ipaddress
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, TypeVar

from hil import personas
from hil.agent.replies import Done
from hil.board.interfaces import Instant
from hil.clock import now_ns
from hil.errors import BoardFailure, HarnessError, MisuseError
from hil.net.arp_peer import AddressAsker, AddressSquatter, ArpPeer
from hil.net.interface_runner import NetAgent
from hil.net.lease_peer import LeasePeer
from hil.net.persona_runner import PersonaRunner
from hil.personas.arp_hosts import Asker, Mirror, Squatter
from hil.personas.client_profile import ClientProfile
from hil.personas.lease_server import LeasePlan
from hil.timeline.events import Event
from hil.wire import dhcp
from hil.wire.ethernet import BROADCAST, ETHERTYPE_IPV4, EthernetFrame
from hil.wire.icmp import IcmpEcho
from hil.wire.ipv4 import PROTOCOL_ICMP, Ipv4Packet

LEASE_S = 20.0
"""Longest sensible wait for a first lease: enumeration, the firmware's link kick and two DHCPDISCOVERs."""
FAILURE_S = 90.0
"""Longest sensible wait for a host to give up: Apple's ten DHCPDISCOVERs take 73 s at most."""

ASK_S, CLAIM_S = 0.25, 0.5
"""How often a host asks for an address, and how often one that has it says so."""
ECHO_S = 0.003
"""After which a frame comes back."""
FORGETFUL_XID = 0x48490000
"""Of the DISCOVERs that :meth:`Persona.discover_again` sends; the next one has the next number."""


P = TypeVar("P", bound=ArpPeer)


class Persona:
    """One host behaviour; it begins with :meth:`start` and runs until the test ends."""

    def __init__(
        self, agent: NetAgent, profile: ClientProfile, record: Callable[[Event], Event], seed: int = 1
    ) -> None:
        self.name = profile.name
        self._agent = agent
        self._profile = profile
        self._record = record
        self._seed = seed
        self._runner: PersonaRunner | None = None
        self._asked = 0

    def __repr__(self) -> str:
        return f"persona {self.name}"

    @property
    def address(self) -> str:
        """The leased address, or ''."""
        return self._running().address

    @property
    def link_local(self) -> str:
        """The address of 169.254/16 that the host has given itself for want of a lease, or ''."""
        return self._running().link_local

    @property
    def state(self) -> str:
        """State of its DHCP client, one of :mod:`hil.personas.states`."""
        return self._running().state

    def start(self, board: str) -> None:
        """Behave like this host from now on; what the board makes of it is for the test to judge."""
        if self._runner is not None:
            raise MisuseError(f"persona {self.name!r} runs already; a test starts it once")
        self._runner = PersonaRunner(self._agent, board, self._profile, self._record, self._seed)
        self._runner.start()

    def connect(self, board: str, within_s: float = LEASE_S) -> str:
        """Start, and wait for a lease: the way into a scenario that is about what comes after.

        Returns:
            The leased address.
        """
        self.start(board)
        return self.wait_for_lease(within_s)

    def wait_for_lease(self, within_s: float = LEASE_S) -> str:
        """The leased address.

        Raises:
            BoardFailure: there was none within ``within_s``.
            HarnessError: there was one and its address could not be set, or the persona has failed.
        """
        runner = self._running()
        address = runner.wait_bound(within_s)
        runner.check()
        if not address and runner.refused:
            raise HarnessError(f"persona {self.name!r} got a lease and cannot have its address: {runner.refused}")
        if not address:
            raise BoardFailure(f"persona {self.name!r} got no lease within {within_s:g} s; {_state(runner)}")
        return address

    def wait_for_failure(self, within_s: float = FAILURE_S) -> str:
        """Let the host give up, which a test does before it heals the board.

        Returns:
            What it has stopped waiting for: 'OFFER', or 'carrier'.

        Raises:
            MisuseError: this persona never gives up.
            BoardFailure: it has not within ``within_s``.
            HarnessError: the persona has failed.
        """
        runner = self._running()
        if not self._profile.gives_up:
            able = ", ".join(repr(name) for name, profile in sorted(personas.PERSONAS.items()) if profile.gives_up)
            raise MisuseError(f"persona {self.name!r} never gives up; those that do: {able}")
        gave_up = runner.wait_gave_up(within_s)
        runner.check()
        if gave_up is None:
            raise BoardFailure(f"persona {self.name!r} has not given up within {within_s:g} s; {_state(runner)}")
        return gave_up.awaited

    def ping_as_nobody(self) -> str:
        """Send the board one ICMP echo request from an address of its subnet that nobody answers ARP for.

        Returns:
            That address: the last but one of the leased subnet.

        The board must ask for ``source`` before it can reply, and asks again about once a second (lwIP etharp.c
        etharp_tmr, Linux net/core/neighbour.c): frames of its own that no host traffic triggers.
        """
        runner = self._running()
        lease = runner.lease
        if lease is None or not lease.server:
            raise MisuseError(f"persona {self.name!r} has no lease that names its server; connect(board) gets one")
        subnet = ipaddress.IPv4Network(f"{lease.address}/{lease.prefix}", strict=False)
        nobody = str(subnet.broadcast_address - 2)
        echo = IcmpEcho(reply=False, ident=0x4849, sequence=1, payload=b"hil").pack()
        packet = Ipv4Packet(src=nobody, dst=lease.server, protocol=PROTOCOL_ICMP, payload=echo).pack()
        frame = EthernetFrame(dst=runner.board_mac, src=runner.mac, ethertype=ETHERTYPE_IPV4, payload=packet)
        runner.send(frame.pack())
        return nobody

    def discover_again(self) -> Instant:
        """Send one DHCPDISCOVER of the host's own beside its lease, as a client that has forgotten it.

        Returns:
            The instant before it was sent. Its OFFER is not taken, and the lease stays as it is.
        """
        runner = self._running()
        self._asked += 1
        options = ((dhcp.OPTION_MESSAGE_TYPE, bytes((dhcp.DISCOVER,))),)
        message = dhcp.DhcpMessage(
            op=dhcp.BOOTREQUEST, xid=FORGETFUL_XID + self._asked, chaddr=runner.mac, options=options
        )
        began = Done(now_ns(), 0)
        runner.send(dhcp.frame(message, runner.mac, BROADCAST, "0.0.0.0", "255.255.255.255"))
        return began

    def stop(self) -> None:
        if self._runner is not None:
            runner, self._runner = self._runner, None
            runner.stop()

    def _running(self) -> PersonaRunner:
        if self._runner is None:
            raise MisuseError(f"persona {self.name!r} has not been started; known: start(board), connect(board)")
        return self._runner


def _state(runner: PersonaRunner) -> str:
    """How far the host has got, for a message."""
    known = [f"its DHCP state: {runner.state}"]
    if runner.gave_up is not None:
        known.append(f"it gave up waiting for {runner.gave_up.awaited} at try {runner.gave_up.tries}")
    known += [f"its address: {address}" for address in (runner.address, runner.link_local) if address]
    return ", ".join(known)


class Host:
    """Gives out personas, and ends them with the test."""

    def __init__(self, agent: NetAgent, record: Callable[[Event], Event], seed: int = 1) -> None:
        self._agent = agent
        self._record = record
        self._seed = seed
        self._personas: list[Persona | ArpPeer] = []

    def persona(self, name: str, /, **options: Any) -> Persona:
        """The persona called ``name``, not yet started.

        Args:
            name: 'ios', 'linux' or 'macos'.
            options: figures of its :class:`~hil.personas.client_profile.ClientProfile` to be otherwise.

        Raises:
            BenchError: there is no such persona or option; the message lists those there are.
        """
        seed = self._seed + len(self._personas)
        persona = Persona(self._agent, personas.find(name, **options), self._record, seed)
        self._personas.append(persona)
        return persona

    def asker(self, asks_for: str, address: str = "", every_s: float = ASK_S) -> AddressAsker:
        """A host that asks by ARP for the address ``asks_for`` every ``every_s``, not yet started: who answers has it.

        Args:
            address: its own; the last but one of the /24 where it is ''.
            every_s: 0: it asks when the test says so.
        """
        subnet = ipaddress.IPv4Network(f"{asks_for}/24", strict=False)
        machine = Asker(address or str(subnet.broadcast_address - 2), asks_for, every_s)
        return self._with(AddressAsker(self._agent, machine, self._record))

    def mirror(self) -> ArpPeer:
        """A host that sends each broadcast of the board back as it was, not yet started."""
        return self._with(ArpPeer(self._agent, "mirror", Mirror(ECHO_S), self._record))

    def squatter(self, address: str, holds: bool = True) -> AddressSquatter:
        """A host that has ``address``, not yet started: it answers for it and announces it.

        Args:
            holds: False: it says nothing by itself, and what the test has it send is all.
        """
        machine = Squatter(address, CLAIM_S if holds else 0.0)
        return self._with(AddressSquatter(self._agent, machine, self._record))

    def dhcp_server(self, **plan: Any) -> LeasePeer:
        """A DHCP server for a board that is a client, not yet started.

        Args:
            plan: fields of :class:`~hil.personas.lease_server.LeasePlan` to be otherwise.
        """
        return self._with(LeasePeer(self._agent, LeasePlan(**plan), self._record))

    def _with(self, peer: P) -> P:
        self._personas.append(peer)
        return peer

    def stop(self) -> None:
        """End every persona, whatever becomes of the others.

        Raises:
            HarnessError: one of them had failed.
        """
        with ExitStack() as ending:
            while self._personas:
                ending.callback(self._personas.pop(0).stop)
