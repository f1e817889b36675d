"""What the agent knows of one client: its connections, the boards it holds, and what must be undone when it ends."""

import asyncio
import functools
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

from hil.agent.server.connection import Connection, Peer
from hil.agent.server.interfaces import FollowedBoard
from hil.agent.server.locks import BoardLock
from hil.agent.server.namespaces import Namespace
from hil.agent.server.tty import TtyWatch
from hil.agent.server.undo import Deed, UndoStack
from hil.agent.server.usbdevice import UsbDevice
from hil.clock import now_ns
from hil.errors import AgentError, AgentRefused

_WORK_WITHIN_S = 20.0

T = TypeVar("T")


@dataclass
class HeldBoard:
    """A board that a client has locked."""

    name: str
    ports: dict[str, UsbDevice]
    """By port: usb, and console where there is one."""
    lock: BoardLock
    virtual: bool = False
    lan: Namespace | None = None
    """Of a virtual board's second network."""
    fallback: str = ""
    """IPv4 address on that network, or ''."""
    namespace: Namespace | None = None
    followed: FollowedBoard | None = None
    watches: dict[str, TtyWatch] = field(default_factory=dict)
    former: dict[str, str] = field(default_factory=dict)
    """Attributes that were written, with the values they had before."""
    promises: dict[str, Deed] = field(default_factory=dict)
    """power: gives it its power back, while this client has switched it off; boot: lets go of its BOOT line."""

    @property
    def usb(self) -> UsbDevice:
        return self.ports["usb"]

    def port(self, name: str) -> UsbDevice:
        """
        Raises:
            AgentRefused: the board has no such port.
        """
        if name not in self.ports:
            raise AgentRefused(f"board {self.name} has no port {name!r}; it has: {', '.join(self.ports)}")
        return self.ports[name]

    def inside(self) -> Namespace:
        """
        Raises:
            AgentError: its namespace has not been opened.
        """
        if self.namespace is None:
            raise AgentError(f"board {self.name} has no namespace yet; open_namespace makes it")
        return self.namespace


class Session:
    """One client. The connections of a client stand or fall with its first one."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.connections: list[Connection] = []
        self.boards: dict[str, HeldBoard] = {}
        self.undo = UndoStack()
        self.tasks: dict[asyncio.Task[None], Connection] = {}
        self._work: set[asyncio.Future[Any]] = set()
        self._subscribers: dict[tuple[str, ...], list[Connection]] = {}
        self.ended = False

    @property
    def main(self) -> Connection:
        return self.connections[0]

    async def work(self, deed: Callable[..., T], *arguments: object) -> T:
        """What ``deed`` returns in a worker thread: for whatever the kernel may take its time over."""
        loop = asyncio.get_running_loop()
        future = loop.run_in_executor(None, functools.partial(deed, *arguments))
        self._work.add(future)
        future.add_done_callback(self._work.discard)
        return await asyncio.shield(future)

    async def finish(self, undoing: Coroutine[Any, Any, T]) -> T:
        """What ``undoing`` returns; it runs to its end even where the request that began it is cancelled."""
        task = asyncio.get_running_loop().create_task(undoing)
        self._work.add(task)
        task.add_done_callback(self._work.discard)
        return await asyncio.shield(task)

    async def settle(self) -> None:
        """Cancel what waits, and let what is inside the kernel come back, so that undoing does not race with it."""
        for task in self.tasks:
            task.cancel()
        if pending := [*self.tasks, *self._work]:
            await asyncio.wait(pending, timeout=_WORK_WITHIN_S)

    def subscribe(self, topic: tuple[str, ...], connection: Connection) -> None:
        """From now on the connection is told of ``topic``."""
        listeners = self._subscribers.setdefault(topic, [])
        if connection not in listeners:
            listeners.append(connection)

    def unsubscribe(self, connection: Connection) -> list[tuple[str, ...]]:
        """Tell the connection nothing more. Returns the topics that nobody listens to any longer."""
        for listeners in self._subscribers.values():
            if connection in listeners:
                listeners.remove(connection)
        return [topic for topic, listeners in self._subscribers.items() if not listeners]

    def listeners(self, topic: tuple[str, ...]) -> list[Connection]:
        return self._subscribers.get(topic, [])

    def drop_topic(self, topic: tuple[str, ...]) -> None:
        self._subscribers.pop(topic, None)

    def notify(self, topic: tuple[str, ...], message: dict[str, Any]) -> None:
        """Send a notification to everyone who listens to ``topic``."""
        for connection in list(self.listeners(topic)):
            connection.send({"t_ns": now_ns(), **message})
