"""What a given firmware says of itself, as data, and what of it is to be believed; docs/profiles.md says how.

A profile is a TOML file of this package, or the user's own, named by its path. ``generic`` claims nothing: with it
scenarios rest on host witnesses alone.
"""

from importlib import resources
from pathlib import Path
from typing import Any

from hil.errors import BenchError
from hil.profiles.inheritance import merged
from hil.profiles.profile import Profile, read_profile
from hil.toml_table import Table, read_values

__all__ = ["Profile", "load", "shipped"]


def shipped() -> tuple[str, ...]:
    """Names of the profiles that come with hil."""
    files = resources.files(__name__).iterdir()
    return tuple(sorted(f.name.removesuffix(".toml") for f in files if f.name.endswith(".toml")))


def load(name: str) -> Profile:
    """The shipped profile called ``name``, or the file that ``name`` is the path of.

    Raises:
        BenchError: there is no such profile, or a key, a type or a pattern in it is wrong.
    """
    with resources.as_file(resources.files(__name__)) as folder:
        return _load(_find(name, Path(), folder), folder, ())[0]


def _find(name: str, beside: Path, folder: Path) -> Path:
    """The file of a profile; a relative path is looked for ``beside`` what names it."""
    if name.endswith(".toml"):
        return beside / name
    if name not in shipped():
        known = ", ".join(map(repr, shipped()))
        raise BenchError(f"profile {name!r} is not known; known: {known}, or the path of a .toml file")
    return folder / f"{name}.toml"


def _load(path: Path, folder: Path, below: tuple[Path, ...]) -> tuple[Profile, dict[str, Any]]:
    """A profile and all that it says in TOML's terms; what it extends is read, and checked, before it."""
    resolved = path.resolve()
    if resolved in below:
        chain = " extends ".join(each.name for each in (*below, resolved))
        raise BenchError(f"{below[0].name}: extends goes in a circle: {chain}")
    values = read_values(path)
    place = f"{path.name}: "
    base = Table(values, place).string("extends", "")
    if base:
        values = merged(_base(base, path, folder, (*below, resolved)), values)
    return read_profile(Table(values, place)), values


def _base(base: str, path: Path, folder: Path, below: tuple[Path, ...]) -> dict[str, Any]:
    try:
        found = _find(base, path.parent, folder)
    except BenchError as error:
        raise BenchError(f"{path.name}: extends: {error}") from error
    return _load(found, folder, below)[1]
