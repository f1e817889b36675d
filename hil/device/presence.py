"""Whether a board is on the bus: the timeline tells it, and where the timeline is silent the kernel is the judge.

A uevent says when a device came or went, and the timeline has it for good; so it is asked first. But a device that is
pulled before the kernel has enumerated it leaves without a uevent, and one that was there before the run came without.
"""

from collections.abc import Callable
from typing import TypeVar

from hil.bench import Board
from hil.board.interfaces import UsbAgent
from hil.device.witness import Witness
from hil.errors import AgentError, AgentRefused, BoardVanished

UEVENT_S = 1.0
"""Between the kernel's sysfs that no longer shows a device and the uevent that says so, where one comes at all."""
T = TypeVar("T")


class Presence:
    """One board's device at its topology path."""

    def __init__(self, spec: Board, agent: UsbAgent, witness: Witness) -> None:
        self._spec = spec
        self._agent = agent
        self._witness = witness
        self._doubted = False
        """The timeline has missed that it went."""

    def attached(self) -> bool:
        """On the bus; the kernel is asked before the timeline tells of it, and once the two have disagreed."""
        known = self._witness.attached(self._spec.usb)
        return self.on_bus() if known is None or self._doubted else known

    def on_bus(self) -> bool:
        """Whether the kernel has a device there now."""
        try:
            self._agent.read_attribute(self._spec.name, "runtime_status")
        except AgentRefused:
            raise
        except AgentError:
            self._agent.boards_known()  # raises where it is the agent that is gone
            return False
        return True

    def gone(self, within_s: float) -> bool:
        """Whether it leaves the bus ``within_s``: by a uevent, or else for the kernel."""
        if not self._leaves(within_s):
            return False
        self._wait_for_uevent()
        return True

    def reach(self, call: Callable[[], T]) -> T:
        """What ``call`` of the agent returns.

        Raises:
            BoardVanished: it failed because the board is gone.
            AgentError: it failed for another reason.
        """
        try:
            return call()
        except AgentRefused:
            raise
        except AgentError as error:
            self._agent.boards_known()  # raises where it is the agent that is gone
            if not self.gone(UEVENT_S):
                raise
            raise BoardVanished(f"board {self._spec.name} is not on the bus at {self._spec.usb}: {error}") from error

    def _leaves(self, within_s: float) -> bool:
        return self._witness.until(lambda: not self.attached() or not self.on_bus(), within_s)

    def _wait_for_uevent(self) -> None:
        """Let the timeline tell that it has gone; believe the kernel alone where it does not."""
        self._doubted = not self._witness.until(lambda: self._witness.attached(self._spec.usb) is not True, UEVENT_S)
