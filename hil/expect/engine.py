"""Judges a sentence about a board, one event at a time.

An :class:`Expectation` is fed every event once, in order of arrival, and told the time when nobody fed it for a while.
It judges by when things happened (``t_ns`` ± ``t_err_ns``), not by when they arrived:

- Two events whose error bounds overlap count as being in the order that the sentence asks for.
- What happened inside the window counts, also if it arrives up to ``grace_s`` after the window's end. A verdict that
  something did *not* happen, at all or between two steps, is therefore given ``grace_s`` late.
- A step takes the earliest event that fits and is not before the steps before it (:mod:`hil.expect.stage`).
- Nothing is consumed: any number of expectations may be fed the same events.

An event is looked at by the steps whose class it has, and by no other: what a flood of other events costs does not
depend on the sentence. :attr:`Expectation.steps_examined` counts it.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import attrgetter
from typing import Final, Literal

from msgspec.structs import replace

from hil.clock import to_ns
from hil.errors import MisuseError
from hil.expect.guard import Guard
from hil.expect.outcome import Failed, Met, Outcome, Pending
from hil.expect.stage import STASH, Sighting, Slot, Stage
from hil.expect.steps import Kind, Step, as_sentence
from hil.timeline.events import ANY, Event
from hil.timeline.matching import field_matcher

GRACE_S = 0.25
"""How late an event may arrive and still count, unless the waiter says otherwise."""
_FOREVER = 1 << 62
_instant: Callable[[Event], int] = attrgetter("t_ns")


class _Lane:
    """One pattern of one step, and who wants the events that match it."""

    def __init__(self, step: int, pattern: Event, board: str | None) -> None:
        self.step = step
        self.kind = type(pattern)
        limited = pattern if board is None or pattern.board is not ANY else replace(pattern, board=board)
        self.compare: Callable[[Event], bool] = field_matcher(limited)
        self.slot: Slot | None = None
        self.stage = 0
        """Stage of the slot; of a step that is not required, the stage that it stands before."""
        self.guard: Guard | None = None
        self.possible: deque[Sighting] | None = None


@dataclass(frozen=True, slots=True)
class Watched:
    """A stretch of the window in which a pattern is forbidden, or more of it than a number."""

    step: Step
    pattern: Event
    begin_ns: int
    end_ns: int


class Expectation:
    """A sentence about a board, from ``since_ns`` on.

    Args:
        steps: events and what :mod:`hil.expect.steps` makes.
        since_ns: the window begins here; what happened before it, beyond its error, does not count.
        within_s: length of the window; None where the steps' own limits add up to one.
        ordered: False lets the steps happen in any order.
        board: only events of this board count, save for patterns that name a board themselves.
        grace_s: how late an event may arrive.
        since_name: what happened at ``since_ns``, for the message: "Acted(action='replug')".

    Raises:
        MisuseError: the sentence has no meaning.
    """

    def __init__(
        self,
        steps: Sequence[Event | Step],
        since_ns: int,
        within_s: float | None = None,
        *,
        ordered: bool = True,
        board: str | None = None,
        grace_s: float = GRACE_S,
        since_name: str = "the start",
    ) -> None:
        if grace_s < 0:
            raise MisuseError(f"grace_s is {grace_s!r}; it is a number of seconds, 0 or more")
        self.steps, self.within_s = as_sentence(steps, within_s, ordered)
        self.since_ns: Final = since_ns
        self.end_ns: Final = since_ns + to_ns(self.within_s)
        """End of the window, in event time."""
        self.ordered: Final = ordered
        self.board: Final = board
        self.since_name: Final = since_name
        self.judged = False
        """Set by whoever has looked at the outcome; an expectation that nobody judged is an error of the test."""
        self.steps_examined = 0
        """How often an event was compared with a step."""
        self.outcome: Outcome = Pending(1)
        self._grace_ns = to_ns(grace_s)
        self._stages: list[Stage] = []
        self._guards: list[Guard] = []
        self._offences: list[tuple[Sighting, Guard]] = []
        self._position = 0
        self._by_step = [self._arrange(index) for index in range(len(self.steps))]
        self._lanes = list(chain.from_iterable(self._by_step))
        single = len(self.steps) == 1 and self.steps[0].kind is Kind.ONCE and self.steps[0].within_s is None
        self._only = self._lanes[0].slot if single else None  # nothing that comes later could change its choice
        self._has_asides = any(lane.guard is not None or lane.possible is not None for lane in self._lanes)
        self._by_class: dict[type[Event], tuple[_Lane, ...]] = {}
        for lane in self._lanes:
            self._lanes_of(lane.kind)
        self._advance(0)
        self.outcome = Pending(self._awaited())

    # ---- setting up -----------------------------------------------------------------------------

    def _arrange(self, index: int) -> list[_Lane]:
        """The lanes of one step; adds its stage and its guard."""
        step = self.steps[index]
        lanes = [_Lane(index, pattern, self.board) for pattern in step.patterns]
        for lane in lanes:
            lane.stage = sum(other.required for other in self.steps[:index]) if self.ordered else 0
        if step.kind is Kind.OPTIONAL:
            lanes[0].possible = deque(maxlen=STASH)
        elif step.kind is Kind.NEVER:
            lanes[0].guard = self._guard(index, 0, lanes[0].stage)
        else:
            self._add_slots(step, lanes)
        if step.at_most is not None:
            lanes[0].guard = self._guard(index, step.at_most, lanes[0].stage + 1)
        return lanes

    def _add_slots(self, step: Step, lanes: list[_Lane]) -> None:
        for lane in lanes:
            lane.slot = Slot(lane.step, step.times, step.within_s)
        slots = [lane.slot for lane in lanes if lane.slot is not None]
        if self.ordered or not self._stages:
            self._stages.append(Stage(slots))
        else:
            self._stages[0] = Stage([*self._stages[0].slots, *slots])

    def _guard(self, index: int, allowed: int, before: int) -> Guard:
        step, after = self.steps[index], sum(other.required for other in self.steps[:index]) - 1
        stages = sum(other.required for other in self.steps)
        limit_s = step.within_s if step.kind is Kind.NEVER else None
        guard = Guard(
            index,
            allowed,
            after if self.ordered and after >= 0 else None,
            before if self.ordered and before < stages else None,
            limit_s,
        )
        self._guards.append(guard)
        return guard

    # ---- what the waiter does -------------------------------------------------------------------

    def feed(self, event: Event) -> Outcome:
        """Take in the next event that arrived; returns the outcome so far."""
        return self.feed_all((event,))

    def feed_all(self, events: Iterable[Event]) -> Outcome:
        """Take in the next events that arrived, in their order; those after the decision are left alone."""
        by_class = self._by_class
        if not isinstance(self.outcome, Pending):
            return self.outcome
        for event in events:
            kind = type(event)
            lanes = by_class[kind] if kind in by_class else self._lanes_of(kind)
            hits = None
            for lane in lanes:
                self.steps_examined += 1
                if lane.compare(event):
                    hits = [*(hits or ()), lane]
            if hits and self._take_in(event, hits):
                break
        return self.outcome

    def _lanes_of(self, kind: type[Event]) -> tuple[_Lane, ...]:
        """The lanes that look at events of this class."""
        lanes = self._by_class[kind] = tuple(lane for lane in self._lanes if issubclass(kind, lane.kind))
        return lanes

    def wake(self, now_ns: int) -> Outcome:
        """Tell the time; decides what ``now_ns`` allows to decide, and returns the outcome so far."""
        if isinstance(self.outcome, Pending):
            self._settle(now_ns - self._grace_ns)
        return self.outcome

    def close(self) -> Outcome:
        """No event will come any more, as at the end of a saved journal; returns the final outcome."""
        return self.wake(_FOREVER)

    @property
    def deadline_ns(self) -> int | None:
        """When :meth:`wake` will decide if nothing arrives until then (the grace is in it); None once decided."""
        if not isinstance(self.outcome, Pending):
            return None
        offences = [sighting.high_ns for sighting, _ in self._offences]
        return min([self._settles_ns(), *offences]) + self._grace_ns

    @property
    def dropped(self) -> int:
        """Events that fitted a step and were not kept because too many did; if not 0, the verdict may rest on it."""
        return sum(stage.dropped for stage in self._stages) + sum(guard.dropped for guard in self._guards)

    def taken(self, step: int) -> tuple[Event, ...]:
        """What the step of that number (from 1) has taken so far, pattern by pattern; () where it takes nothing."""
        lanes = self._by_step[step - 1]
        if lanes[0].possible is not None:
            return self._optional(lanes[0])
        return tuple([seen.event for lane in lanes if lane.slot is not None for seen in sorted(lane.slot.taken)])

    def missing(self, step: int) -> tuple[Event, ...]:
        """The patterns of the step of that number (from 1) that still need an event."""
        patterns = self.steps[step - 1].patterns
        lanes = self._by_step[step - 1]
        found = zip(lanes, patterns, strict=True)
        return tuple(pattern for lane, pattern in found if lane.slot is not None and not lane.slot.full)

    def watched(self) -> list[Watched]:
        """Where the sentence forbids something, as far as that is known."""
        found = []
        for guard in filter(self._begun, self._guards):
            step = self.steps[guard.step]
            begin_ns = self.since_ns if guard.after is None else self._stages[guard.after].base_ns()
            following = [] if guard.before is None else self._stages[guard.before].taken()
            ends = [self._guard_end_ns(guard), *(sighting.low_ns for sighting in following)]
            found.append(Watched(step, step.patterns[0], begin_ns, min(ends)))
        return found

    # ---- events ---------------------------------------------------------------------------------

    def _take_in(self, event: Event, hits: list[_Lane]) -> bool:
        """Judge an event that fits; True if that decides the sentence."""
        if event.t_ns + event.t_err_ns < self.since_ns or event.t_ns - event.t_err_ns > self.end_ns:
            return False
        if self._only is not None:
            self._only.taken.append(Sighting(event, self.since_ns, (self._only,)))
            self._position = 1
            self.outcome = Met((event,), ((event,),), event.t_ns)
            return True
        guarded = self._has_asides and self._notice_aside(event, hits)
        changed = self._notice_stages(event, hits)
        if changed is not None and self._stages[changed].complete:
            self._advance(changed + 1)
        if guarded or (changed is not None and self._guards):
            self._offences = self._find_offences()
        if guarded or changed is not None:
            self._decide_at_once()
        return not isinstance(self.outcome, Pending)

    def _notice_aside(self, event: Event, hits: list[_Lane]) -> bool:
        """Tell optional steps and guards; True if there was a guard."""
        guarded = False
        for lane in hits:
            if lane.possible is not None and self._position <= lane.stage:
                lane.possible.append(Sighting(event, self.since_ns))
            if lane.guard is not None and self.since_ns <= event.t_ns <= self.end_ns:
                lane.guard.notice(Sighting(event, self.since_ns), self._begun(lane.guard))
                guarded = True
        return guarded

    def _notice_stages(self, event: Event, hits: list[_Lane]) -> int | None:
        """Tell the stages; returns the first whose choice has changed. Those after it are to choose anew anyway."""
        slots: dict[int, list[Slot]] = {}
        for lane in hits:
            if lane.slot is not None:
                slots.setdefault(lane.stage, []).append(lane.slot)
        changed: int | None = None
        for index, found in slots.items():
            sighting = Sighting(event, self.since_ns, tuple(found))
            if changed is not None:
                self._stages[index].store(sighting)
            elif self._stages[index].notice(sighting):
                changed = index
        return changed

    def _advance(self, first: int) -> None:
        """Let the stages from ``first`` on choose anew, as far as the ones before them are complete."""
        self._position = len(self._stages)
        if first == self._position:
            return
        before = self._stages[:first]
        used = {id(sighting.event) for stage in before for sighting in stage.taken()}
        used_for_certain = {id(sighting.event) for stage in before for sighting in stage.certain()}
        for index, stage in enumerate(self._stages[first:], first):
            if self._position < index:
                stage.forget()
                continue
            stage.solve(*self._reached(index), used, used_for_certain)
            if not stage.complete:
                self._position = index
            used.update(id(sighting.event) for sighting in stage.taken())
            used_for_certain.update(id(sighting.event) for sighting in stage.certain())

    def _reached(self, stage: int) -> tuple[int, int]:
        """Floor and base of the stage of that index, given that those before it are complete."""
        if not stage:
            return self.since_ns, self.since_ns
        return self._stages[stage - 1].floor_ns(), self._stages[stage - 1].base_ns()

    def _awaited(self) -> int:
        """Number of the step that is awaited."""
        if self._position == len(self._stages):
            return len(self.steps) + 1
        return 1 + min(slot.step for slot in self._stages[self._position].slots if not slot.full)

    def _optional(self, lane: _Lane) -> tuple[Event, ...]:
        """The earliest event that fits between the stages beside an optional step and that no stage has taken."""
        floor_ns, base_ns = self._reached(lane.stage)
        following = self._stages[lane.stage].taken() if self.ordered and lane.stage < len(self._stages) else []
        until_ns = max((sighting.high_ns for sighting in following), default=self.end_ns)
        within_s = self.steps[lane.step].within_s
        if within_s is not None:
            until_ns = min(until_ns, base_ns + to_ns(within_s))
        used = {id(sighting.event) for stage in self._stages for sighting in stage.taken()}
        for sighting in sorted(lane.possible or ()):
            fits = floor_ns <= sighting.high_ns and sighting.low_ns <= until_ns
            if fits and self._position >= lane.stage and id(sighting.event) not in used:
                return (sighting.event,)
        return ()

    # ---- verdicts -------------------------------------------------------------------------------

    def _begun(self, guard: Guard) -> bool:
        return guard.after is None or self._stages[guard.after].complete

    def _find_offences(self) -> list[tuple[Sighting, Guard]]:
        """Forbidden events so far, the earliest first."""
        found = []
        for guard in filter(self._begun, self._guards):
            after_ns = None if guard.after is None else self._stages[guard.after].base_ns()
            following = [] if guard.before is None else self._stages[guard.before].taken()
            before_ns = min((sighting.low_ns for sighting in following), default=None)
            offender = guard.offender(after_ns, before_ns, self.since_ns if after_ns is None else after_ns)
            if offender is not None:
                found.append((offender, guard))
        return sorted(found, key=lambda offence: offence[0].event.t_ns)

    def _decide_at_once(self) -> None:
        """What no event that is still under way can change."""
        final = [offence for offence in self._offences if offence[1].before is None] if self._offences else []
        if final:
            self._fail_by(*final[0])
        elif not self._guards and self._position == len(self._stages):
            self._succeed()
        else:
            self.outcome = Pending(self._awaited())

    def _settles_ns(self) -> int:
        """When the sentence is decided if nothing more happens, in event time."""
        if self._position < len(self._stages):
            due_ns = self._stages[self._position].due_ns()
            return self.end_ns if due_ns is None else min(due_ns, self.end_ns)
        base_ns = self._reached(len(self._stages))[1]
        ends = [self._guard_end_ns(guard) for guard in self._guards if guard.before is None]
        return max([base_ns, *ends])

    def _guard_end_ns(self, guard: Guard) -> int:
        if guard.limit_ns is None:
            return self.end_ns
        start_ns = self.since_ns if guard.after is None else self._stages[guard.after].base_ns()
        return min(start_ns + guard.limit_ns, self.end_ns)

    def _settle(self, known_ns: int) -> None:
        """Decide, given that everything that happened until ``known_ns`` has arrived."""
        settled = [offence for offence in self._offences if offence[0].high_ns <= known_ns]
        ends_ns = self._settles_ns()
        if settled:
            self._fail_by(*settled[0])
        elif known_ns >= ends_ns and self._position == len(self._stages):
            self._succeed()
        elif known_ns >= ends_ns:
            self.outcome = Failed("late" if ends_ns < self.end_ns else "missing", self._awaited(), ends_ns)

    def _fail_by(self, sighting: Sighting, guard: Guard) -> None:
        reason: Literal["forbidden", "too many"] = "too many" if guard.allowed else "forbidden"
        self.outcome = Failed(reason, guard.step + 1, sighting.event.t_ns, sighting.event)

    def _succeed(self) -> None:
        by_step = tuple([self.taken(number) for number in range(1, len(self.steps) + 1)])
        events = tuple(sorted(chain.from_iterable(by_step), key=_instant))
        until_end = not events or (self._guards and any(guard.before is None for guard in self._guards))
        self.outcome = Met(events, by_step, self.end_ns if until_end else events[-1].t_ns)
