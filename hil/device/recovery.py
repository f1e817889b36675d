"""From wherever a board is to its application, by the gentlest rung that works.

:mod:`hil.device.ladder` chooses; this looks where the board is, carries the rungs out, and writes each of them into the
timeline. What a rung says in failing is kept for the last word; where the board is afterwards is what counts. A port
that another process holds is waited for and then ends the climb: no rung may pull the board from under its user.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from hil.agent.replies import PortHeld
from hil.bench import Board
from hil.board.identity import LOADERS, Identity
from hil.board.interfaces import Instant, UsbAgent
from hil.board.sight import NOTHING
from hil.clock import NS_PER_S, Clock, Deadline
from hil.device.actions import Actions
from hil.device.ladder import State, next_rung
from hil.device.mode import Modes
from hil.device.witness import Witness
from hil.errors import AgentError, AgentRefused, BoardDead, BuildError, FlashRefused, HilError
from hil.timeline.events import BootMessage, EnumerationFailed, UsbAttached, UsbDetached

RECOVER_S = 300.0
"""For one climb: six rungs of an enumeration each, and two full writes over USB."""
COMES_S = 15.0
"""After a rung: a boot, an enumeration, the drivers."""
LOADER_S = 4.0
"""A loader's identity that is there for so long is no passing one: a chip shows it for a moment before its application
takes the bus, and for good where what is in its flash does not run."""
STEADY_S = 1.0
"""An application that stays on the bus for so long is no boot loop: a panic in ``app_main`` comes sooner. One that
leaves to be heard by a silent host stays longer before it does (the reference firmware 2 s)."""
HELD_S = 15.0
"""For whoever has just opened the board's port to let go of it, such as what probes each new port for a modem."""
AGAIN_S = 1.0
LOOP_S = 10.0
LOOPS = 3
"""So many boots in :data:`LOOP_S` are a boot loop, and so many comings that do not last :data:`STEADY_S`."""


@dataclass(frozen=True, slots=True)
class Recovered:
    """How a board came back."""

    rungs: tuple[str, ...] = ()
    """In the order in which they were tried; () where it was well."""
    was: State = State.WELL
    """Where it had been."""

    def __str__(self) -> str:
        if not self.rungs:
            return "runs its application; nothing was done"
        return f"runs its application; it {_past(self.was)}, and came back by {', '.join(self.rungs)}"


@dataclass
class _Climb:
    was: State
    tried: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    """Rungs that would end the same again."""

    def left(self, deeds: Iterable[str]) -> list[str]:
        """The rungs that may be tried."""
        return [name for name in deeds if name not in self.refused]


class Eyes:
    """Looks where a board is."""

    def __init__(self, spec: Board, agent: UsbAgent, modes: Modes, witness: Witness, clock: Clock) -> None:
        self._spec = spec
        self._agent = agent
        self._modes = modes
        self._witness = witness
        self._clock = clock

    def look(self, within_s: float = 0.0) -> State:
        """Where the board is, once its application has come or ``within_s`` have passed; an application is watched.

        It is well once it has stayed on the bus for a second.
        """
        identity = self._identity(within_s)
        if identity in self._modes.applications:
            if self._asleep():
                return State.SUSPENDED
            return State.WELL if self._stays() else State.RESTARTING
        known = {Identity.OTHER: State.FOREIGN, **dict.fromkeys(LOADERS, State.LOADER)}
        return known.get(identity) or self._absent()

    def _identity(self, within_s: float) -> Identity:
        """The application, another vendor's device, or what is there instead when there is no more to wait for."""
        ends = {*self._modes.applications, Identity.OTHER}
        deadline = Deadline(within_s, self._clock)
        while (identity := self._modes.wait(ends | LOADERS, deadline.left_s)) in LOADERS - ends:
            stays = self._modes.wait(set(Identity) - {identity}, min(LOADER_S, deadline.left_s)) is identity
            if stays or deadline.passed:
                break
        return identity

    def _asleep(self) -> bool:
        try:
            return self._agent.read_attribute(self._spec.name, "runtime_status") == "suspended"
        except AgentRefused:
            raise
        except AgentError:
            return False  # it has just gone, which is for the next look

    def _stays(self) -> bool:
        for _ in range(LOOPS):
            if self._steady():
                return True
            if self._modes.wait(self._modes.applications, COMES_S) not in self._modes.applications:
                return False
        return False

    def _steady(self) -> bool:
        began_ns = self._clock.now_ns()
        gone = UsbDetached(path=self._spec.usb)
        left = self._witness.until(lambda: self._witness.timeline.first(gone, began_ns) is not None, STEADY_S)
        return not left and self._modes.now() in self._modes.applications

    def _absent(self) -> State:
        """A port without a device: a loop of boots, something that cannot be enumerated, or nothing at all."""
        recent = self._witness.timeline.since(self._clock.now_ns() - round(LOOP_S * NS_PER_S))
        boots = [e for e in recent if isinstance(e, BootMessage) and e.board == self._spec.name and e.stage == "rom"]
        comings = [e for e in recent if isinstance(e, UsbAttached) and e.path == self._spec.usb]
        if max(len(boots), len(comings)) >= LOOPS:
            return State.RESTARTING
        return State.BROKEN if self._cannot_be_enumerated() else State.NOTHING

    def _cannot_be_enumerated(self) -> bool:
        """The kernel's last word on the port: it does not look again by itself, however long ago that was."""
        timeline, path = self._witness.timeline, self._spec.usb
        failed, gone = timeline.last(EnumerationFailed(path=path)), timeline.last(UsbDetached(path=path))
        return failed is not None and (gone is None or gone.t_ns < failed.t_ns)


class Recovery:
    """Climbs the ladder.

    Args:
        actions: records what is done.
        look: where the board is, with the patience for it.
        clock: for the deadline.
        within_s: of one climb.
        on_rung: told each rung before it is tried, and where the board is.
    """

    def __init__(
        self,
        actions: Actions,
        look: Callable[[float], State],
        clock: Clock,
        within_s: float = RECOVER_S,
        on_rung: Callable[[str, State], None] = lambda rung, state: None,
    ) -> None:
        self._on_rung = on_rung
        self._actions = actions
        self._look = look
        self._clock = clock
        self._within_s = within_s

    def climb(self, deeds: Mapping[str, Callable[[], Instant]]) -> Recovered:
        """Bring the board back.

        Args:
            deeds: the rungs that this bench has, by name.

        Raises:
            BoardDead: none brings it back; the message lists where it is, what was tried, and what each said.
            PortHeld: another process has its port, and keeps it.
        """
        deadline = Deadline(self._within_s, self._clock)
        state = self._look(0.0)
        climb = _Climb(state)
        while state is not State.WELL:
            rung = next_rung(state, climb.tried, climb.left(deeds))
            if rung is None or deadline.passed:
                raise self._dead(state, climb, deadline.passed)
            climb.tried.append(rung)
            self._on_rung(rung, state)
            self._try(rung, deeds[rung], state, climb)
            state = self._look(COMES_S)
        return Recovered(tuple(climb.tried), climb.was)

    def _try(self, rung: str, deed: Callable[[], Instant], state: State, climb: _Climb) -> None:
        try:
            self._actions.perform(f"recover_{rung}", NOTHING, lambda: self._once_free(deed), f"the board {state.value}")
        except PortHeld:
            raise
        except HilError as error:
            climb.said.append(f"{rung}: {error}")
            if isinstance(error, BuildError | FlashRefused):
                climb.refused.append(rung)

    def _once_free(self, deed: Callable[[], Instant]) -> Instant:
        """Done again as long as another process has the port; nothing tells when it is let go of."""
        deadline = Deadline(HELD_S, self._clock)
        while True:
            try:
                return deed()
            except PortHeld:
                if deadline.passed:
                    raise
            self._clock.sleep(AGAIN_S)

    def _dead(self, state: State, climb: _Climb, late: bool) -> BoardDead:
        tried = ", ".join(climb.tried) or "nothing: the bench has no way to do anything about it"
        limit = f" within {self._within_s:g} s" if late else ""
        lines = [f"board {self._actions.board} {state.value}, and nothing brings it back{limit}; tried: {tried}"]
        return BoardDead("\n  ".join([*lines, *climb.said]))


def _past(state: State) -> str:
    words = {"is ": "was ", "sleeps": "slept", "starts": "started", "has ": "had ", "runs": "ran"}
    first = next((word for word in words if state.value.startswith(word)), "")
    return words.get(first, "") + state.value[len(first) :]
