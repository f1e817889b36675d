"""A TOML table read key by key, so that every error names the file, the key and the choices."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from hil.errors import BenchError

MOST_BYTES = 1 << 20
"""Of a file."""
_NAMES = {
    str: "a string",
    int: "an integer",
    float: "a number",
    bool: "true or false",
    list: "an array",
    dict: "a table",
}


class Table:
    """One table of a file; every key must be read, and :meth:`finish` refuses the ones that nobody asked for."""

    def __init__(self, values: Mapping[str, Any], place: str) -> None:
        self._values = dict(values)
        self._place = place
        self._known: list[str] = []

    @property
    def names(self) -> tuple[str, ...]:
        """The keys that the file gives, in its order."""
        return tuple(self._values)

    def key(self, name: str) -> str:
        """File and key, as an error names it."""
        return f"{self._place}{name}"

    def wrong(self, name: str, wanted: str) -> BenchError:
        """An error that holds the value, the place and what would be right."""
        found = repr(self._values[name]) if name in self._values else "missing"
        return BenchError(f"{self.key(name)} is {found}; {wanted}")

    def string(self, name: str, default: str | None = None, pattern: str | None = None, shape: str = "") -> str:
        value: str = self._typed(name, str, default, shape)
        if pattern is not None and name in self._values and not re.fullmatch(pattern, value):
            raise self.wrong(name, f"wanted {shape or pattern}")
        return value

    def choice(self, name: str, choices: Iterable[str], default: str | None = None) -> str:
        known = sorted(choices)
        listed = ", ".join(map(repr, known))
        value: str = self._typed(name, str, default, f"one of {listed}")
        if value not in known:
            raise self.wrong(name, f"known: {listed}")
        return value

    def integer(self, name: str, default: int | None = None) -> int:
        value: int = self._typed(name, int, default)
        return value

    def number(self, name: str, default: float | None = None) -> float:
        if isinstance(self._values.get(name), int) and not isinstance(self._values[name], bool):
            self._values[name] = float(self._values[name])
        value: float = self._typed(name, float, default)
        return value

    def boolean(self, name: str, default: bool | None = None) -> bool:
        value: bool = self._typed(name, bool, default)
        return value

    def strings(self, name: str, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
        values = self._typed(name, list, None if default is None else list(default))
        if not all(isinstance(value, str) for value in values):
            raise self.wrong(name, "wanted an array of strings")
        return tuple(values)

    def table(self, name: str, required: bool = False) -> "Table":
        values = self._typed(name, dict, None if required else {})
        return Table(values, f"{self.key(name)}.")

    def tables(self, name: str, by: str = "name") -> list["Table"]:
        """The tables of an array of tables; each is named by the value of its key ``by`` where it has one."""
        self._known.append(name)
        rows = self._values.get(name, [])
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise self.wrong(name, f"wanted [[{name}]] tables")
        return [Table(row, f"{self.key(name)}.{row.get(by, number)}.") for number, row in enumerate(rows, 1)]

    def finish(self) -> None:
        """Refuse keys that no reader asked for.

        Raises:
            BenchError: an unknown key, with the known ones.
        """
        for name in self._values:
            if name not in self._known:
                raise BenchError(f"{self.key(name)} is not a known key; known: {', '.join(sorted(self._known))}")

    def _typed(self, name: str, kind: type, default: Any, shape: str = "") -> Any:
        self._known.append(name)
        if name not in self._values:
            if default is None:
                raise self.wrong(name, f"wanted {shape or _NAMES[kind]}")
            return default
        value = self._values[name]
        if type(value) is not kind:
            raise self.wrong(name, f"wanted {_NAMES[kind]}")
        return value


def read(path: Path) -> Table:
    """The whole file as one table.

    Raises:
        BenchError: the file cannot be read or is not TOML; the message names the file and the line.
    """
    return Table(read_values(path), f"{path.name}: ")


def read_values(path: Path, place: str = "") -> dict[str, Any]:
    """The whole file as TOML has it; raises as :func:`read`, naming ``place`` instead of the file's name."""
    place = place or path.name
    try:
        values = tomllib.loads(_text(path, place))
        _check(values, f"{place}: ")
    except OSError as error:
        raise BenchError(f"{path}: cannot be read: {error.strerror}") from error
    except RecursionError as error:
        raise BenchError(f"{place}: not usable: tables or arrays within each other, too deep") from error
    except ValueError as error:  # TOML's, UTF-8's, int's for more digits than it takes, open's for NUL in the path
        if "\0" in str(path):
            raise BenchError(f"{str(path)!r}: cannot be read: {error}") from error
        raise BenchError(f"{place}: not TOML: {error}") from error
    return values


def _text(path: Path, place: str) -> str:
    """
    Raises:
        BenchError: the file is far too long to be what somebody has written, such as a device or a disk's image.
    """
    with path.open("rb") as file:
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise BenchError(f"{place}: not TOML: over {MOST_BYTES} bytes")
    return data.decode("utf-8")


def _check(value: object, key: str) -> None:
    """
    Raises:
        BenchError: an integer that TOML does not have, or a string that no file or device can be named by.
    """
    if type(value) is int and not -(1 << 63) <= value < 1 << 63:
        raise BenchError(f"{key.rstrip('.')} is an integer of {value.bit_length()} bits; wanted 64 at most")
    if isinstance(value, str) and "\0" in value:
        raise BenchError(f"{key.rstrip('.')} is {value!r}; wanted a string without NUL")
    if isinstance(value, dict):
        for name, each in value.items():
            _check(name, f"{key}{name!r}")
            _check(each, f"{key}{name}.")
    elif isinstance(value, list):
        for each in value:
            _check(each, key)
