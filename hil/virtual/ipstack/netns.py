"""Network namespaces that live exactly as long as a process holds them.

A namespace here is an open descriptor, never a bind mount: when the process ends, however it ends, the kernel frees
the namespace and everything in it. Its name in ``/run/netns`` is a symbolic link to ``/proc/<pid>/fd/<n>``, which
``ip netns exec``, pyroute2 and ``setns`` follow like any other name; after a kill the link dangles, holds nothing, and
whoever makes the next namespace removes it.
"""

import ctypes
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self, TypeVar

from hil.errors import SetupError, VirtualBoardError

CLONE_NEWNET = 0x40000000
"""Linux include/uapi/linux/sched.h"""
NAMES = Path("/run/netns")
OWN_NAMESPACE = "/proc/thread-self/ns/net"

T = TypeVar("T")


class NetNamespace:
    """A namespace held open by this process; ``created`` tells whether it made it."""

    def __init__(self, name: str, descriptor: int, created: bool, names: Path) -> None:
        self.name = name
        self.created = created
        self.descriptor = descriptor
        self._path = names / name

    @classmethod
    def create(cls, name: str, names: Path = NAMES) -> Self:
        """A new, empty namespace under ``name``.

        Raises:
            VirtualBoardError: a living namespace has the name already.
            SetupError: this process may not create namespaces.
        """
        if _is_namespace(names / name):
            raise VirtualBoardError(f"{names / name}: a network namespace of this name exists; end its owner first")
        namespace = cls(name, _in_thread(_new_namespace), True, names)
        namespace._publish()
        return namespace

    @classmethod
    def join(cls, name: str, names: Path = NAMES) -> Self:
        """The living namespace of that name, or a new one."""
        if _is_namespace(names / name):
            return cls(name, os.open(names / name, os.O_RDONLY | os.O_CLOEXEC), False, names)
        return cls.create(name, names)

    def call(self, function: Callable[[], T]) -> T:
        """Run ``function`` in a thread inside the namespace; sockets it opens stay there."""
        return _in_thread(lambda: _enter(self.descriptor, function))

    def close(self) -> None:
        """Let go of the namespace, and of its name where that is ours."""
        if self._path.is_symlink() and os.readlink(self._path) == self._target:
            self._path.unlink()
        os.close(self.descriptor)

    @property
    def _target(self) -> str:
        return f"/proc/{os.getpid()}/fd/{self.descriptor}"

    def _publish(self) -> None:
        self._path.parent.mkdir(mode=0o755, exist_ok=True)
        _remove_dangling(self._path.parent)
        new = self._path.with_name(f".{self.name}.{os.getpid()}")
        new.unlink(missing_ok=True)
        new.symlink_to(self._target)
        new.replace(self._path)


def _is_namespace(path: Path) -> bool:
    """Whether ``path`` leads to a namespace, and not to what a recycled descriptor number happens to be."""
    try:
        return path.stat().st_dev == os.stat(OWN_NAMESPACE).st_dev
    except OSError:
        return False


def _remove_dangling(names: Path) -> None:
    """Remove the names that killed owners left."""
    for path in names.iterdir():
        if path.is_symlink() and os.readlink(path).startswith("/proc/") and not path.exists():
            path.unlink(missing_ok=True)


def _in_thread(function: Callable[[], T]) -> T:
    """Run ``function`` in a thread that ends with it: entering a namespace changes the calling thread for good."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(function).result()


def _libc(call: str, *arguments: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, call)(*arguments) != 0:
        error = os.strerror(ctypes.get_errno())
        raise SetupError(f"{call}: {error}; the virtual board's IP stack needs root (CAP_SYS_ADMIN and CAP_NET_ADMIN)")


def _new_namespace() -> int:
    _libc("unshare", CLONE_NEWNET)
    return os.open(OWN_NAMESPACE, os.O_RDONLY | os.O_CLOEXEC)


def _enter(descriptor: int, function: Callable[[], T]) -> T:
    _libc("setns", descriptor, CLONE_NEWNET)
    return function()
