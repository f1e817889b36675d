"""Kernel modules of a kernel that is not running: which are there, what each needs, in which order to insert them."""

import gzip
import lzma
import subprocess
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from hil.errors import SetupError

SUFFIXES = (".ko", ".ko.gz", ".ko.xz", ".ko.zst")


def module_name(path: str) -> str:
    """``kernel/drivers/usb/usbip/vhci-hcd.ko.xz`` → ``vhci_hcd``."""
    return path.rsplit("/", 1)[-1].split(".", 1)[0].replace("-", "_")


def unzstd(data: bytes) -> bytes:
    """Uncompress ``data`` with the zstd tool, which Python 3.11 has no module for."""
    try:
        done = subprocess.run(["zstd", "-dcq"], input=data, capture_output=True, check=True, timeout=60)
    except FileNotFoundError:
        raise SetupError("the kernel is compressed with zstd and there is no zstd here: install package zstd") from None
    return done.stdout


class ModuleTree:
    """A directory ``lib/modules/<release>`` after depmod."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    @cached_property
    def dependencies(self) -> dict[str, tuple[str, ...]]:
        """From a module's path to the paths it needs, all relative to the directory."""
        text = (self.directory / "modules.dep").read_text()
        rows = (line.split(":", 1) for line in text.splitlines() if line)
        return {path: tuple(needed.split()) for path, needed in rows}

    @cached_property
    def paths(self) -> dict[str, str]:
        """From a module's name to its path."""
        return {module_name(path): path for path in self.dependencies}

    @cached_property
    def builtin(self) -> frozenset[str]:
        """Names of what is part of the kernel itself."""
        return frozenset(module_name(line) for line in (self.directory / "modules.builtin").read_text().splitlines())

    def has(self, name: str) -> bool:
        """The kernel can do what module ``name`` does."""
        return name in self.builtin or name in self.paths

    def load_order(self, names: Sequence[str]) -> list[str]:
        """Paths of the modules ``names`` and all they need, each after what it needs; built-in ones are left out.

        Raises:
            SetupError: the kernel has no module of that name.
        """
        order: dict[str, None] = {}

        def add(path: str) -> None:
            for needed in self.dependencies[path]:
                add(needed)
            order.setdefault(path)

        for name in names:
            if name in self.builtin:
                continue
            if name not in self.paths:
                raise SetupError(f"{self.directory}: this kernel has no module {name!r}, which the virtual bench needs")
            add(self.paths[name])
        return list(order)

    def read(self, path: str) -> bytes:
        """Content of the module at ``path``, uncompressed."""
        data = (self.directory / path).read_bytes()
        if path.endswith(".xz"):
            return lzma.decompress(data)
        if path.endswith(".gz"):
            return gzip.decompress(data)
        return unzstd(data) if path.endswith(".zst") else data
