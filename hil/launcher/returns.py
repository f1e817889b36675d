"""What a command wrote in the machine comes back to the host.

Writes stay in the machine's memory (the overlay's upper directory). At the end the machine sends from there, as a cpio
archive, what lies below the root directory, below the working directory, or at a path that the command line or
PYTEST_ADDOPTS names, wherever it is (``--junitxml=/tmp/report.xml``): written, changed and removed alike. Nothing else
comes back: no other writes in /tmp, no sockets, nothing from /run, /proc, /sys, /dev.

A directory that was removed and made again is merged with what the host has there. The artifacts directory is not part
of this: it is mounted, and grows on the host while the command runs.
"""

import os
import shlex
import stat
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from hil.errors import HarnessError
from hil.launcher.cpio import Entry

KEPT_BACK = tuple(map(Path, ("/run", "/proc", "/sys", "/dev", "/etc/hil", "/.dockerenv")))


def named_paths(argv: Sequence[str], cwd: Path, env: Mapping[str, str]) -> list[Path]:
    """Every path that an argument may be: itself, or what follows its ``=``; relative ones from ``cwd``."""
    words = [*argv[1:], *shlex.split(env.get("PYTEST_ADDOPTS", ""))]
    texts = [text for word in words for text in (word, word.partition("=")[2]) if "/" in text and "\0" not in text]
    return [cwd / text for text in texts if not text.startswith("-")]


def returned_paths(rootdir: Path, cwd: Path, named: Iterable[Path]) -> tuple[Path, ...]:
    """The topmost paths, links resolved, that come back."""
    wanted = sorted({Path(os.path.realpath(path)) for path in (rootdir, cwd, *named)})
    top: list[Path] = []
    for path in wanted:
        if path != Path("/") and not _below(path, [*top, *KEPT_BACK]):
            top.append(path)
    return tuple(top)


def _below(path: Path, roots: Iterable[Path]) -> bool:
    return any(path == root or root in path.parents for root in roots)


class Receiver:
    """Puts entries where they belong on the host.

    Args:
        roots: entries elsewhere are refused.
        spared: a directory that entries never touch.
    """

    def __init__(self, roots: Sequence[Path], spared: Path | None) -> None:
        self._roots = roots
        self._spared = [spared] if spared else []

    def take(self, entry: Entry) -> None:
        """Write, replace or remove what ``entry`` says.

        Raises:
            HarnessError: it lies outside the roots.
        """
        path = Path(os.path.normpath(f"/{entry.name}"))
        if _below(path, self._spared) or _below(path, KEPT_BACK):
            return
        if not _below(path, self._roots):
            places = ", ".join(map(str, self._roots))
            raise HarnessError(f"the virtual machine sent {path}, which is below none of {places}")
        kind = stat.S_IFMT(entry.mode)
        if kind == stat.S_IFDIR:
            path.mkdir(parents=True, exist_ok=True)
        elif kind == stat.S_IFCHR and entry.rdev == (0, 0):
            self._remove(path)
        elif kind in (stat.S_IFREG, stat.S_IFLNK):
            self._replace(path, entry)

    def _remove(self, path: Path) -> None:
        """A whiteout: Documentation/filesystems/overlayfs.rst, "whiteouts and opaque directories"."""
        if path.is_dir() and not path.is_symlink():
            for parent, folders, files in os.walk(path, topdown=False):
                for name in files:
                    os.unlink(os.path.join(parent, name))
                for name in folders:
                    os.rmdir(os.path.join(parent, name))
            path.rmdir()
        else:
            path.unlink(missing_ok=True)

    def _replace(self, path: Path, entry: Entry) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir() and not path.is_symlink():
            self._remove(path)
        beside = path.with_name(f".{path.name[:200]}.hil-{os.getpid()}")
        if stat.S_ISLNK(entry.mode):
            beside.symlink_to(entry.data.decode("utf-8", "surrogateescape"))
        else:
            beside.write_bytes(entry.data)
            beside.chmod(stat.S_IMODE(entry.mode))
            os.utime(beside, (entry.mtime_s, entry.mtime_s))
        beside.replace(path)
