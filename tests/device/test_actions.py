"""Every action leaves a start and one end."""

from collections.abc import Callable

import pytest

from hil.agent.replies import Done
from hil.board.interfaces import Instant
from hil.device.actions import Actions
from hil.errors import BoardVanished
from hil.timeline.events import Acted, ActionFailed, Event, Started


def recorded(do: Callable[[], Instant]) -> list[Event]:
    """What the action ``pull`` leaves, and nothing else; what it raises is passed over."""
    events: list[Event] = []

    def record(event: Event) -> Event:
        events.append(event)
        return event

    try:
        Actions("s3-a", record).perform("pull", "disconnect", do, "by hand")
    except (BoardVanished, KeyboardInterrupt):
        events.append(Event())
    return events


def raising(error: BaseException) -> Callable[[], Instant]:
    """An action that fails."""

    def do() -> Instant:
        raise error

    return do


def test_an_action_is_dated_by_what_it_did() -> None:
    """The instant is the driver's, with its error, and not the time of writing."""
    started, acted = recorded(lambda: Done(77, 5))
    assert started == Started("pull", "by hand", board="s3-a", source="action")
    assert acted == Acted("pull", "disconnect", "by hand", t_ns=77, t_err_ns=5, board="s3-a", source="action")


@pytest.mark.parametrize(
    ("error", "text"),
    [(BoardVanished("it is gone"), "it is gone"), (KeyboardInterrupt(), "KeyboardInterrupt")],
    ids=["a failure", "Ctrl-C"],
)
def test_an_action_that_fails_says_so_and_raises(error: BaseException, text: str) -> None:
    """Whatever ends the action is its recorded end, and goes on to the test."""
    started, failed, raised = recorded(raising(error))
    assert isinstance(started, Started)
    assert failed == ActionFailed("pull", text, board="s3-a", source="action")
    assert raised == Event()
