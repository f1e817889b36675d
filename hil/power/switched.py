"""Power that the agent switches: a hub's port through uhubctl, or a relay by the command that the allow list names.

What is run is the agent's and its root-owned allow list's; from here comes only what bench.toml says of the board, and
the agent refuses where its list says something else, or where anything that the list does not name would lose its
power too.
"""

from typing import Protocol

from hil.bench import Power
from hil.board.interfaces import Instant
from hil.board.sight import VBUS_OFF


class Switcher(Protocol):
    """What is needed of :class:`hil.agent.client.Agent`."""

    def switch_power(self, board: str, power: str, on: bool) -> Instant: ...


class Switched:
    """Drivers ``uhubctl`` and ``relay``.

    ``off`` and ``on`` raise AgentRefused where the allow list stands against it, SetupError where uhubctl is missing or
    the hub cannot switch, AgentError with the exit status where the command failed or the power is not as wanted.
    """

    sees = VBUS_OFF

    def __init__(self, agent: Switcher, board: str, power: Power) -> None:
        self._agent = agent
        self._board = board
        self._power = str(power)

    def off(self) -> Instant:
        return self._agent.switch_power(self._board, self._power, on=False)

    def on(self) -> Instant:
        return self._agent.switch_power(self._board, self._power, on=True)
