"""How a session on a bench loads hil."""

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType


class AsCompiled:
    """Finds hil's own modules before pytest does, which would parse each of a plugin's anew to rewrite its asserts.

    That takes 0.1 s, and many times that in an emulated machine, where what pytest keeps of it for the next run is gone
    at the end.
    """

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        return PathFinder.find_spec(name, path, target) if name.startswith("hil.") else None


def as_compiled() -> None:
    """Load hil's modules from their byte code from now on."""
    if AsCompiled not in sys.meta_path:
        sys.meta_path.insert(0, AsCompiled)
