"""A profile that extends another one."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from hil.profiles.inheritance import merged

PURE = settings(deadline=None, derandomize=True, database=None, max_examples=80)
BASE: dict[str, Any] = {
    "name": "base",
    "about": "the base",
    "extends": "nothing",
    "role": "static",
    "log": {"step_ms": 10, "ring_lines": 200},
    "flags": {"names": ["A", "B"]},
    "claim": [{"name": "A", "pattern": "a"}, {"name": "B", "silence": "x", "source": "s"}],
    "http": {"endpoint": [{"path": "/x"}, {"path": "/x", "method": "POST", "status": 201}]},
}


def test_what_is_left_out_is_the_bases() -> None:
    """All but what says which file it is."""
    made = merged(BASE, {"name": "mine"})
    assert made == {**{key: BASE[key] for key in ("role", "log", "flags", "claim", "http")}, "name": "mine"}


def test_tables_are_merged_key_by_key_and_arrays_replaced() -> None:
    """A single limit can differ."""
    made = merged(BASE, {"log": {"ring_lines": 100}, "flags": {"names": ["C"]}})
    assert made["log"] == {"step_ms": 10, "ring_lines": 100}
    assert made["flags"] == {"names": ["C"]}


def test_claims_are_found_by_their_name() -> None:
    """One is changed where it stands, another is new."""
    made = merged(BASE, {"claim": [{"name": "C"}, {"name": "B", "silence": ""}]})
    assert made["claim"] == [
        {"name": "A", "pattern": "a"},
        {"name": "B", "silence": "", "source": "s"},
        {"name": "C"},
    ]


def test_endpoints_are_found_by_path_and_method() -> None:
    """A method that is left out is GET."""
    made = merged(BASE, {"http": {"endpoint": [{"path": "/x", "method": "GET", "status": 204}]}})
    assert made["http"]["endpoint"] == [
        {"path": "/x", "method": "GET", "status": 204},
        {"path": "/x", "method": "POST", "status": 201},
    ]


def test_a_double_stays_one_for_the_reader_to_refuse() -> None:
    """Two tables of one name in one file are not made one here."""
    made = merged(BASE, {"claim": [{"name": "A", "pattern": "b"}, {"name": "A", "pattern": "c"}]})
    assert [row["name"] for row in made["claim"]] == ["A", "B", "A"]


VALUES = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "claim", "endpoint", "path"]), inner, max_size=3)
    ),
    max_leaves=12,
)


@PURE
@given(st.dictionaries(st.sampled_from(["claim", "http", "role"]), VALUES, max_size=3))
def test_any_values_are_merged_without_an_error(change: dict[str, Any]) -> None:
    """Wrong types are left for the reader, who knows their place; the base is as it was."""
    before = repr(BASE)
    made = merged(BASE, change)
    assert set(made) == (set(BASE) | set(change)) - {"name", "about", "extends"}
    assert repr(BASE) == before
