"""The BOOT line: held by a relay that the agent switches, or on the virtual board."""

from typing import Protocol

from hil.bench import Boot
from hil.board.interfaces import Instant
from hil.power.virtual_control import VirtualControl


class Holder(Protocol):
    """What is needed of :class:`hil.agent.client.Agent`."""

    def hold_boot(self, board: str, boot: str, on: bool) -> Instant: ...


class BootRelay:
    """Driver ``relay``; what is run is the root-owned allow list's.

    ``hold`` and ``let_go`` raise AgentRefused where the allow list says something else, AgentError with the exit status
    where the command failed. The agent lets go by itself when its client ends.
    """

    def __init__(self, agent: Holder, board: str, boot: Boot) -> None:
        self._agent = agent
        self._board = board
        self._boot = str(boot)

    def hold(self) -> Instant:
        return self._agent.hold_boot(self._board, self._boot, on=True)

    def let_go(self) -> Instant:
        return self._agent.hold_boot(self._board, self._boot, on=False)


class VirtualButton:
    """Driver ``virtual``: the BOOT button of the virtual board."""

    def __init__(self, control: VirtualControl) -> None:
        self._control = control

    def hold(self) -> Instant:
        return self._control.do("hold_boot", on=True)

    def let_go(self) -> Instant:
        return self._control.do("hold_boot", on=False)
