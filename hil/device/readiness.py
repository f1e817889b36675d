"""A board's beginning and end in a test: attached, awake and idle, however the last test left it.

A board that was well once and is elsewhere now is brought back by :mod:`hil.device.recovery`. One that has not come up
yet is left as it is: that it does not is for the first test to tell, and no rung may hide it. A board that stays dead
is not tried again; each later test of it is told so, as an error of the bench.
"""

from collections.abc import Callable, Mapping
from typing import Protocol

from hil.board.identity import Identity
from hil.board.interfaces import Instant
from hil.board.sight import VBUS_OFF
from hil.clock import to_ns
from hil.device import ladder
from hil.device.bus_actions import BusActions
from hil.device.bus_sleep import BusSleep
from hil.device.chip import Chip, Parts
from hil.device.ladder import State
from hil.device.presence import Presence
from hil.device.recovery import Recovered, Recovery
from hil.device.terminal import Terminal
from hil.errors import BoardDead, BoardVanished, HilError
from hil.timeline.events import Acted, LoaderAsked, UsbAttached, UsbControl

ENUMERATION_S = 15.0
"""A chip's boot, enumeration and driver binding; the Linux hub driver itself tries for about 10 s."""
QUIET_S = 0.3
QUIET_WITHIN_S = 3.0


class Rescued(Protocol):
    """The actions of :class:`hil.UsbBoard` that are rungs."""

    plugged: bool

    @property
    def offers(self) -> frozenset[str]: ...
    def plug(self) -> Acted: ...
    def replug(self, off_s: float = 1.0) -> Acted: ...
    def resume(self) -> Acted: ...
    def usb_reset(self) -> Acted: ...
    def port_disable(self, off_s: float = 1.0) -> Acted: ...
    def reset(self, how: str = "", over: str = "usb") -> Acted: ...


class Readiness:
    """One board's.

    Args:
        board: whose actions are the rungs.
        parts: what they are done with.
        chip: what runs on it.
        bus: gives back what was taken away.
        presence: whether it is on the bus.
        sleep: whether a test let the bus sleep.
        terminal: somebody at its serial port.
    """

    def __init__(
        self,
        board: Rescued,
        parts: Parts,
        chip: Chip,
        bus: BusActions,
        *,
        presence: Presence,
        sleep: BusSleep,
        terminal: Terminal,
    ) -> None:
        self.dead = ""
        """Why it is not tried again, or ''."""
        self.on_recovered: Callable[[Recovered], None] = lambda recovered: None
        """Told when a board was brought back that nobody had asked to bring back."""
        self.on_rung: Callable[[str, State], None] = lambda rung, state: None
        """Told each rung before it is tried."""
        self.flash: Callable[[], Instant] | None = chip.flashing.flash if parts.spec.firmware else None
        """Writes the known build, where the bench has one."""
        self._board = board
        self._spec = parts.spec
        self._http_reset = bool(parts.profile.http.reset)
        self._chip = chip
        self._actions = parts.actions
        self._bus = bus
        self._presence = presence
        self._sleep = sleep
        self._terminal = terminal
        self._witness = parts.witness
        self._clock = parts.clock
        self._was_well = False
        self._instead = ""
        self._unasked = False
        """Whether what was there before this run has not been asked yet for a loader."""

    def inherit(self, instead: str = "") -> None:
        """The board was on the bench before this run: what is wrong with it is not what this run's firmware did.

        Args:
            instead: what is attached instead of it, for the message of one that stays dead.
        """
        self._was_well, self._instead, self._unasked = True, instead, True

    def make_ready(self) -> None:
        """
        Raises:
            BoardVanished: it is not on the bus, and has not been before.
            PortHeld: another process has its port; the next test tries again.
            BoardDead: it does not come back, now or in a test before.
        """
        if self.dead:
            raise BoardDead(f"{self.dead}\n  not tried again since")
        if not self._board.plugged:
            self._board.plug()
        self._bus.give_back()
        if not self._witness.until(self._presence.attached, ENUMERATION_S):
            self._bring_back()
        elif self._perhaps_in_loader():
            self._rescue()
        if self._sleep.asleep:
            self._board.resume()
        self._witness.until(self._quiet, QUIET_WITHIN_S)
        self._was_well = True

    def leave(self) -> None:
        """Undo what would disturb the next test, or the next user of the board."""
        if self._sleep.asleep and self._presence.attached():
            self._board.resume()
        if not self.dead and self._perhaps_in_loader():
            self._lead_out()
        self._terminal.restore()

    def end(self) -> None:
        """After the last test: a board that was well and is elsewhere is brought back for whoever comes next.

        A cable that this run has pulled is put back where its bench is closed.

        Raises:
            BoardDead: it does not come back.
            PortHeld: another process has its port.
        """
        if not self._was_well or self.dead or not self._board.plugged:
            return
        if not self._witness.until(self._presence.attached, ENUMERATION_S) or self._perhaps_in_loader():
            self._rescue()

    def recover(self) -> Recovered:
        """See :meth:`hil.UsbBoard.recover`."""
        try:
            recovery = Recovery(self._actions, self._where, self._clock, on_rung=self.on_rung)
            recovered = recovery.climb(self.rungs())
        except BoardDead as error:
            self.dead = "\n  ".join([str(error), *([self._instead] if self._instead else [])])
            raise BoardDead(self.dead) from error
        self.dead = self._instead = ""
        self._unasked = False
        self._was_well = True
        return recovered

    def rungs(self) -> Mapping[str, Callable[[], Instant]]:
        """What this bench can do about the board, by the ladder's names."""
        board, spec, power = self._board, self._spec, self._spec.power.driver
        able: dict[str, Callable[[], Instant]] = {
            ladder.WAIT: self._wait,
            ladder.PLUG: board.plug,
            ladder.RESUME: board.resume,
            ladder.LEAVE_LOADER: self._chip.bootloader.leave,
            ladder.USB_RESET: board.usb_reset,
        }
        if spec.console:
            able[ladder.RESET] = lambda: board.reset("dtr_rts")
        if spec.fallback and self._http_reset:
            able[ladder.HTTP_RESET] = lambda: board.reset("http", over="fallback")
        if self._bus.has_port_switch():
            able[ladder.PORT_CYCLE] = board.port_disable
        if power not in ("none", "manual") and VBUS_OFF in board.offers:
            able[ladder.POWER_CYCLE] = board.replug
        if self.flash is not None:
            able[ladder.FLASH] = self.flash
        return able

    def _bring_back(self) -> None:
        """A board that is not on the bus."""
        if not self._was_well:
            place = f"board {self._spec.name} is not on the bus at {self._spec.usb}"
            raise BoardVanished(f"{place} after {ENUMERATION_S:g} s")
        self._rescue()

    def _perhaps_in_loader(self) -> bool:
        """Whether a loader is there, as far as that can be told without disturbing an application.

        One over USB-Serial/JTAG looks like an application that leaves USB to it. SYNC would tell, and is that
        application's input: it counts what the board answered last, and before this run whatever is there.
        """
        modes = self._chip.modes
        if modes.in_loader():
            return True
        if modes.now() is not Identity.SERIAL_JTAG:
            return False
        self._witness.catch_up()
        timeline = self._witness.timeline
        came = timeline.last(UsbAttached(path=self._spec.usb))
        asked = timeline.last(LoaderAsked(board=self._spec.name, port="usb"))
        answered = isinstance(asked, LoaderAsked) and asked.answered and (came is None or came.t_ns < asked.t_ns)
        return self._unasked or answered

    def _lead_out(self) -> None:
        """One rung, and no ladder: where it does not work, the next test's beginning climbs."""
        try:
            self._chip.bootloader.leave()
        except HilError:
            return  # the attempt is in the timeline with its reason
        self.on_recovered(Recovered((ladder.LEAVE_LOADER,), State.LOADER))

    def _rescue(self) -> None:
        recovered = self.recover()
        if recovered.rungs:
            self.on_recovered(recovered)

    def _where(self, within_s: float) -> State:
        state = self._chip.eyes.look(within_s) if self._board.plugged else State.UNPLUGGED
        if state is State.WELL and self._chip.modes.now() is Identity.SERIAL_JTAG and self._chip.bootloader.listens():
            state = State.LOADER  # the chip's own, where its application would leave USB to the same function
        if not self._chip.flashing.unfinished:
            return state
        if state is State.WELL and self.flash is not None:
            return State.IN_DOUBT
        return State.HALF_FLASHED if state in ladder.NOT_RUNNING else state

    def _wait(self) -> Instant:
        """Nothing: the look that follows each rung has the patience."""
        return Acted("wait", t_ns=self._clock.now_ns(), t_err_ns=0)

    def _quiet(self) -> bool:
        """Whether the host's drivers have asked the board nothing for a while, as far as usbmon tells."""
        asked = self._witness.timeline.last(UsbControl(board=self._spec.name))
        return asked is None or self._clock.now_ns() - asked.t_ns > to_ns(QUIET_S)
