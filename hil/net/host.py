"""The ``host`` fixture: the computer that the board is plugged into, as one persona or another."""

import ipaddress
from collections.abc import Callable
from contextlib import ExitStack

from hil import personas
from hil.errors import BoardFailure, HarnessError, MisuseError
from hil.net.persona_runner import NetAgent, PersonaRunner
from hil.personas.client_profile import ClientProfile
from hil.timeline.events import Event
from hil.wire.ethernet import ETHERTYPE_IPV4, EthernetFrame
from hil.wire.icmp import IcmpEcho
from hil.wire.ipv4 import PROTOCOL_ICMP, Ipv4Packet

LEASE_S = 20.0
"""Longest sensible wait for a first lease: enumeration, the firmware's link kick and two DHCPDISCOVERs."""


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

    @property
    def address(self) -> str:
        """The leased address, or ''."""
        return self._running().address

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
            raise BoardFailure(
                f"persona {self.name!r} got no lease within {within_s:g} s; its DHCP state: {runner.state}"
            )
        return address

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

    def stop(self) -> None:
        if self._runner is not None:
            runner, self._runner = self._runner, None
            runner.stop()

    def _running(self) -> PersonaRunner:
        if self._runner is None:
            raise MisuseError(f"persona {self.name!r} has not been started; known: start(board), connect(board)")
        return self._runner


class Host:
    """Gives out personas, and ends them with the test."""

    def __init__(self, agent: NetAgent, record: Callable[[Event], Event], seed: int = 1) -> None:
        self._agent = agent
        self._record = record
        self._seed = seed
        self._personas: list[Persona] = []

    def persona(self, name: str) -> Persona:
        """The persona called ``name``, not yet started.

        Raises:
            BenchError: there is none; the message lists those there are.
        """
        seed = self._seed + len(self._personas)
        persona = Persona(self._agent, personas.find(name), self._record, seed)
        self._personas.append(persona)
        return persona

    def stop(self) -> None:
        """End every persona, whatever becomes of the others.

        Raises:
            HarnessError: one of them had failed.
        """
        with ExitStack() as ending:
            while self._personas:
                ending.callback(self._personas.pop(0).stop)
