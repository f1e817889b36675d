"""The hub port's own ``disable`` attribute: a disconnect that every hub can do.

Source: Linux Documentation/ABI/testing/sysfs-bus-usb, ``<hub>:1.0/<hub>-port<n>/disable``. VBUS stays on most hubs,
so a board only loses the data lines.
"""

from hil.agent.client import Agent
from hil.board.interfaces import Instant
from hil.board.sight import DISCONNECT


class HubPort:
    """Driver ``none``: nothing but what the hub itself can do."""

    sees = DISCONNECT

    def __init__(self, agent: Agent, board: str) -> None:
        self._agent = agent
        self._board = board

    def off(self) -> Instant:
        return self._agent.write_attribute(self._board, "port_disable", "1")

    def on(self) -> Instant:
        return self._agent.write_attribute(self._board, "port_disable", "0")
