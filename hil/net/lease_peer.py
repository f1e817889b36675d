"""The DHCP server of the ``host`` fixture, for boards that are DHCP clients."""

from collections.abc import Callable

from hil.errors import AgentError
from hil.net.arp_peer import ArpPeer
from hil.net.interface_runner import InterfaceRunner, NetAgent
from hil.personas.commands import Command, OwnAddress
from hil.personas.lease_server import LeasePlan, LeaseServer
from hil.timeline.events import Event, PersonaNote


class LeasePeer(ArpPeer):
    """A DHCP server on the board's interface; it begins with :meth:`start` and runs until the test ends."""

    def __init__(self, agent: NetAgent, plan: LeasePlan, record: Callable[[Event], Event]) -> None:
        super().__init__(agent, "dhcp_server", LeaseServer(plan), record)
        self.plan = plan

    def _make(self, board: str) -> InterfaceRunner:
        return LeaseRunner(self._agent, board, self.name, self._machine, self._record)


class LeaseRunner(InterfaceRunner):
    """Gives the computer the address that the server wants it to have."""

    def _do(self, command: Command) -> None:
        match command:
            case OwnAddress(address, prefix):
                self._set(address, prefix)
            case _:
                super()._do(command)

    def _set(self, address: str, prefix: int) -> None:
        try:
            self._agent.set_address(self._board, address, prefix)
        except AgentError as error:
            self._agent.boards_known()  # raises where it is the agent that is gone
            self._tell(PersonaNote(str(error), self.name))
