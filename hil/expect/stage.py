"""Which events a step takes, whatever the order in which they arrive.

Theory of operation. An event is known to have happened between ``low`` and ``high`` (``t_ns`` ± ``t_err_ns``). A chain
of events can have happened in the order of the steps if and only if no event's ``high`` lies before the greatest
``low`` of the events before it: the *floor*. Every stage therefore takes, of the events whose ``high`` reaches its
floor and that no earlier stage has taken, those with the least ``low``: that keeps the floor of the next stage lowest.

The choice is a function of the set of events, not of their arrival. An event that arrives late can only make a choice
earlier, so what lies behind a choice that is complete is not kept. What lies before the floor is: the floor sinks when
a step before it finds an earlier event. What belongs to a stage whose floor is not known yet is kept too. Both are
bounded by :data:`STASH`, oldest first out.

A stage of several slots (``unordered``) is a matching of events and slots: an event is taken if the events taken
before it can be moved to make room (augmenting path); taking events by time gives the earliest set that fills all slots
(greedy algorithm on a transversal matroid).
"""

from bisect import insort
from collections.abc import Iterable
from typing import Final

from hil.clock import to_ns
from hil.timeline.events import Event

STASH = 512
"""Events that a stage keeps beyond those that it has taken."""


class Sighting:
    """An event, the bounds of its instant, and the slots of one stage that it fits."""

    __slots__ = ("event", "high_ns", "low_ns", "slots")

    def __init__(self, event: Event, slots: tuple["Slot", ...] = ()) -> None:
        self.event = event
        self.low_ns = event.t_ns - event.t_err_ns
        self.high_ns = event.t_ns + event.t_err_ns
        self.slots = slots

    def __lt__(self, other: "Sighting") -> bool:
        """By time; events of one instant by what they are, so that arrival decides nothing."""
        if self.low_ns != other.low_ns:
            return self.low_ns < other.low_ns
        if self.high_ns != other.high_ns:
            return self.high_ns < other.high_ns
        return self._content() < other._content()

    def _content(self) -> tuple[str, str, str]:
        return repr(self.event), self.event.board, self.event.source


class Slot:
    """One pattern of a step and the events that it has taken."""

    def __init__(self, step: int, times: int, within_s: float | None) -> None:
        self.step: Final = step
        """Index of its step in the sentence."""
        self.times: Final = times
        self.limit_ns: Final = None if within_s is None else to_ns(within_s)
        self.taken: list[Sighting] = []

    @property
    def full(self) -> bool:
        return len(self.taken) >= self.times


class Stage:
    """The slots that are filled together before the next stage begins."""

    def __init__(self, slots: list[Slot]) -> None:
        self.slots: Final = slots
        self.known = False
        """Whether all stages before this one are complete, so that its floor is known."""
        self.floor_ns = 0
        self.base_ns = 0
        """Latest instant of the step before: time limits count from it."""
        self.dropped = 0
        """Events that fitted and were not kept, because too many did."""
        self._needed = sum(slot.times for slot in slots)
        self._used: frozenset[int] = frozenset()
        self._stash: list[Sighting] = []
        self._newest: Sighting | None = None  # the latest event taken

    @property
    def complete(self) -> bool:
        return self.known and all(slot.full for slot in self.slots)

    def taken(self) -> list[Sighting]:
        """What all slots have taken, by time."""
        return sorted(sighting for slot in self.slots for sighting in slot.taken)

    def due_ns(self) -> int | None:
        """By when the first slot that still waits has to be filled; None where no slot has a limit."""
        waiting = [slot.limit_ns for slot in self.slots if not slot.full and slot.limit_ns is not None]
        return self.base_ns + min(waiting) if waiting else None

    def end(self) -> tuple[int, int]:
        """Floor and base of the next stage."""
        taken = self.taken()
        floor = max((sighting.low_ns for sighting in taken), default=self.floor_ns)
        base = max((sighting.high_ns for sighting in taken), default=self.base_ns)
        return max(floor, self.floor_ns), base

    def forget(self) -> None:
        """A stage before this one is not complete (any more)."""
        self.known = False
        self._clear()

    def solve(self, floor_ns: int, base_ns: int, used: Iterable[int]) -> None:
        """Choose anew among all events kept, given what the stages before have left."""
        self.known, self.floor_ns, self.base_ns, self._used = True, floor_ns, base_ns, frozenset(used)
        self._clear()
        kept = [sighting for sighting in self._stash if self._place(sighting) or not self._useless(sighting)]
        self._stash = kept

    def notice(self, sighting: Sighting) -> bool:
        """Take in an event that fits; True if what the stage has taken has changed."""
        if not self.known:
            self._store(sighting)
            return False
        late = self._newest is not None and sighting < self._newest
        if late:
            return self._insert_late(sighting)
        if self.complete:
            return False
        placed = self._place(sighting)
        if placed or not self._useless(sighting):
            self._store(sighting)
        return placed

    def _insert_late(self, sighting: Sighting) -> bool:
        self._store(sighting)
        if not self._reachable(sighting):
            return False
        self.solve(self.floor_ns, self.base_ns, self._used)
        return True

    def _clear(self) -> None:
        self._newest = None
        for slot in self.slots:
            slot.taken.clear()

    def _reachable(self, sighting: Sighting) -> bool:
        return sighting.high_ns >= self.floor_ns and id(sighting.event) not in self._used

    def _useless(self, sighting: Sighting) -> bool:
        """Whether an event that was not taken never will be: it could have been, and others are earlier."""
        late = self._newest is not None and sighting < self._newest
        in_time = all(self._in_time(slot, sighting) for slot in sighting.slots)
        return in_time and not late and self._reachable(sighting)

    def _in_time(self, slot: Slot, sighting: Sighting) -> bool:
        return slot.limit_ns is None or sighting.low_ns <= self.base_ns + slot.limit_ns

    def _place(self, sighting: Sighting) -> bool:
        """Take ``sighting`` if it can be reached and there is room, or room can be made."""
        if not self._reachable(sighting) or not self._fit(sighting, set()):
            return False
        if self._newest is None or self._newest < sighting:
            self._newest = sighting
        return True

    def _fit(self, sighting: Sighting, tried: set[int]) -> bool:
        for slot in sighting.slots:
            if id(slot) in tried or not self._in_time(slot, sighting):
                continue
            tried.add(id(slot))
            if not slot.full:
                slot.taken.append(sighting)
                return True
            for index, held in enumerate(slot.taken):
                if len(held.slots) > 1 and self._fit(held, tried):
                    slot.taken[index] = sighting
                    return True
        return False

    def _store(self, sighting: Sighting) -> None:
        stash = self._stash
        if not stash or stash[-1] < sighting:
            stash.append(sighting)
        else:
            insort(stash, sighting)
        if len(stash) > STASH + self._needed:
            self.dropped += 1
            del stash[self._least_useful()]

    def _least_useful(self) -> int:
        taken = {id(sighting) for slot in self.slots for sighting in slot.taken}
        return next(index for index, sighting in enumerate(self._stash) if id(sighting) not in taken)
