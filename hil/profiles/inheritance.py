"""A profile that extends another one: what it says replaces what the other says, key by key.

Tables are merged key by key, ``[[claim]]`` and ``[[sequence]]`` tables by their name, ``[[http.endpoint]]`` tables by
path and method. Everything else, arrays too, is replaced whole.
"""

from collections.abc import Mapping
from typing import Any

MATCHED_BY = {"claim": ("name",), "sequence": ("name",), "endpoint": ("path", "method")}
"""Arrays of tables that are merged, by the keys that tell their tables apart."""
DEFAULTS = {"method": "GET"}
"""What a key means where it is left out."""
OWN = ("name", "about", "extends")
"""Keys that say what a file is and not what a firmware does."""


def merged(base: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """``base`` with what ``change`` says in its place; values of unexpected types are kept for the reader to refuse."""
    left = {key: value for key, value in base.items() if key not in OWN}
    return _tables(left, change)


def _tables(base: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    made = dict(base)
    for key, value in change.items():
        made[key] = _value(key, base.get(key), value)
    return made


def _value(key: str, base: Any, change: Any) -> Any:
    if isinstance(base, dict) and isinstance(change, dict):
        return _tables(base, change)
    if key in MATCHED_BY and _are_tables(base) and _are_tables(change):
        return _rows(base, change, MATCHED_BY[key])
    return change


def _are_tables(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(row, dict) for row in value)


def _rows(base: list[dict[str, Any]], change: list[dict[str, Any]], keys: tuple[str, ...]) -> list[dict[str, Any]]:
    """The base's tables, changed where they are; then those that it does not have, doubles too."""
    made = list(base)
    taken: set[int] = set()
    for row in change:
        at = next((n for n, other in enumerate(base) if n not in taken and _same(other, row, keys)), None)
        if at is None:
            made.append(row)
        else:
            made[at] = _tables(base[at], row)
            taken.add(at)
    return made


def _same(a: dict[str, Any], b: dict[str, Any], keys: tuple[str, ...]) -> bool:
    return all(a.get(key, DEFAULTS.get(key)) == b.get(key, DEFAULTS.get(key)) for key in keys)
