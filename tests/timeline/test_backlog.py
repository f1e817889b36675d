"""What a log port brings may have waited on the board."""

from hil.clock import to_ns
from hil.timeline.backlog import HANDED_OVER_S, QUIET_S, STALLED_S, Backlog


def opened(at_s: float) -> Backlog:
    """A port that was opened then."""
    backlog = Backlog()
    backlog.opened(to_ns(at_s))
    return backlog


def test_what_comes_with_an_opening_may_have_waited() -> None:
    """In however many readings it comes, as long as they follow each other."""
    backlog = opened(10.0)
    assert not any(backlog.prompt(to_ns(10.0 + index * 0.2), 0) for index in range(9))


def test_after_a_pause_a_line_is_prompt_and_so_are_those_behind_it() -> None:
    """The port was open and empty."""
    backlog = opened(10.0)
    assert not backlog.prompt(to_ns(10.1), 0)
    assert backlog.prompt(to_ns(10.1 + QUIET_S), 0)
    assert backlog.prompt(to_ns(10.2 + QUIET_S), 0)


def test_a_board_that_never_pauses_has_handed_over_after_a_while() -> None:
    """A line every 100 ms."""
    backlog = opened(10.0)
    late = [backlog.prompt(to_ns(10.0 + index * 0.1), 0) for index in range(30)].count(False)
    assert late == round(HANDED_OVER_S / 0.1)


def test_a_reading_that_may_have_come_before_is_no_pause() -> None:
    """The host looked late: the bytes may be there since the opening."""
    backlog = opened(10.0)
    assert not backlog.prompt(to_ns(13.0), to_ns(2.9))


def test_a_line_that_waited_on_the_host_is_not_prompt() -> None:
    """The next one is."""
    backlog = opened(10.0)
    assert backlog.prompt(to_ns(11.0), 0)
    assert not backlog.prompt(to_ns(20.0), to_ns(STALLED_S) + 1)
    assert backlog.prompt(to_ns(20.1), 0)


def test_opened_anew_it_may_hold_something_again() -> None:
    """Each opening counts."""
    backlog = opened(10.0)
    assert backlog.prompt(to_ns(20.0), 0)
    backlog.opened(to_ns(30.0))
    assert not backlog.prompt(to_ns(30.1), 0)


def test_with_dtr_low_it_may_hold_something_all_the_time() -> None:
    """Until it is opened with DTR."""
    backlog = opened(10.0)
    backlog.opened(to_ns(20.0), ready=False)
    assert not backlog.prompt(to_ns(60.0), 0)
    backlog.opened(to_ns(70.0))
    assert backlog.prompt(to_ns(80.0), 0)


def test_without_an_opening_the_first_reading_is_taken_for_one() -> None:
    """Nothing is known of what was before."""
    backlog = Backlog()
    assert not backlog.prompt(to_ns(30.0), 0)
    assert backlog.prompt(to_ns(31.0), 0)
