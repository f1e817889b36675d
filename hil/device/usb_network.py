"""Reaching a board over its own USB network where no host plays its part there: an address for a while."""

import ipaddress
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Protocol

from hil.bench import Board
from hil.board.interfaces import Instant
from hil.device.witness import Witness
from hil.errors import AgentError, AgentRefused
from hil.profiles import Profile
from hil.profiles.network import Network
from hil.timeline.events import Acted, AddressRemoved, AddressSet

ADOPTED = "interface_adopted"
"""The agent has the board's interface in the board's namespace, and has set it up."""


class NetworkAgent(Protocol):
    """What :class:`UsbNetwork` needs of the agent."""

    def set_address(self, board: str, address: str, prefix: int, router: str = "") -> Instant: ...
    def clear_address(self, board: str) -> Instant: ...


class UsbNetwork:
    """The host's side of one board's NCM interface."""

    def __init__(self, spec: Board, profile: Profile, agent: NetworkAgent, witness: Witness) -> None:
        self._spec = spec
        self._network = profile.network
        self._agent = agent
        self._witness = witness

    @contextmanager
    def joined(self, since_ns: int, within_s: float) -> Iterator[bool]:
        """While the host has an address in the board's network; yields whether it has.

        A persona's address is used as it is. The board's server gives away no other address for ours: it is one of the
        network that the profile has no use for.

        Args:
            since_ns: the board's interface is one that has come since then.
            within_s: for the interface.
        """
        address = spare_address(self._network)
        adopted = Acted(ADOPTED, board=self._spec.name)
        if not address or self._witness.find(adopted, since_ns, within_s) is None:
            yield False
            return
        if self._has_address(since_ns):
            yield True
            return
        try:
            self._agent.set_address(self._spec.name, address, self._network.prefix)
        except AgentRefused:
            raise
        except AgentError:
            yield False  # the board has just gone, and its interface with it
            return
        try:
            yield True
        finally:
            with suppress(AgentError):
                self._agent.clear_address(self._spec.name)

    def _has_address(self, since_ns: int) -> bool:
        changes = (e for e in self._witness.timeline.since(since_ns) if isinstance(e, AddressSet | AddressRemoved))
        latest = next((e for e in reversed([*changes]) if e.board == self._spec.name), None)
        return isinstance(latest, AddressSet)


def spare_address(network: Network) -> str:
    """The highest address of the board's network that its firmware names in no part; '' where it names no network."""
    if not network.address:
        return ""
    named = (network.address, network.router, network.dns)
    whole = ipaddress.IPv4Network(f"{network.address}/{network.prefix}", strict=False)
    downwards = range(int(whole.broadcast_address) - 1, int(whole.network_address), -1)
    hosts = (str(ipaddress.IPv4Address(number)) for number in downwards)
    return next((host for host in hosts if host not in named and not network.serves(host)), "")
