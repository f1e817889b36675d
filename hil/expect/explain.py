"""Why an expectation was not met, in five parts: what was awaited, what passed, the nearest miss, what happened, where.

::

    expected  LeaseGranted(ip='192.168.4.2') within 5.0 s of UsbAttached()       step 3 of 4

      ok    1  BootStarted()                        +0.000 s
      ok    2  UsbAttached(port='1-2')              +2.406 s
      FAIL  3  LeaseGranted(ip='192.168.4.2')       window closed +7.406 s
            4  HttpReply(status=200)                not reached

    nearest   LeaseGranted(ip='192.168.4.3')        +2.981 s
              ip: wanted '192.168.4.2', got '192.168.4.3'

    timeline  +2.406 s … +7.406 s, 3 of 41 events
      +2.406  uevent   UsbAttached(port='1-2')
      …

    artifacts build/hil/test_lease_survives_reset/

Times are relative to the begin of the window.
"""

from itertools import pairwise

from hil.clock import to_s
from hil.expect.channels import channels_of
from hil.expect.engine import Expectation
from hil.expect.excerpt import excerpt
from hil.expect.nearest import Miss, nearest_miss
from hil.expect.outcome import Failed, Met, Pending
from hil.expect.pattern import describe
from hil.expect.steps import Kind, Step
from hil.timeline.events import CaptureGap, Event, UsbAttached, UsbDetached
from hil.timeline.timeline import Order, Timeline, order

WIDEST = 60
"""Columns that the steps are padded to at most; a longer step pushes its own time to the right."""
GAP = 7
"""Columns between a step and its time."""


def explain(expectation: Expectation, timeline: Timeline, artifacts: str = "") -> str:
    """The outcome of ``expectation`` as text, ending without a newline.

    Args:
        timeline: what the expectation was fed, and whatever else the bench saw.
        artifacts: folder of the run's files; '' leaves the part out.
    """
    return _Explanation(expectation, timeline, artifacts).text()


class _Explanation:
    def __init__(self, expectation: Expectation, timeline: Timeline, artifacts: str) -> None:
        self.expectation = expectation
        self.outcome = expectation.outcome
        self.artifacts = artifacts
        self.steps = expectation.steps
        self.failed = self._failed_number()
        self.closed_ns = self.outcome.at_ns if isinstance(self.outcome, Failed) else expectation.end_ns
        self.taken = [expectation.taken(number) for number in range(1, len(self.steps) + 1)]
        self.window = [event for event in timeline.by_time() if self._in_window(event)]
        self.miss = self._nearest(timeline)
        shown = [repr(step) for step in self.steps]
        self.column = min(max(map(len, shown)), WIDEST) + GAP

    def text(self) -> str:
        parts = [self._headline(), self._steps(), self._nearest_part(), self._notes(), self._excerpt()]
        if self.artifacts:
            parts.append(f"artifacts {self.artifacts}")
        return "\n\n".join(part for part in parts if part)

    # ---- what was awaited -----------------------------------------------------------------------

    def _headline(self) -> str:
        if isinstance(self.outcome, Met):
            return f"met       all of {_counted(len(self.steps), 'step')} within {self._limit(None)}"
        number = self.failed or len(self.steps)
        step = self.steps[number - 1]
        verb = "forbidden" if self._reason() == "forbidden" else "expected"
        bare = step if step.within_s is None else _unlimited(step)
        place = f"step {self.failed} of {len(self.steps)}" if self.failed else "not decided"
        return f"{verb:<9} {bare!r} within {self._limit(number)}{' ' * GAP}{place}"

    def _limit(self, number: int | None) -> str:
        """The limit that step ``number`` has, of its own or from the window."""
        within_s = None if number is None else self.steps[number - 1].within_s
        if number is None or within_s is None:
            return f"{self.expectation.within_s} s of {self.expectation.since_name}"
        before = [other for other in self.steps[: number - 1] if other.required]
        named = repr(_unlimited(before[-1])) if before and self.expectation.ordered else self.expectation.since_name
        return f"{within_s} s of {named}"

    def _reason(self) -> str:
        return self.outcome.reason if isinstance(self.outcome, Failed) else ""

    def _failed_number(self) -> int | None:
        if isinstance(self.outcome, Failed | Pending):
            return self.outcome.step if self.outcome.step <= len(self.steps) else None
        return None

    # ---- which steps passed ---------------------------------------------------------------------

    def _steps(self) -> str:
        return "\n".join(line for number in range(1, len(self.steps) + 1) for line in self._step_lines(number))

    def _step_lines(self, number: int) -> list[str]:
        mark, when = self._mark(number)
        line = f"  {mark:<4}  {number}  {_padded(repr(self.steps[number - 1]), self.column)}{when}".rstrip()
        missing = self._missing() if number == self.failed else ()
        several = len(self.steps[number - 1].patterns) > 1
        return [line, f"           missing: {', '.join(map(describe, missing))}"] if missing and several else [line]

    def _missing(self) -> tuple[Event, ...]:
        """The patterns of the awaited step that have no event yet."""
        if self.failed is None or self._reason() in ("forbidden", "too many"):
            return ()
        return self.expectation.missing(self.failed)

    def _mark(self, number: int) -> tuple[str, str]:
        """The verdict on one step and when it was given."""
        step, taken = self.steps[number - 1], self.taken[number - 1]
        if number == self.failed:
            return self._failed_mark(step, taken)
        if step.kind is Kind.NEVER:
            reached = isinstance(self.outcome, Met) or self.failed is None or number < self.failed
            return ("ok", "did not happen") if reached else ("", "not reached")
        if step.kind is Kind.OPTIONAL:
            return ("ok", self._times(taken)) if taken else ("-", "not seen, optional")
        if len(taken) >= step.times * len(step.patterns):
            return "ok", self._times(taken)
        return "", f"{len(taken)} so far" if taken else "not reached"

    def _failed_mark(self, step: Step, taken: tuple[Event, ...]) -> tuple[str, str]:
        if isinstance(self.outcome, Pending):
            return "wait", "not decided"
        assert isinstance(self.outcome, Failed)
        at = self._at_ns(self.outcome.at_ns)
        if self.outcome.reason == "forbidden":
            return "FAIL", f"happened {at}"
        if self.outcome.reason == "too many":
            return "FAIL", f"number {(step.at_most or 0) + 1} happened {at}"
        closed = f"{'limit passed' if self.outcome.reason == 'late' else 'window closed'} {at}"
        needed = step.times * len(step.patterns)
        return "FAIL", closed if needed == 1 else f"{closed}, {len(taken)} of {needed} seen"

    def _times(self, taken: tuple[Event, ...]) -> str:
        if len(taken) <= 3:
            return ", ".join(self._at_ns(event.t_ns) for event in taken)
        return f"{self._at_ns(taken[0].t_ns)} … {self._at_ns(taken[-1].t_ns)}"

    def _at_ns(self, t_ns: int) -> str:
        return f"{to_s(t_ns - self.expectation.since_ns):+.3f} s"

    # ---- the nearest miss -----------------------------------------------------------------------

    def _nearest(self, timeline: Timeline) -> Miss | None:
        if not isinstance(self.outcome, Failed | Pending) or self.failed is None:
            return None
        if self._reason() in ("forbidden", "too many"):
            return None
        taken = {id(event): number for number, events in enumerate(self.taken, 1) for event in events}
        return nearest_miss(self.expectation, self.failed, timeline, taken)

    def _nearest_part(self) -> str:
        if self.failed is None or isinstance(self.outcome, Met):
            return ""
        if isinstance(self.outcome, Failed) and self.outcome.event is not None:
            return f"event     {_padded(repr(self.outcome.event), self.column + 1)}{self._at_ns(self.outcome.at_ns)}"
        if self.miss is None:
            missing = self._missing()
            other = "other " if self.taken[self.failed - 1] and missing == self.steps[self.failed - 1].patterns else ""
            kinds = dict.fromkeys(type(pattern).__name__ for pattern in missing)
            return f"nearest   none: no {other}{' and no '.join(kinds)} since {self.expectation.since_name}"
        first = f"nearest   {_padded(repr(self.miss.event), self.column + 1)}{self._at_ns(self.miss.event.t_ns)}"
        return "\n".join([first, *(f"          {reason}" for reason in self.miss.reasons)])

    # ---- what else is to be known ---------------------------------------------------------------

    def _notes(self) -> str:
        if isinstance(self.outcome, Met):
            found = self._too_close()
        else:
            found = [*self._vanished(), *self._silent(), *self._gaps(), *self._too_close(), *self._dropped()]
        return "\n".join(f"note      {note}" for note in found)

    def _vanished(self) -> list[str]:
        told = {id(event) for events in self.taken for event in events} | {id(self._offender())}
        gone = [event for event in self.window if isinstance(event, UsbDetached) and id(event) not in told]
        if not gone:
            return []
        back = [e for e in self.window if isinstance(e, UsbAttached) and e.t_ns > gone[-1].t_ns]
        ending = f" and came back {self._at_ns(back[0].t_ns)}" if back else " and did not come back"
        return [f"the board left the bus {self._at_ns(gone[-1].t_ns)}{ending}: {gone[-1]!r}"]

    def _offender(self) -> Event | None:
        return self.outcome.event if isinstance(self.outcome, Failed) else None

    def _silent(self) -> list[str]:
        """Channels from which nothing came, though what was awaited would have come through them."""
        heard = {event.source for event in self.window}
        asked = dict.fromkeys(map(channels_of, self._missing()))
        silent = [names for names in asked if names and not heard.intersection(names)]
        return [f"no event from {' or '.join(names)} in this window" for names in silent]

    def _gaps(self) -> list[str]:
        gaps = [event for event in self.window if isinstance(event, CaptureGap)]
        return [
            f"{gap.channel} lost data {self._at_ns(gap.t_ns)} for {gap.lasted_s} s ({gap.reason}): "
            "absence there proves nothing"
            for gap in gaps
        ]

    def _too_close(self) -> list[str]:
        steps = [(number, event) for number, events in enumerate(self.taken, 1) for event in events]
        begin_ns, end_ns = self.expectation.since_ns, self.expectation.end_ns
        notes = []
        for number, event in steps:
            if event.t_ns - event.t_err_ns < begin_ns:
                notes.append(
                    f"step {number} and {self.expectation.since_name} are too close to call: {self._pm(event)}"
                )
            if event.t_ns + event.t_err_ns > end_ns:
                notes.append(f"step {number} and the end of the window are too close to call: {self._pm(event)}")
        if self.expectation.ordered:
            for (one, a), (two, b) in pairwise(steps):
                if one != two and order(a, b) is not Order.BEFORE:
                    notes.append(f"steps {one} and {two} are too close to call: {self._pm(a)} and {self._pm(b)}")
        return notes

    def _pm(self, event: Event) -> str:
        return f"{self._at_ns(event.t_ns)} ±{to_s(event.t_err_ns):.3f} s"

    def _dropped(self) -> list[str]:
        count = self.expectation.dropped
        return [f"{_counted(count, 'event')} that fitted a step came too thick to be kept"] if count else []

    # ---- what happened --------------------------------------------------------------------------

    def _in_window(self, event: Event) -> bool:
        ours = self.expectation.board is None or event.board in (self.expectation.board, "")
        reaches = event.t_ns + event.t_err_ns >= self.expectation.since_ns
        return ours and reaches and event.t_ns - event.t_err_ns <= self.closed_ns

    def _excerpt(self) -> str:
        if isinstance(self.outcome, Met):
            return ""
        begin_ns = self._begin_ns()
        kept = [event for taken in self.taken for event in taken]
        kept += [self.miss.event] if self.miss else []
        offender = self._offender()
        kept += [offender] if offender else []
        events = [event for event in self.window if event.t_ns >= begin_ns]
        end_ns = max([self.closed_ns, *(event.t_ns for event in kept)])
        inside = {id(event) for event in events}
        events += [event for event in kept if event.t_ns >= begin_ns and id(event) not in inside]
        return excerpt(events, kept, (begin_ns, end_ns), self.expectation)

    def _begin_ns(self) -> int:
        """The last step that passed before the one that failed; the first event of the window where none did."""
        passed = [event for taken in self.taken[: (self.failed or 1) - 1] for event in taken]
        begin = passed[-1].t_ns if passed else self.expectation.since_ns
        if self.miss is not None:
            begin = min(begin, self.miss.event.t_ns)
        return min([begin, *(e.t_ns for e in self.window if self.miss is None and not passed)])


def _padded(text: str, width: int) -> str:
    """``text`` and spaces up to ``width``, two at least."""
    return text.ljust(max(width, len(text) + 2))


def _unlimited(step: Step) -> Step:
    return Step(step.kind, step.patterns, step.times, step.at_most)


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" + ("" if count == 1 else "s")
