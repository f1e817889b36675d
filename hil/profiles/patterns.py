"""Regular expressions of a profile, checked where they are read."""

import re
import warnings

from hil.toml_table import Table


def read_pattern(table: Table, key: str, groups: tuple[str, ...] = (), needed: tuple[str, ...] = ()) -> str:
    """The regular expression at ``key``, or '' where there is none.

    Args:
        table: where it stands.
        key: its name there.
        groups: named groups that mean something; others are refused, so that a misspelt one is no silent loss.
        needed: those of ``groups`` that must be there.

    Raises:
        BenchError: it does not compile, matches the empty text and so everything, or its groups are not those.
    """
    text = table.string(key, "")
    if not text:
        return ""
    pattern = _compiled(table, key, text)
    if pattern.search(""):
        raise table.wrong(key, "it matches an empty line, and so every line")
    known = ", ".join(map(repr, groups)) or "none"
    for name in pattern.groupindex:
        if name not in groups:
            raise table.wrong(key, f"it has a group {name!r}; known: {known}")
    for name in needed:
        if name not in pattern.groupindex:
            raise table.wrong(key, f"it has no group {name!r}, written (?P<{name}>…)")
    return text


def _compiled(table: Table, key: str, text: str) -> re.Pattern[str]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # a pattern whose meaning is about to change
            return re.compile(text)
    except (re.error, RecursionError, OverflowError, Warning) as error:
        raise table.wrong(key, f"not a regular expression: {error}") from error
