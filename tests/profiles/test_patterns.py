"""Regular expressions of a profile are checked where they are read."""

import pytest

from hil.errors import BenchError
from hil.profiles.patterns import read_pattern
from hil.toml_table import Table


def table(pattern: str) -> Table:
    """One claim's table."""
    return Table({"pattern": pattern}, "mine.toml: claim.UP.")


def test_a_pattern_is_kept_as_it_is_written() -> None:
    """What compiles and means something is the pattern."""
    text = r"link up \((?P<detail>\w+)\)"
    assert read_pattern(table(text), "pattern", ("detail", "ms")) == text


def test_no_pattern_is_no_error() -> None:
    """'' and nothing are the same."""
    assert read_pattern(table(""), "pattern") == ""
    assert read_pattern(Table({}, ""), "pattern") == ""


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("(", r"not a regular expression: missing \), unterminated subpattern at position 0"),
        ("*", "not a regular expression: nothing to repeat at position 0"),
        ("a{99999999999}", "not a regular expression: the repetition number is too large"),
        ("[[a]", "not a regular expression: Possible nested set at position 1"),
        ("(" * 5000, "not a regular expression: "),
        (".*", "it matches an empty line, and so every line"),
        ("up|", "it matches an empty line, and so every line"),
        (r"up (?P<detial>\w+)", "it has a group 'detial'; known: 'detail', 'ms'"),
    ],
)
def test_a_bad_pattern_gives_one_clear_error(pattern: str, why: str) -> None:
    """File, key, value and reason."""
    with pytest.raises(BenchError, match=r"^mine\.toml: claim\.UP\.pattern is '.*'; " + why):
        read_pattern(table(pattern), "pattern", ("detail", "ms"))


def test_a_group_that_is_needed_has_to_be_there() -> None:
    """An entry without a name says nothing."""
    with pytest.raises(BenchError, match=r"it has no group 'name', written \(\?P<name>…\)"):
        read_pattern(table("up"), "pattern", ("name",), ("name",))


def test_where_no_group_means_anything_none_is_taken() -> None:
    """The pattern of a body has none."""
    with pytest.raises(BenchError, match="it has a group 'x'; known: none"):
        read_pattern(table("(?P<x>a)"), "pattern")
