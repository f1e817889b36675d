"""The lines between host and machine."""

import signal

import pytest

from hil.errors import HarnessError
from hil.launcher.protocol import Outcome, order


def test_lines_add_up_to_an_outcome() -> None:
    """Phases with their uptime, the exit status, the end; in pieces of any size."""
    outcome = Outcome()
    for byte in b"phase shell 1.50\nphase start 1.75\nexit 3\ndone\n":
        outcome.feed(bytes([byte]))
    assert (outcome.status, outcome.done) == (3, True)
    assert outcome.phases["start"].uptime_s == 1.75
    assert list(outcome.timing()) == ["kernel", "shell", "start"]


def test_a_line_without_meaning_is_an_error() -> None:
    """It is shown with what is known."""
    with pytest.raises(HarnessError, match="said 'exit'; known: phase NAME UPTIME"):
        Outcome().feed(b"exit\n")


def test_signals_go_where_they_would_go_here() -> None:
    """A terminal's to the whole group, kill's to the one process."""
    assert order(signal.SIGINT) == b"group INT\n"
    assert order(signal.SIGHUP) == b"group HUP\n"
    assert order(signal.SIGTERM) == b"alone TERM\n"
