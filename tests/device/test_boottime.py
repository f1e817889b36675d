"""When a board stamped something that it does not date: what the timeline knows of its boot."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.bench import Board
from hil.clock import NS_PER_MS, to_ns
from hil.device.boottime import BootTime, Redating, heard_clock
from hil.timeline.boardclock import BoardClock
from hil.timeline.events import Acted, BoardSaid, BootMessage, Event, SerialLine, SerialOpened, UsbAttached

PURE = settings(deadline=None, derandomize=True, database=None, max_examples=80)
BOARD = Board("s3-a", "1-1.2")


def line(at_s: float, ms: int, board: str = "s3-a") -> SerialLine:
    """A log line, heard at once."""
    stamp = {"t_ns": to_ns(at_s), "t_err_ns": NS_PER_MS}
    return SerialLine(f"I ({ms}) net: x", 0, 20, True, board=board, source="serial", **stamp)


def acted(at_s: float, sees: str = "vbus_off", board: str = "s3-a") -> Acted:
    """The cable was moved."""
    return Acted("plug", sees, "", t_ns=to_ns(at_s), t_err_ns=0, board=board, source="action")


def attached(at_s: float, path: str = "1-1.2") -> UsbAttached:
    """A device came onto the bus."""
    return UsbAttached(path, 1, 2, t_ns=to_ns(at_s), t_err_ns=0, board="", source="uevent")


def boot(*events: Event, read_s: float, skew_ms: int = 0) -> BootTime:
    """What these events tell of the running boot, which is read then."""
    return BootTime(heard_clock(events, BOARD, 1, skew_ms), to_ns(read_s), skew_ms)


def span(boot_time: BootTime, ms: int) -> tuple[float, float]:
    """Earliest and latest instant of a stamp, s."""
    dated = boot_time.date(ms)
    assert dated is not None
    t_ns, t_err_ns = dated
    return (t_ns - t_err_ns) / 1e9, (t_ns + t_err_ns) / 1e9


def test_without_any_evidence_nothing_is_dated() -> None:
    """Nor is it known when the boot began."""
    unknown = boot(read_s=10.0)
    assert unknown.date(500) is None
    assert unknown.born_ns() is None


def test_a_board_without_supply_has_booted_later() -> None:
    """What it stamped lies between then and the question, and its boot is younger than the plug."""
    found = boot(acted(1.0), acted(2.0), attached(2.5), read_s=10.0)
    assert span(found, 500) == pytest.approx((2.5, 10.0), abs=0.01)
    assert found.born_ns() == pytest.approx(to_ns(2.0), abs=2 * NS_PER_MS)


def test_a_log_that_was_heard_dates_closely() -> None:
    """A line came no later than it was heard, and with the least delay a quarter of a second before."""
    found = boot(line(5.0, 3_000), line(6.0, 4_000), read_s=10.0)
    low, high = span(found, 3_500)
    assert low < 5.5 <= high
    assert high - low < 0.3
    assert found.born_ns() is None


def test_both_kinds_of_evidence_make_one_bound() -> None:
    """After the plug, and before the line was heard."""
    found = boot(acted(2.0), attached(2.4), line(4.0, 1_000), read_s=10.0)
    assert span(found, 500) == pytest.approx((2.5, 3.5), abs=0.01)


def test_a_board_that_comes_back_may_have_booted() -> None:
    """What its log said before is left out; the lower bound stays true."""
    assert boot(line(5.0, 3_000), attached(6.0), read_s=10.0).date(500) is None
    assert span(boot(acted(2.0), line(5.0, 3_000), attached(6.0), read_s=10.0), 500) == pytest.approx(
        (2.5, 10.0), abs=0.01
    )
    rom = BootMessage("rom", "ESP-ROM:x", "", t_ns=to_ns(6.0), t_err_ns=0, board="s3-a", source="console")
    assert boot(line(5.0, 3_000), rom, read_s=10.0).date(500) is None


def test_other_boards_and_weaker_actions_are_no_evidence() -> None:
    """A board with a supply of its own keeps running."""
    others = [acted(1.0, board="s3-b"), acted(1.0, sees="suspend"), line(2.0, 100, board="s3-b")]
    assert boot(*others, read_s=10.0).date(500) is None
    assert span(boot(acted(1.0), line(2.0, 100), attached(3.0, "1-1.3"), read_s=10.0), 100)[1] < 2.1


def test_what_is_still_to_come_was_stamped_by_no_boot() -> None:
    """Ten seconds after the plug no board has run for a minute."""
    found = boot(acted(2.0), read_s=12.0)
    with pytest.raises(ValueError, match="stamped 60000 ms, which is still to come"):
        found.date(60_000)
    assert found.date(9_000) is not None


def test_a_stamp_does_not_serve_to_date_another() -> None:
    """One that lies costs itself alone."""
    found = boot(acted(2.0), read_s=12.0)
    before = found.date(500)
    found.date(9_999)
    with pytest.raises(ValueError, match="still to come"):
        found.date(60_000)
    assert found.date(500) == before


def test_a_claim_that_was_heard_is_evidence_and_one_that_was_read_is_not() -> None:
    """The event log tells of the past."""
    live = BoardSaid("UP", "", 3_000, "serial", board="s3-a", source="serial", t_ns=to_ns(5.0), t_err_ns=0)
    past = BoardSaid("UP", "", 3_000, "events", board="s3-a", source="http", t_ns=to_ns(5.0), t_err_ns=0)
    assert boot(live, read_s=10.0).date(500) is not None
    assert boot(past, read_s=10.0).date(500) is None


def test_a_skew_between_log_and_event_log_widens_the_bound() -> None:
    """Where the plug bounds it from below, only from above."""
    low, high = span(boot(line(5.0, 3_000), read_s=10.0, skew_ms=1_000), 3_000)
    assert low < 4.0
    assert high > 6.0
    assert span(boot(acted(2.0), line(5.0, 2_000), read_s=10.0, skew_ms=1_000), 1_000) == pytest.approx(
        (3.0, 5.0), abs=0.01
    )


@PURE
@given(
    st.floats(0.0, 5.0),
    st.lists(st.tuples(st.integers(0, 8_000), st.integers(0, 200)), max_size=6),
    st.integers(-400, 400),
    st.integers(0, 8_000),
)
def test_the_truth_lies_within_the_bound(off_s: float, lines: list[tuple[int, int]], skew_ms: int, ms: int) -> None:
    """Whatever the delays of the log and its skew, an entry of a boot after the plug is dated right."""
    born_ns = to_ns(10.0)
    heard = [(born_ns + (at_ms + late_ms) * NS_PER_MS, max(0, at_ms + skew_ms)) for at_ms, late_ms in sorted(lines)]
    events: list[Event] = [acted(10.0 - off_s), *(line(t_ns / 1e9, stamp) for t_ns, stamp in sorted(heard))]
    clock = heard_clock(events, BOARD, 1, 400)
    found = BootTime(clock, born_ns + 9_000 * NS_PER_MS, 400).date(ms)
    assert found is not None
    t_ns, t_err_ns = found
    assert abs(t_ns - born_ns - ms * NS_PER_MS) <= t_err_ns + NS_PER_MS


def test_an_uptime_dates_on_both_sides() -> None:
    """As an anchored clock does, without a skew."""
    clock = BoardClock()
    clock.anchor(9_000, to_ns(10.0), NS_PER_MS)
    assert span(BootTime(clock, to_ns(10.1)), 4_000) == pytest.approx((5.0, 5.0), abs=0.01)
    born_ns = BootTime(clock, to_ns(10.1)).born_ns()
    assert born_ns == pytest.approx(to_ns(1.0), abs=10 * NS_PER_MS)
    with pytest.raises(ValueError, match="still to come"):
        BootTime(clock, to_ns(10.1)).date(20_000)


def opened(at_s: float) -> SerialOpened:
    """Its port was opened."""
    return SerialOpened("/dev/ttyACM0", True, t_ns=to_ns(at_s), t_err_ns=0, board="s3-a", source="serial")


def said(at_s: float, err_s: float, ms: int) -> BoardSaid:
    """A claim on the serial port."""
    stamp = {"t_ns": to_ns(at_s), "t_err_ns": to_ns(err_s)}
    return BoardSaid("UP", "", ms, "serial", board="s3-a", source="serial", **stamp)


def test_lines_that_waited_for_their_port_date_nothing() -> None:
    """Until one comes that did not."""
    waited = (opened(20.0), line(20.1, 300), line(20.1, 921))
    assert boot(*waited, read_s=30.0).date(663) is None
    low, high = span(boot(*waited, line(21.0, 21_000), line(22.0, 22_000), read_s=30.0), 663)
    assert low < 0.663 <= high
    assert high - low < 0.3


def test_a_claim_that_waited_is_narrowed_by_what_came_later() -> None:
    """Never out of the bound that it had: the capture process knew that it was not made before 0.2 s."""
    redating = Redating(BOARD, 1)
    wide = said(10.15, 9.95, 663)
    redating.take([opened(20.0), line(20.1, 663), wide])
    assert redating.said() == [wide]
    redating.take([line(21.0, 21_000), line(22.0, 22_000)])
    (narrow,) = redating.said()
    assert abs(narrow.t_ns - to_ns(0.663)) <= narrow.t_err_ns < to_ns(0.2)
    redating.take([attached(40.0), opened(40.1), line(40.2, 300)])
    assert redating.said() == [narrow]


def test_what_was_said_in_the_boot_before_is_not_dated_by_this_one() -> None:
    """Its stamp is of another clock."""
    redating = Redating(BOARD, 1)
    wide = said(10.0, 9.0, 300)
    redating.take([opened(18.9), line(19.0, 300), wide, attached(30.0), line(33.0, 300), line(34.0, 1_300)])
    assert redating.said() == [wide]
