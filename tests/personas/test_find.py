"""Personas by name, with options."""

from pathlib import Path

import pytest

from hil.errors import BenchError
from hil.personas import IOS, MACOS, OPTIONS, PERSONAS, find
from hil.personas.client_profile import Backoff
from hil.personas.replies import REASONS


def test_a_persona_is_found_by_its_name() -> None:
    """As it stands in its module."""
    assert find("ios") is not None
    assert [find(name) for name in sorted(PERSONAS)] == [IOS, PERSONAS["linux"], MACOS]


def test_an_option_replaces_one_figure() -> None:
    """A number of seconds may be whole; the persona itself stays as it is."""
    quick = find("ios", discover=Backoff((1,), 0.0, 0.0, tries=2), gather_s=0, caches_failure=False)
    assert (quick.discover.tries, quick.gather_s, quick.caches_failure, quick.name) == (2, 0, False, "ios")
    assert IOS.caches_failure


def test_an_unknown_persona_names_the_known_ones() -> None:
    """A misspelt persona is refused with the choices."""
    with pytest.raises(BenchError, match="persona 'windows' is not known; known: 'ios', 'linux', 'macos'"):
        find("windows")


def test_an_unknown_option_names_the_known_ones() -> None:
    """Sorted, without the name of the persona."""
    with pytest.raises(BenchError, match="persona 'macos': option 'speed' is not known; known: 'ack', ") as caught:
        find("macos", speed=2)
    assert "'pause_s'" in str(caught.value)
    with pytest.raises(BenchError, match="option 'name' is not known"):
        find("macos", name="windows")


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("caches_failure", 1, "bool such as True"),
        ("pause_s", "60", "float such as 60.0"),
        ("pause_s", True, "float such as 60.0"),
        ("link_local_at_try", 2.5, "int such as 5"),
        ("discover", 3, r"Backoff such as Backoff\(delays_s="),
    ],
)
def test_an_option_of_another_type_shows_one_that_fits(option: str, value: object, expected: str) -> None:
    """The message holds the value, and the persona's own."""
    with pytest.raises(BenchError, match=f"persona 'ios': option '{option}' is {value!r}, expected {expected}"):
        find("ios", **{option: value})


def test_the_guide_names_every_persona_option_and_reason() -> None:
    """With the same words for the reasons; docs/personas.md is written by hand."""
    guide = (Path(__file__).parents[2] / "docs/personas.md").read_text(encoding="utf-8")
    assert [name for name in (*PERSONAS, *OPTIONS) if name not in guide] == []
    rows = [f"| `{reason}` | {text} |" for reason, text in REASONS.items()]
    assert [row for row in rows if row not in guide] == []


@pytest.mark.parametrize("value", [-5.0, -1, float("nan")])
def test_no_time_is_less_than_none(value: float) -> None:
    """A duration that has passed before it begins would be taken for one of 0."""
    with pytest.raises(BenchError, match=rf"option 'gather_s' is {value!r}, expected 0 or more"):
        find("ios", gather_s=value)
