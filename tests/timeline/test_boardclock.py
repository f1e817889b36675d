import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.clock import NS_PER_MS, NS_PER_S, to_ns
from hil.errors import HarnessError
from hil.timeline.boardclock import KEPT, BoardClock

BOOT_NS = 1_000 * NS_PER_S
instants = st.lists(st.integers(0, 600 * NS_PER_S), min_size=1, max_size=80).map(sorted)
delays = st.integers(0, 5 * NS_PER_S)
drifts = st.floats(-100, 100)


class _Board:
    """Writes a stamp at a true instant of its own clock and knows the host time of it."""

    def __init__(self, drift_ppm: float, quantum_ms: int = 1) -> None:
        self._rate = 1 + drift_ppm * 1e-6
        self._quantum_ms = quantum_ms

    def host_ns(self, since_boot_ns: int) -> int:
        return BOOT_NS + round(since_boot_ns * self._rate)

    def stamp_ms(self, since_boot_ns: int) -> int:
        return since_boot_ns // NS_PER_MS // self._quantum_ms * self._quantum_ms


def _holds(clock: BoardClock, board: _Board, since_boot_ns: int) -> bool:
    t_ns, err_ns = clock.to_host(board.stamp_ms(since_boot_ns))
    return abs(board.host_ns(since_boot_ns) - t_ns) <= err_ns + 1  # the test's own floats round to 1 ns


@settings(max_examples=60, deadline=None)
@given(instants, st.data(), drifts, st.sampled_from([1, 10]), st.integers(0, 600 * NS_PER_S))
def test_the_true_instant_lies_within_the_bound(written, data, drift_ppm, quantum_ms, asked):
    """Whatever the delays, if one line was seen in time, the mapping of any stamp of the boot holds its true time."""
    board, clock = _Board(drift_ppm, quantum_ms), BoardClock(quantum_ms=quantum_ms, quickest_s=0.25)
    quick = data.draw(st.integers(0, len(written) - 1))
    for index, instant in enumerate(written):
        delay = data.draw(st.integers(0, to_ns(0.25)) if index == quick else delays)
        err = data.draw(st.integers(0, NS_PER_MS))
        blur = data.draw(st.integers(-err, err))
        clock.observe(board.stamp_ms(instant), board.host_ns(instant) + delay + blur, err, in_order=False)
    assert not clock.anchored
    assert clock.contradictions == 0
    assert all(_holds(clock, board, instant) for instant in (*written, asked))


@settings(deadline=None)
@given(instants, st.data(), drifts, st.integers(0, 600 * NS_PER_S))
def test_with_an_anchor_nothing_is_assumed_of_the_delays(written, data, drift_ppm, asked):
    """One instant that the host knows on both sides bounds the mapping from below, however slow every line is."""
    board, clock = _Board(drift_ppm), BoardClock()
    known = data.draw(st.integers(0, 600 * NS_PER_S))
    err = data.draw(st.integers(0, 50 * NS_PER_MS))
    clock.anchor(board.stamp_ms(known), board.host_ns(known) + data.draw(st.integers(-err, err)), err)
    for instant in written:
        clock.observe(board.stamp_ms(instant), board.host_ns(instant) + data.draw(delays), in_order=False)
    assert clock.anchored
    assert clock.contradictions == 0
    assert all(_holds(clock, board, instant) for instant in (*written, asked))


@settings(deadline=None)
@given(instants, st.data(), drifts, st.integers(0, 5 * NS_PER_S))
def test_an_instant_before_the_boot_bounds_the_mapping(written, data, drift_ppm, reset_before_ns):
    """A reset whose instant is known comes before the board's millisecond 0."""
    board, clock = _Board(drift_ppm), BoardClock()
    clock.new_boot(began_after_ns=BOOT_NS - reset_before_ns)
    for instant in written:
        clock.observe(board.stamp_ms(instant), board.host_ns(instant) + data.draw(delays))
    assert clock.anchored
    assert all(_holds(clock, board, instant) for instant in written)


@pytest.mark.parametrize("drift_ppm", [-100, 100])
@pytest.mark.parametrize("inside_ns", [0, NS_PER_MS - 1])
@pytest.mark.parametrize("err_ns", [0, 5 * NS_PER_MS])
@pytest.mark.parametrize("asked", [0, NS_PER_MS - 1, 600 * NS_PER_S, 601 * NS_PER_S - 1])
def test_the_bound_holds_in_the_worst_case(drift_ppm, inside_ns, err_ns, asked):
    """The only line is as late as is assumed, its stamp as coarse and the drift as great as can be."""
    board, clock = _Board(drift_ppm), BoardClock(quickest_s=0.25)
    clock.observe(0, board.host_ns(inside_ns) + to_ns(0.25) + err_ns, err_ns)
    assert _holds(clock, board, asked)


@pytest.mark.parametrize("drift_ppm", [-100, 0, 100])
@pytest.mark.parametrize("shrinks_ns", [20_000, 20_777])
def test_thinning_never_makes_the_bound_wrong(shrinks_ns, drift_ppm):
    """Lines for ten minutes whose delays shrink slowly, so that every one of them improves the bound."""
    board, clock = _Board(drift_ppm), BoardClock(quickest_s=0.01)
    times = [index * NS_PER_S for index in range(600)]
    for index, instant in enumerate(times):
        delay = (600 - index) * shrinks_ns + 5_000_000
        clock.observe(board.stamp_ms(instant), board.host_ns(instant) + delay)
    assert len(clock._latest) <= KEPT
    assert all(_holds(clock, board, instant) for instant in times[::50])


def test_the_quickest_line_decides():
    """Slow lines do not pull the mapping; the error is the assumed delay and the quantum."""
    clock = BoardClock(quickest_s=0.010)
    clock.observe(1000, 51_000_000_000 + 3 * NS_PER_S)
    clock.observe(1001, 51_001_000_000)
    clock.observe(1002, 51_002_000_000 + NS_PER_S)
    t_ns, err_ns = clock.to_host(1001)
    assert t_ns - err_ns <= 51_001_000_000 <= t_ns + err_ns
    assert err_ns < 10 * NS_PER_MS


def test_an_anchor_tightens_both_sides():
    """A USB mount dated by usbmon leaves little more than the quantum."""
    clock = BoardClock()
    clock.observe(1000, 51_250_000_000)
    loose = clock.to_host(1000)[1]
    clock.anchor(1000, 51_000_000_000, 50_000)
    tight = clock.to_host(1000)[1]
    assert loose > 100 * NS_PER_MS
    assert tight < 2 * NS_PER_MS


def test_a_line_was_not_written_after_it_was_seen():
    """The instant at which this very stamp was seen is an upper bound without the quantum."""
    clock = BoardClock(quantum_ms=10)
    clock.observe(1000, 51_000_000_000)
    t_ns, err_ns = clock.to_host(1000, seen_ns=51_000_000_000)
    assert t_ns + err_ns <= 51_000_000_001


def test_the_error_grows_with_the_distance():
    """100 ppm over 100 s are 10 ms on top."""
    clock = BoardClock()
    clock.anchor(1000, 51_000_000_000, 0)
    near, far = clock.to_host(1000)[1], clock.to_host(101_000)[1]
    assert far - near == pytest.approx(10 * NS_PER_MS, rel=0.001)


def test_stamps_that_go_back_mean_a_new_boot():
    """Beyond the tolerance, and two that agree, the old mapping is forgotten; within it two tasks logged at once."""
    clock = BoardClock(tolerance_ms=100)
    assert clock.observe(5000, 10 * NS_PER_S)
    assert clock.observe(4950, 10 * NS_PER_S + 1)
    assert clock.boot == 0
    assert not clock.observe(30, 12 * NS_PER_S)
    assert clock.boot == 0
    assert clock.observe(31, 12 * NS_PER_S + NS_PER_MS)
    assert clock.boot == 1
    assert clock.contradictions == 0
    t_ns, err_ns = clock.to_host(30)
    assert abs(t_ns - 12 * NS_PER_S) <= err_ns


@pytest.mark.parametrize("garbled_ms", [3, 12_000, 4_000_000_000])
def test_one_garbled_stamp_is_no_boot_and_moves_nothing(garbled_ms):
    """Nothing bounds the clock from below; the lines before and behind agree with each other."""
    clock = BoardClock()
    for ms in (1000, 2000, 3000):
        clock.observe(ms, 10 * NS_PER_S + ms * NS_PER_MS)
    before = clock.to_host(3000)
    assert not clock.observe(garbled_ms, 13_100 * NS_PER_MS)
    assert clock.to_host(3000) == before
    assert clock.observe(3200, 13_200 * NS_PER_MS)
    assert (clock.boot, clock.contradictions) == (0, 1)
    t_ns, err_ns = clock.to_host(3200)
    assert abs(t_ns - 13_200 * NS_PER_MS) <= err_ns < 200 * NS_PER_MS


def test_two_garbled_stamps_that_disagree_are_no_boot():
    """One says that the lines before were late, the other that the board has booted."""
    clock = BoardClock()
    clock.observe(3000, 13 * NS_PER_S)
    clock.observe(4_000_000_000, 13_100 * NS_PER_MS)
    clock.observe(2, 13_101 * NS_PER_MS)
    assert clock.observe(3200, 13_200 * NS_PER_MS)
    assert (clock.boot, clock.contradictions) == (0, 2)


def test_two_lines_that_were_quicker_prove_the_others_late():
    """A bus that slept held the first ones back for a minute."""
    clock = BoardClock()
    clock.observe(1000, 71 * NS_PER_S)
    assert not clock.observe(61_500, 71_500 * NS_PER_MS)
    assert clock.observe(62_000, 72_000 * NS_PER_MS)
    assert clock.boot == 0
    t_ns, err_ns = clock.to_host(1000)
    assert abs(t_ns - 11 * NS_PER_S) <= err_ns < 200 * NS_PER_MS


def test_lines_that_waited_bound_from_above_alone():
    """The error reaches back to the floor until a line comes promptly, which dates the others as well."""
    clock = BoardClock(floor_ns=20 * NS_PER_S)
    for ms in (300, 663, 921):
        clock.observe(ms, 70 * NS_PER_S, prompt=False)
    t_ns, err_ns = clock.to_host(663)
    assert (clock.located, t_ns - err_ns) == (False, 20 * NS_PER_S)
    assert t_ns + err_ns <= 70 * NS_PER_S
    clock.observe(21_000, 71 * NS_PER_S)
    t_ns, err_ns = clock.to_host(663)
    assert clock.located
    assert abs(t_ns - 50_663 * NS_PER_MS) <= err_ns < 200 * NS_PER_MS


def test_a_boot_began_after_the_one_before_it_ended():
    """As far back as its last line, where nothing of the new one came promptly."""
    clock = BoardClock(floor_ns=0)
    clock.observe(5000, 40 * NS_PER_S)
    clock.new_boot()
    clock.observe(663, 70 * NS_PER_S, prompt=False)
    t_ns, err_ns = clock.to_host(663)
    assert 39 * NS_PER_S < t_ns - err_ns <= 40 * NS_PER_S


def test_without_a_floor_lines_that_waited_have_no_time():
    """The message says why."""
    clock = BoardClock()
    clock.observe(663, 70 * NS_PER_S, prompt=False)
    with pytest.raises(HarnessError, match="board time 663 ms has no host time: every line of boot 0 may have waited"):
        clock.to_host(663)


def test_an_event_log_read_later_is_no_new_boot():
    """A channel that tells of the past may hold any earlier stamp."""
    clock = BoardClock()
    clock.observe(5000, 10 * NS_PER_S)
    clock.observe(30, 12 * NS_PER_S, in_order=False)
    assert clock.boot == 0


def test_a_stamp_from_the_future_is_left_out():
    """A line seen before it can have been written is garbled; it does not move the mapping."""
    clock = BoardClock()
    clock.anchor(1000, 51_000_000_000, 1000)
    before = clock.to_host(1000)
    clock.observe(9000, 52 * NS_PER_S)
    assert clock.contradictions == 1
    assert clock.to_host(1000) == before


def test_without_a_line_there_is_no_mapping():
    """The message names the stamp and the boot."""
    clock = BoardClock()
    clock.new_boot()
    with pytest.raises(HarnessError, match="board time 70 ms has no host time: no line of boot 1 was seen yet"):
        clock.to_host(70)
