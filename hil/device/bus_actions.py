"""What a host can do to a board on its bus without touching its cable.

What the board sees is what the kernel then does: leaving authorization or the driver ``usb`` deconfigures the device
(usb_deauthorize_device, drivers/usb/core/hub.c; usb_generic_driver_disconnect, generic.c), USBDEVFS_RESET resets the
port and configures again (usb_reset_and_verify_device, hub.c), the port's ``disable`` takes the port's power away
(disable_store, port.c), which a hub without power switching carries out by letting the data lines go. See
docs/actions.md.
"""

from dataclasses import dataclass

from hil.board.interfaces import UsbAgent
from hil.board.sight import BUS_RESET, DISCONNECT, RECONFIGURE, SUSPEND, TRAFFIC
from hil.clock import Clock
from hil.device.actions import Actions
from hil.device.presence import Presence
from hil.errors import AgentError, AgentRefused, MisuseError, SetupError
from hil.timeline.events import Acted


@dataclass(frozen=True, slots=True)
class Cycle:
    """Something that is taken away and given back by one attribute."""

    away: str
    back: str
    """Names of the two actions."""
    attribute: str
    off: str
    on: str
    """Its values."""
    sees: str


AUTHORIZATION = Cycle("deauthorize", "authorize", "authorized", "0", "1", RECONFIGURE)
PORT = Cycle("port_disable", "port_enable", "port_disable", "1", "0", DISCONNECT)
DRIVERS = {
    "usb": Cycle("unbind", "bind", "bound", "0", "1", RECONFIGURE),
    "cdc_ncm": Cycle("unbind", "bind", "bound_ncm", "0", "1", TRAFFIC),
}
"""By the driver that is unbound; of that of an interface the board sees SET_INTERFACE."""


class BusActions:
    """The actions of one board; what a test has taken away and not given back is known."""

    def __init__(self, actions: Actions, agent: UsbAgent, presence: Presence, clock: Clock, supply: str) -> None:
        self._actions = actions
        self._agent = agent
        self._presence = presence
        self._clock = clock
        self._board = actions.board
        self._own_supply = supply == "own"
        self._away: list[Cycle] = []

    def offers(self) -> set[str]:
        """What the board can be made to see by them, on this machine."""
        return {RECONFIGURE, BUS_RESET, *([self._seen(PORT)] if self.has_port_switch() else ())}

    def has_port_switch(self) -> bool:
        """Whether this kernel lets a hub's port be disabled."""
        try:
            self._agent.read_attribute(self._board, PORT.attribute)
        except SetupError:
            return False
        return True

    def authorize_cycle(self, off_s: float) -> Acted:
        return self._cycle(AUTHORIZATION, off_s)

    def port_disable(self, off_s: float) -> Acted:
        return self._cycle(PORT, off_s)

    def rebind(self, driver: str, off_s: float) -> Acted:
        """
        Raises:
            MisuseError: ``driver`` is not one that can be unbound.
        """
        if driver not in DRIVERS:
            known = ", ".join(map(repr, DRIVERS))
            raise MisuseError(f"rebind of board {self._board}: driver {driver!r} is not known; known: {known}")
        return self._cycle(DRIVERS[driver], off_s, driver)

    def usb_reset(self) -> Acted:
        agent, board = self._agent, self._board
        return self._actions.perform(
            "usb_reset", BUS_RESET, lambda: self._presence.reach(lambda: agent.reset_device(board))
        )

    def give_back(self) -> None:
        """Give back what a test took away and did not come to give back, the latest first."""
        while self._away:
            cycle = self._away.pop()
            if self._is_away(cycle):
                self._write(cycle.back, cycle, cycle.on, "")

    def _cycle(self, cycle: Cycle, off_s: float, detail: str = "") -> Acted:
        self._away.append(cycle)
        taken = self._write(cycle.away, cycle, cycle.off, detail)
        self._clock.sleep(off_s)
        self._write(cycle.back, cycle, cycle.on, detail)
        self._away.remove(cycle)
        return taken

    def _is_away(self, cycle: Cycle) -> bool:
        """What was taken from a device that has gone went with it."""
        try:
            return self._agent.read_attribute(self._board, cycle.attribute) != cycle.on
        except AgentRefused:
            raise
        except AgentError:
            self._agent.boards_known()  # raises where it is the agent that is gone
            return False

    def _write(self, name: str, cycle: Cycle, value: str, detail: str) -> Acted:
        agent, board = self._agent, self._board
        return self._actions.perform(
            name,
            self._seen(cycle),
            lambda: self._presence.reach(lambda: agent.write_attribute(board, cycle.attribute, value)),
            detail,
        )

    def _seen(self, cycle: Cycle) -> str:
        """Nothing but silence tells a board with a supply of its own that its port went."""
        return SUSPEND if cycle is PORT and self._own_supply else cycle.sees
