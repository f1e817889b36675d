"""A network namespace for one test: it lives as long as its thread and the sockets opened in it."""

import ctypes
import os
import socket
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from hil.clock import Deadline
from hil.wire import rtnetlink

CLONE_NEWNET = 0x40000000
RTMGRP_LINK = 1
IPV6_SWITCHES = ("all", "default")
T = TypeVar("T")


class Namespace:
    """Runs calls in a thread that has a network namespace of its own, without IPv6; needs root."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "netns", initializer=_enter)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.shutdown()

    @classmethod
    def with_veth(cls, name: str) -> tuple[Self, str, str]:
        """A namespace that holds both ends of a veth pair, up, called ``name`` + a and ``name`` + b."""
        made = cls()
        ends = f"{name}a", f"{name}b"
        with made.run(_link_messages) as links:
            made.ip("link", "add", ends[0], "type", "veth", "peer", "name", ends[1])
            for end in ends:
                made.ip("link", "set", end, "up")
            _await_up(links, set(ends))
        return made, *ends

    def run(self, call: Callable[[], T]) -> T:
        """What ``call`` returns inside; raises what it raises."""
        return self._thread.submit(call).result(10.0)

    def ip(self, *words: str) -> None:
        """``ip`` of iproute2, inside."""
        self.run(lambda: subprocess.run(["ip", *words], check=True, timeout=5.0))


def _link_messages() -> socket.socket:
    route = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
    route.bind((0, RTMGRP_LINK))
    return route


def _await_up(links: socket.socket, waiting: set[str]) -> None:
    """Until the kernel says that all are up; before that it drops what they send (net/sched, noop_qdisc)."""
    deadline = Deadline(5.0)
    while waiting:
        links.settimeout(max(0.001, deadline.left_s))
        for link in rtnetlink.parse(links.recv(1 << 16)):
            if isinstance(link, rtnetlink.Link) and link.operstate == "up":
                waiting.discard(link.name)


def _enter() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"unshare(CLONE_NEWNET): {os.strerror(number)}")
    for which in IPV6_SWITCHES:
        switch = Path(f"/proc/sys/net/ipv6/conf/{which}/disable_ipv6")
        if switch.exists():
            switch.write_text("1")
