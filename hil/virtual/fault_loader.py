"""``NAME[:key=value,…]`` and ``path/FILE.py[:key=value,…]`` made into faults."""

import importlib.util
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

from hil.errors import VirtualBoardError
from hil.virtual.builtin import BUILTIN
from hil.virtual.faults import ArmedFault, Arming, Fault, place

ARMING_KEYS = ("from_boot", "from_mount", "after_s")


def load(text: str) -> ArmedFault:
    """The fault that ``text`` names.

    Raises:
        VirtualBoardError: an unknown name or key, a value that is no number, a file that cannot be loaded or that does
            not define exactly one subclass of Fault.
    """
    name, _, rest = text.partition(":")
    kind = _from_file(Path(name)) if name.endswith(".py") else _builtin(name)
    options = _options(text, rest)
    arming = _arming(text, options)
    own = {key: value for key, value in options.items() if key not in ARMING_KEYS}
    unknown = sorted(own.keys() - kind.keys)
    if unknown:
        known = ", ".join(sorted({*ARMING_KEYS, *kind.keys}))
        raise VirtualBoardError(f"fault {text!r}: unknown key {unknown[0]!r}; known: {known}")
    return ArmedFault(_make(kind, own, text), text, arming)


def _builtin(name: str) -> type[Fault]:
    if name not in BUILTIN:
        known = ", ".join(sorted(BUILTIN))
        raise VirtualBoardError(f"fault {name!r} is unknown; known: {known}, or the path of a .py file")
    return BUILTIN[name]


def _options(text: str, rest: str) -> dict[str, str]:
    options = {}
    for part in filter(None, rest.split(",")):
        key, equals, value = part.partition("=")
        if not equals:
            raise VirtualBoardError(f"fault {text!r}: {part!r} is no key=value")
        options[key.strip()] = value.strip()
    return options


def _arming(text: str, options: Mapping[str, str]) -> Arming:
    try:
        boot, mount = int(options.get("from_boot", "0")), int(options.get("from_mount", "0"))
        after_s = float(options.get("after_s", "0"))
    except ValueError as error:
        raise VirtualBoardError(f"fault {text!r}: {error}") from error
    if min(boot, mount, after_s) < 0:
        raise VirtualBoardError(f"fault {text!r}: from_boot, from_mount and after_s cannot be negative")
    return Arming(boot, mount, after_s)


def _from_file(path: Path) -> type[Fault]:
    module = _module(path)
    found = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Fault) and value.__module__ == module.__name__
    ]
    if len(found) != 1:
        names = ", ".join(kind.__name__ for kind in found) or "none"
        raise VirtualBoardError(f"{path}: expected one subclass of hil.virtual.faults.Fault, found {names}")
    found[0].name = found[0].name or path.stem
    return found[0]


def _module(path: Path) -> ModuleType:
    name = f"hil_fault_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise VirtualBoardError(f"{path.absolute()}: no such fault file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise VirtualBoardError(f"{place(error)}: {type(error).__name__}: {error}, while loading {path}") from error
    return module


def _make(kind: type[Fault], options: Mapping[str, str], text: str) -> Fault:
    try:
        return kind(options)
    except Exception as error:
        raise VirtualBoardError(f"fault {text!r}: {place(error)}: {type(error).__name__}: {error}") from error
