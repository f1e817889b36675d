"""The channels over which a firmware speaks: their forms and their limits."""

import tomllib
from typing import Any

import pytest

from hil.errors import BenchError
from hil.profiles.witnesses import EventLog, Flags, Log, read_event_log, read_flags, read_log
from hil.toml_table import Table


def table(text: str) -> Table:
    """A table of a file."""
    values: dict[str, Any] = tomllib.loads(text)
    return Table(values, "mine.toml: events.")


def test_nothing_said_means_the_least_that_can_be_believed() -> None:
    """A log may lose lines, and of an event log that is not there nothing need be said."""
    assert read_log(table("")) == Log(complete=False, step_ms=1)
    assert read_event_log(table(""), there=False) == EventLog()
    assert read_flags(table("")) == Flags((), since_boot=True)


def test_an_event_log_says_what_happens_when_it_is_full() -> None:
    """Absence proves nothing in a log that has lost entries without a word."""
    with pytest.raises(BenchError, match=r"^mine\.toml: events\.when_full is missing"):
        read_event_log(table(""), there=True)
    assert not read_event_log(table('when_full = "silent"\ncapacity = 30'), there=True).tells_full
    assert read_event_log(table('when_full = "counted"'), there=True).tells_full


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('when_full = "silent"', r"events\.capacity is missing; wanted beside when_full = 'silent'"),
        ('when_full = "loud"', r"events\.when_full is 'loud'; known: 'counted', 'never', 'silent'"),
        ('when_full = "never"\nkeeps = "all"', r"events\.keeps is 'all'; known: 'first', 'last'"),
        ('when_full = "never"\ncapacity = -1', r"events\.capacity is -1; wanted 0 or more"),
        ('when_full = "never"\nstep_ms = 0', r"events\.step_ms is 0; wanted 1 or more"),
        ('when_full = "never"\nheader = "x"', r"events\.entry is missing; wanted beside header and discarded"),
        ('when_full = "never"\nentry = "x"', r"events\.entry is 'x'; it has no group 'name'"),
        ('when_full = "never"\nentry = "(?P<name>x"', r"events\.entry is '\(\?P<name>x'; not a regular expression"),
        ('when_full = "never"\nring = 3', r"events\.ring is not a known key; known: capacity, detail_bytes"),
    ],
)
def test_a_slip_of_the_pen_is_named(text: str, message: str) -> None:
    """File, key, value and what would be right."""
    with pytest.raises(BenchError, match=r"^mine\.toml: " + message):
        read_event_log(table(text), there=True)


def test_a_line_of_the_log_has_to_name_something() -> None:
    """Its group is what a claim is called."""
    assert read_log(table(r"line = 'EVT (?P<ms>\d+) (?P<name>\w+)'")).line
    with pytest.raises(BenchError, match="it has no group 'name'"):
        read_log(table("line = 'EVT'"))


def test_a_flag_stands_once() -> None:
    """A name that is there twice is a slip."""
    assert read_flags(table('names = ["UP"]\nsince = "now"')) == Flags(("UP",), since_boot=False)
    with pytest.raises(BenchError, match=r"names is \['UP', 'UP'\]; 'UP' stands there twice"):
        read_flags(table('names = ["UP", "UP"]'))
