"""The ``expect`` fixture: expectations that wait, or are opened by ``with`` and judged at its end."""

import sys
from pathlib import Path
from types import FrameType, TracebackType
from typing import TypeVar

from hil.board.interfaces import Instant
from hil.clock import Clock, MonotonicClock
from hil.device.witness import Witness
from hil.errors import ExpectationFailed, HarnessError, MisuseError
from hil.expect import Expectation, Failed, Ledger, Met, explain
from hil.expect import never as forbid
from hil.expect.blindness import blindness
from hil.expect.steps import Step
from hil.timeline.events import CaptureGap, Event

DEFAULT_S = 5.0
E = TypeVar("E", bound=Event)


class Expect:
    """Says what must happen, and fails with an explanation where it does not.

    ``since=`` an action, or ``after=`` a reading, waits at once. Without either the expectation begins where it stands
    and must be entered by ``with``; it is judged at the end of the block.
    """

    def __init__(
        self, witness: Witness, ledger: Ledger, board: str, artifacts: Path, *, clock: Clock | None = None
    ) -> None:
        self._clock = clock or MonotonicClock()
        self._witness = witness
        self._ledger = ledger
        self._board = board
        self._artifacts = artifacts

    def sequence(
        self,
        *steps: Event | Step,
        since: Instant | None = None,
        after: Instant | None = None,
        within_s: float = DEFAULT_S,
    ) -> "Opened":
        """These happen in this order, the last within ``within_s`` of the start."""
        return self._open(steps, since, after, within_s, ordered=True)

    def unordered(
        self,
        *steps: Event | Step,
        since: Instant | None = None,
        after: Instant | None = None,
        within_s: float = DEFAULT_S,
    ) -> "Opened":
        """These all happen within ``within_s`` of the start, in any order."""
        return self._open(steps, since, after, within_s, ordered=False)

    def never(self, pattern: Event, *, for_s: float, since: Instant | None = None) -> "Opened":
        """This does not happen for ``for_s`` from the start on."""
        return self._open((forbid(pattern),), since, None, for_s, ordered=True)

    def seen(self, pattern: Event, *, since: Instant, within_s: float) -> bool:
        """Whether this happens within ``within_s`` of ``since``; an observation, not a verdict."""
        expectation = Expectation((pattern,), since.t_ns - since.t_err_ns, within_s, board=self._board)
        _decide(expectation, self._witness)
        return isinstance(expectation.outcome, Met)

    def _open(
        self,
        steps: tuple[Event | Step, ...],
        since: Instant | None,
        after: Instant | None,
        within_s: float,
        *,
        ordered: bool,
    ) -> "Opened":
        if since is not None and after is not None:
            raise MisuseError("an expectation takes since= (an action) or after= (a reading), not both")
        start = since or after
        begin_ns = self._clock.now_ns() if start is None else start.t_ns - start.t_err_ns
        named = repr(start) if isinstance(start, Event) else "the start"
        expectation = Expectation(steps, begin_ns, within_s, ordered=ordered, board=self._board, since_name=named)
        self._ledger.open(expectation, _caller())
        opened = Opened(expectation, self._witness, self._artifacts)
        if start is not None:
            opened.judge()
        return opened


class Opened:
    """An expectation that has begun; as a context manager it is judged at the end of the block."""

    def __init__(self, expectation: Expectation, witness: Witness, artifacts: Path) -> None:
        self.expectation = expectation
        self._witness = witness
        self._artifacts = artifacts

    @property
    def events(self) -> tuple[Event, ...]:
        """What met each step, once it has been judged."""
        outcome = self.expectation.outcome
        return tuple(outcome.events) if isinstance(outcome, Met) else ()

    def last(self, kind: type[E]) -> E:
        """The last event of ``kind`` among those that met the steps.

        Raises:
            MisuseError: none did.
        """
        for event in reversed(self.events):
            if isinstance(event, kind):
                return event
        raise MisuseError(f"no step was met by {kind.__name__}; met: {', '.join(map(repr, self.events)) or 'none'}")

    def judge(self) -> None:
        """Wait until it is decided.

        Raises:
            ExpectationFailed: it was not met; the message explains why.
            HarnessError: something forbidden was not seen, and could not have been: its channel was blind.
        """
        self.expectation.judged = True
        _decide(self.expectation, self._witness)
        if isinstance(self.expectation.outcome, Failed):
            raise ExpectationFailed(explain(self.expectation, self._witness.timeline, str(self._artifacts)))
        blind = blindness(self.expectation, self._witness.timeline.of(CaptureGap()))
        if blind:
            raise HarnessError(f"{blind}; artifacts {self._artifacts}")

    def __enter__(self) -> "Opened":
        if self.expectation.judged:
            raise MisuseError(
                "an expectation with since= or after= is judged where it stands; `with` needs one without"
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.judge()
        else:
            self.expectation.judged = True


def _decide(expectation: Expectation, witness: Witness) -> None:
    """Wait until the outcome stands."""
    witness.watch(expectation)
    try:
        witness.settle(expectation)
    finally:
        witness.unwatch(expectation)


def _caller() -> str:
    """File and line of the test that opened the expectation."""
    frame: FrameType | None = sys._getframe()
    while frame is not None and frame.f_code.co_filename == __file__:
        frame = frame.f_back
    return "?" if frame is None else f"{frame.f_code.co_filename}:{frame.f_lineno}"
