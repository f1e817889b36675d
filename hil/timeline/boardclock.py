"""When something happened that only the board stamped.

Theory of operation. Let ``b`` be the board's own time since boot in nanoseconds and ``T(b)`` the host's instant of it.
The board's crystal runs at most ``drift_ppm`` off the host's, so between two instants of one boot::

    T(y) - T(x)  <=  d + |d| * drift          d = y - x, and >= d - |d| * drift

A stamp of ``ms`` means that ``b`` lies in ``[ms, ms + quantum)``. Three kinds of evidence bound ``T``:

- a line seen at ``s``: it was seen after it was written, so ``T(b) <= s``. The delay may be anything.
- an anchor: something that the board stamped and the host dated on both sides, such as a USB mount or a request for
  the board's uptime: ``a - err <= T(b) <= a + err``.
- the boot began after a known instant: ``T(0) >= r``.

:meth:`BoardClock.to_host` takes the least upper and the greatest lower bound that any single piece of evidence gives.
Where no evidence bounds it from below, the one assumption is ``quickest_s``: at least one line of this boot that was
seen promptly (:mod:`hil.timeline.backlog`) was seen within that time of being written. :attr:`BoardClock.anchored`
tells which of the two it is. Where every line of the boot may have waited, only ``floor_ns`` is left: the end of the
boot before, as far as it is known, or what the caller has said.

A line can be garbled. A stamp that goes back, or that is ahead by more than a line can have been late, is held until
the next one decides: two that agree are a new boot, or the proof that the lines before were late; else it was garbled.

Sources: the ESP32-S3 hardware design guidelines, section *External Crystal Clock Source*, ask for a crystal within
±10 ppm at room temperature; 100 ppm leaves room for temperature, ageing, cheap crystals and the host's own clock.
The FreeRTOS tick, which stamps ESP-IDF's log lines (``components/log``, ``log_timestamp.c``), is 1 ms at
CONFIG_FREERTOS_HZ=1000 and 10 ms at its default of 100: the profile of a firmware gives ``quantum_ms``.
"""

from dataclasses import dataclass

from hil.clock import NS_PER_MS, NS_PER_S, to_ns
from hil.errors import HarnessError

KEPT = 64
"""Observations kept of a boot; leaving some out makes the bound wider, never wrong."""
SLACK_NS = NS_PER_MS // 10
"""An observation that would improve the bound by less is not kept: a steady log improves it with every line, by what
the drift may have been since the line before."""

LEAP_NS = 5 * NS_PER_S
"""No line that is taken to be prompt is later than this; a stamp that says so is held."""


@dataclass(frozen=True, slots=True)
class _Stamp:
    """One observation; ``board`` and ``host`` in ns."""

    board: int
    host: int
    err: int
    prompt: bool


class BoardClock:
    """Maps the milliseconds of the boot that is running to host time, with an error bound.

    Args:
        drift_ppm: bound of the difference in rate between the board's clock and the host's.
        quantum_ms: step of the board's stamps.
        quickest_s: where nothing bounds the mapping from below, the quickest line is taken to be no later than this.
        tolerance_ms: stamps may go backwards by this much within one boot (two tasks that log at once).
        floor_ns: what is asked for happened no earlier; it stands in where nothing else bounds the mapping from below.
    """

    def __init__(
        self,
        drift_ppm: int = 100,
        quantum_ms: int = 1,
        quickest_s: float = 0.25,
        tolerance_ms: int = 100,
        floor_ns: int | None = None,
    ) -> None:
        self.boot = 0
        """How many boots have been seen or told before the one that is running."""
        self.contradictions = 0
        """Stamps that cannot be true of this boot and were left out, such as garbled lines."""
        self._drift_ppm = drift_ppm
        self._quantum_ns = quantum_ms * NS_PER_MS
        self._quickest_ns = to_ns(quickest_s)
        self._tolerance_ns = tolerance_ms * NS_PER_MS
        self._floor_ns = floor_ns
        self._forget()

    def _forget(self) -> None:
        self._latest: list[tuple[int, int]] = []  # (board ns, host ns): T(board) is at most host
        self._earliest: list[tuple[int, int]] = []  # (board ns, host ns): T(board) is at least host
        self._span: tuple[int, int] | None = None  # least and greatest stamp seen, board ns
        self._newest = -1  # the last stamp that came in order, board ns
        self._blur_ns = 0  # greatest error of an observation, and what thinning has lost
        self._prompt = False  # a line of this boot was seen promptly
        self._held: _Stamp | None = None  # it does not go with those before it, and the next decides

    @property
    def anchored(self) -> bool:
        """Whether evidence bounds the mapping on both sides, so that ``quickest_s`` is not assumed."""
        return bool(self._earliest and self._latest)

    @property
    def located(self) -> bool:
        """Whether evidence or a prompt line bounds the mapping from below, so that ``floor_ns`` does not stand in."""
        return bool(self._earliest) or self._prompt

    @property
    def newest_ns(self) -> int | None:
        """The last line that came in order was written no earlier than this: what comes after it was not either."""
        if self._newest < 0 or not self._latest or not (self.located or self._floor_ns is not None):
            return self._floor_ns
        return self._least(self._newest, self._upper(self._newest))

    def new_boot(self, began_after_ns: int | None = None, err_ns: int = 0) -> None:
        """The board has started anew; ``began_after_ns`` is an instant before its clock began to count, if known."""
        self.boot += 1
        self._floor_ns = self.newest_ns
        self._forget()
        if began_after_ns is not None:
            self._earliest.append((-self._quantum_ns, began_after_ns - err_ns))

    def observe(
        self, board_ms: int, host_ns: int, err_ns: int = 0, *, in_order: bool = True, prompt: bool = True
    ) -> bool:
        """Something stamped ``board_ms`` was seen at ``host_ns`` ± ``err_ns``, some unknown time after it happened.

        With ``in_order`` stamps that go backwards beyond the tolerance mean a new boot; pass False for a channel that
        tells of the past, such as an event log that is read later. ``prompt`` is False of what may have waited for a
        reader.

        Returns:
            whether the stamp counts now; not one that cannot be true, and not yet one that the next has to confirm.
        """
        stamp = _Stamp(board_ms * NS_PER_MS, host_ns, err_ns, prompt)
        if in_order and not self._agreed(stamp):
            return False
        return self._take(stamp, in_order)

    def anchor(self, board_ms: int, host_ns: int, err_ns: int) -> None:
        """What the board stamped ``board_ms`` happened at ``host_ns`` ± ``err_ns``: known on both sides."""
        if self.observe(board_ms, host_ns, err_ns, in_order=False):
            self._earliest.append((board_ms * NS_PER_MS, host_ns - err_ns))
            if len(self._earliest) > KEPT:
                del self._earliest[1]

    def to_host(self, board_ms: int, seen_ns: int | None = None) -> tuple[int, int]:
        """The instant of ``board_ms`` and its error bound, ``(t_ns, t_err_ns)``.

        ``seen_ns`` is when this very stamp was seen, if it was: it cannot have happened later.

        Raises:
            HarnessError: nothing was seen of this boot yet, or nothing bounds the instant from below.
        """
        board = board_ms * NS_PER_MS
        if not self._latest:
            raise HarnessError(f"board time {board_ms} ms has no host time: no line of boot {self.boot} was seen yet")
        upper = self._upper(board)
        lower = self._least(board, upper)
        if seen_ns is not None:
            upper = min(upper, max(seen_ns, lower))
        low, high = min(lower, upper), max(lower, upper)
        middle = (low + high) // 2
        return middle, high - middle

    def _agreed(self, stamp: _Stamp) -> bool:
        """Whether a stamp goes with those before it, or with the one that is held, which then counts as well."""
        held, self._held = self._held, None
        back, ahead = self._goes_back(stamp), self._leaps(stamp)
        if not (back or ahead):
            self.contradictions += held is not None
            return True
        if held is None or not self._alike(held, stamp):
            self.contradictions += held is not None
            self._held = stamp
            return False
        if back:
            self.new_boot()
        self._take(held, in_order=True)
        return True

    def _goes_back(self, stamp: _Stamp) -> bool:
        return stamp.board + self._tolerance_ns < self._newest

    def _leaps(self, stamp: _Stamp) -> bool:
        """Whether, if it is true, all prompt lines before it were later than such lines are."""
        if self._earliest or not (self._prompt and self._latest):
            return False
        return stamp.host + stamp.err + LEAP_NS < self._upper(stamp.board)

    def _alike(self, held: _Stamp, stamp: _Stamp) -> bool:
        """Whether two stamps that do not go with those before them go with each other."""
        if self._goes_back(held) != self._goes_back(stamp) or stamp.board + self._tolerance_ns < held.board:
            return False
        return self._goes_back(stamp) or stamp.board - held.board <= stamp.host - held.host + LEAP_NS

    def _take(self, stamp: _Stamp, in_order: bool) -> bool:
        """Let a stamp count, unless it cannot be true."""
        if self._lower(stamp.board) > stamp.host + stamp.err:
            self.contradictions += 1
            return False
        if in_order:
            self._newest = max(self._newest, stamp.board)
        low, high = self._span or (stamp.board, stamp.board)
        self._span = min(low, stamp.board), max(high, stamp.board)
        self._blur_ns = max(self._blur_ns, 2 * stamp.err)
        self._prompt = self._prompt or stamp.prompt
        self._keep(stamp.board, stamp.host + stamp.err)
        return True

    def _stretch(self, distance: int) -> int:
        """The most host time that ``distance`` of board time can take, both signed, ns."""
        return distance - (-abs(distance) * self._drift_ppm // 1_000_000)

    def _upper(self, board: int) -> int:
        return min(host + self._stretch(board - at + self._quantum_ns) for at, host in self._latest)

    def _lower(self, board: int) -> int:
        if not self._earliest:
            return -(1 << 63)
        bounds = [host - self._stretch(at + self._quantum_ns - board) for at, host in self._earliest]
        return max(bounds)

    def _least(self, board: int, upper: int) -> int:
        """The lower bound by the best that is known."""
        if self._earliest:
            return self._lower(board)
        if self._prompt:
            return self._assumed_lower(board, upper)
        if self._floor_ns is None:
            ms = board // NS_PER_MS
            raise HarnessError(f"board time {ms} ms has no host time: every line of boot {self.boot} may have waited")
        return min(self._floor_ns, upper)

    def _assumed_lower(self, board: int, upper: int) -> int:
        """One prompt line, it is not known which, was seen within ``quickest_s``: the farthest is assumed."""
        low, high = self._span or (board, board)
        farthest = max(abs(board - low), abs(board - high)) + self._quantum_ns
        spread = 2 * self._quantum_ns + 2 * (farthest * self._drift_ppm // 1_000_000 + 1)
        return upper - self._quickest_ns - self._blur_ns - SLACK_NS - spread

    def _keep(self, board: int, host: int) -> None:
        """Add an upper bound unless another implies it, or nearly so; drop those that it implies."""
        for at, other in reversed(self._latest):
            if other + self._stretch(board - at) <= host + SLACK_NS:
                return
        kept = [(at, other) for at, other in self._latest if host + self._stretch(at - board) > other]
        kept.append((board, host))
        self._latest = kept if len(kept) <= KEPT else self._thin(kept)

    def _thin(self, bounds: list[tuple[int, int]]) -> list[tuple[int, int]]:
        """Every second bound; by how much the others were better goes into the blur of the assumption."""
        kept, dropped = bounds[::2], bounds[1::2]
        self._blur_ns += max(
            min(other + self._stretch(board - at) for at, other in kept) - host for board, host in dropped
        )
        return kept
