"""Network namespaces by name, the way ip-netns(8) keeps them: a mount of the namespace's file under /run/netns.

A thread can be in another network namespace than its process (setns(2), CLONE_NEWNET); whatever it opens there stays
there. Python 3.11 has neither setns nor unshare, so both are called through ctypes.
"""

import ctypes
import errno
import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from hil.agent.server.rtnetlink import RouteSocket
from hil.errors import AgentError

PREFIX = "hil-"
DIRECTORY = Path("/run/netns")
IPV6_DEFAULT = Path("/proc/sys/net/ipv6/conf/default/disable_ipv6")
_IPV6 = ("all", "default")
_CLONE_NEWNET = 0x40000000
_MS_BIND = 0x1000
_MNT_DETACH = 0x2
_JOIN_S = 10.0
_libc = ctypes.CDLL(None, use_errno=True)

T = TypeVar("T")


class _Errand(threading.Thread, Generic[T]):
    """A thread that enters a namespace, does one thing there and ends."""

    def __init__(self, enter: Callable[[], None], deed: Callable[[], T]) -> None:
        super().__init__(name="hil-namespace", daemon=True)
        self._enter = enter
        self._deed = deed
        self._results: list[T] = []
        self._error: Exception | None = None

    def run(self) -> None:
        try:
            self._enter()
            self._results.append(self._deed())
        except Exception as error:  # noqa: BLE001 - whoever asked for the deed gets what it raised
            self._error = error

    def result(self) -> T:
        self.start()
        self.join(_JOIN_S)
        if self._error is not None:
            raise self._error
        if not self._results:
            raise AgentError(f"a thread in a network namespace did not end within {_JOIN_S} s")
        return self._results[0]


class Namespace:
    """One named namespace; the descriptor keeps it alive and is what interfaces are moved to."""

    def __init__(self, name: str, descriptor: int) -> None:
        self.name = name
        self.descriptor = descriptor

    def run(self, deed: Callable[[], T]) -> T:
        """What ``deed`` returns inside the namespace; it must not block.

        Raises:
            OSError: setns(2) failed; and whatever else ``deed`` raised.
            AgentError: ``deed`` has not ended in time.
        """
        return _Errand(lambda: _enter(self.descriptor), deed).result()

    def route(self) -> RouteSocket:
        """rtnetlink inside."""
        return RouteSocket(self.run(open_route))

    def duplicate(self) -> "Namespace":
        """The same namespace with a descriptor of its own."""
        return Namespace(self.name, os.dup(self.descriptor))

    def close(self) -> None:
        os.close(self.descriptor)


def home() -> Namespace:
    """The namespace in which the agent itself runs."""
    return Namespace("home", os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC))


def open_named(name: str) -> Namespace:
    """A namespace that is there; its name is a mount, or a link to a descriptor of the process that holds it.

    Raises:
        OSError: ENOENT: there is none of that name.
    """
    return Namespace(name, os.open(DIRECTORY / name, os.O_RDONLY | os.O_CLOEXEC))


def create(name: str) -> Namespace:
    """Make a namespace, loopback up and IPv6 off, also for interfaces that arrive later.

    Raises:
        OSError: EEXIST: there is one of that name; or the kernel refused.
    """
    DIRECTORY.mkdir(mode=0o755, exist_ok=True)
    place = DIRECTORY / name
    os.close(os.open(place, os.O_RDONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o444))
    try:
        _Errand(_unshare, lambda: _furnish(place)).result()
    except (OSError, AgentError):
        remove(name)
        raise
    namespace = open_named(name)
    with namespace.route() as route:
        for link in route.links():
            route.set_up(link.index, True)
    return namespace


def remove(name: str) -> None:
    """Unmount and forget a named namespace; it ends when the last socket in it is closed.

    Raises:
        OSError: the kernel refused.
    """
    place = DIRECTORY / name
    if _libc.umount2(os.fsencode(place), _MNT_DETACH) != 0 and ctypes.get_errno() not in (errno.EINVAL, errno.ENOENT):
        raise _os_error("umount2", str(place))
    place.unlink(missing_ok=True)


def open_route(groups: int = 0) -> socket.socket:
    """A NETLINK_ROUTE socket of the calling thread's namespace, subscribed to ``groups`` (a mask of RTMGRP_*)."""
    route = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE)
    try:
        route.bind((0, groups))
    except OSError:
        route.close()
        raise
    return route


def _furnish(place: Path) -> None:
    _check(_libc.mount(b"/proc/thread-self/ns/net", os.fsencode(place), b"none", _MS_BIND, None), "mount", str(place))
    for which in _IPV6:
        switch = IPV6_DEFAULT.parent.parent / which / IPV6_DEFAULT.name
        if switch.exists():
            switch.write_text("1")


def _enter(descriptor: int) -> None:
    _check(_libc.setns(descriptor, _CLONE_NEWNET), "setns", str(descriptor))


def _unshare() -> None:
    _check(_libc.unshare(_CLONE_NEWNET), "unshare", "CLONE_NEWNET")


def _check(status: int, call: str, about: str) -> None:
    if status != 0:
        raise _os_error(call, about)


def _os_error(call: str, about: str) -> OSError:
    number = ctypes.get_errno()
    return OSError(number, f"{call}({about}): {os.strerror(number)}")
