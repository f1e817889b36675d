"""Bringing a board's network interface into the board's namespace whenever it appears, and giving it back.

The interface is found below the board's USB device and moved by index, so that its name, and udev's renaming of it
while it is being moved, do not matter. The machine's own stack must not send a frame through it before that (IPv6
router solicitation, mDNS): what the board hears first is what the test sends first.
"""

import asyncio
import errno
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from hil.agent.server.namespaces import IPV6_DEFAULT, Namespace
from hil.agent.server.undo import StateFile
from hil.agent.server.usbdevice import NetworkInterface, UsbDevice
from hil.clock import Deadline
from hil.errors import AgentError
from hil.wire.rtnetlink import Link

MOVE_WITHIN_S = 2.0
_AGAIN_S = 0.02
_PASSING = (errno.ENODEV, errno.EBUSY, errno.EAGAIN)
"""What the kernel says of an interface that is being renamed, is still being made, or has gone."""
_log = logging.getLogger("hil.agent")


@dataclass
class FollowedBoard:
    """A board whose interface is to be in ``namespace``."""

    device: UsbDevice
    namespace: Namespace
    adopted: Callable[[str, int], None]
    """Told name and index of each interface that has arrived and is up."""
    moving: set[int] = field(default_factory=set)


class InterfaceFollower:
    """Moves interfaces from the agent's own namespace into those of their boards."""

    def __init__(self, home: Namespace) -> None:
        self._home = home
        self._tasks: dict[asyncio.Task[None], FollowedBoard] = {}

    def look(self, board: FollowedBoard) -> None:
        """Start to move every interface of the board that is in the agent's namespace now."""
        for interface in board.device.interfaces():
            if interface.index not in board.moving:
                board.moving.add(interface.index)
                task = asyncio.get_running_loop().create_task(self._adopt(board, interface))
                self._tasks[task] = board
                task.add_done_callback(lambda done: self._tasks.pop(done, None))

    async def settle(self, board: FollowedBoard) -> None:
        """Wait until no interface of the board is on its way; each takes at most :data:`MOVE_WITHIN_S` and a deed."""
        if moving := [task for task, owner in self._tasks.items() if owner is board]:
            await asyncio.wait(moving, timeout=2 * MOVE_WITHIN_S)

    async def _adopt(self, board: FollowedBoard, interface: NetworkInterface) -> None:
        try:
            moved = await self._move(board, interface.index)
        except OSError as error:
            _log.error("%s (index %d) could not be moved: %s", interface.name, interface.index, error)
            return
        finally:
            board.moving.discard(interface.index)
        if moved is not None:
            board.adopted(moved.name, moved.index)

    async def _move(self, board: FollowedBoard, index: int) -> Link | None:
        """The interface in its new namespace, up; None where it went away instead."""
        deadline = Deadline(MOVE_WITHIN_S)
        while True:
            try:
                return await asyncio.to_thread(self._attempt, board, index)
            except OSError as error:
                if error.errno not in _PASSING or deadline.passed:
                    raise
            await asyncio.sleep(_AGAIN_S)  # the kernel announces neither the end of a rename nor that of a probe

    def _attempt(self, board: FollowedBoard, index: int) -> Link | None:
        with self._home.route() as route:
            if index in {link.index for link in route.links()}:
                route.move(index, board.namespace.descriptor)
        return _set_up(board.namespace, index)


def _set_up(namespace: Namespace, index: int) -> Link | None:
    with namespace.route() as route:
        found = next((link for link in route.links() if link.index == index), None)
        if found is not None:
            route.set_up(index, True)
        return found


def board_links(namespace: Namespace) -> list[Link]:
    """Every interface of a board's namespace except loopback.

    Raises:
        AgentError: there is none.
    """
    with namespace.route() as route:
        links = [link for link in route.links() if link.name != "lo"]
    if not links:
        reason = "none has appeared, or nobody follows the board"
        raise AgentError(f"namespace {namespace.name} holds no interface: {reason}")
    return links


def set_link(namespace: Namespace, up: bool) -> None:
    """Set the board's interface up or down.

    Raises:
        AgentError: there is none.
        OSError: the kernel refused.
    """
    for link in board_links(namespace):
        with namespace.route() as route:
            route.set_up(link.index, up)


def set_address(namespace: Namespace, address: str, prefix: int, router: str) -> None:
    """Give the board's first interface one IPv4 address in place of those it has, and a default route unless ''.

    Raises:
        AgentError: there is no interface.
        OSError: the kernel refused.
    """
    link = board_links(namespace)[0]
    with namespace.route() as route:
        route.clear_addresses(link.index)
        route.add_address(link.index, address, prefix)
        if router:
            route.add_default_route(link.index, router)


def clear_address(namespace: Namespace) -> None:
    """Take every IPv4 address off the board's interfaces; nothing happens where there is none.

    Raises:
        OSError: the kernel refused.
    """
    with namespace.route() as route:
        for link in route.links():
            if link.name != "lo":
                route.clear_addresses(link.index)


def give_back(namespace: Namespace, home: Namespace) -> None:
    """Set every interface of the namespace down and move it to ``home``; addresses are lost on the way.

    Raises:
        OSError: the kernel refused.
    """
    with namespace.route() as route:
        for link in route.links():
            if link.name != "lo":
                route.set_up(link.index, False)
                route.move(link.index, home.descriptor)


class QuietIpv6:
    """Keeps IPv6 off on interfaces that appear in the agent's namespace, for as long as anybody needs it."""

    def __init__(self, home: Namespace, state: StateFile) -> None:
        self._home = home
        self._state = state
        self._users = 0
        self._former = ""

    def acquire(self) -> None:
        """One user more; the first switches IPv6 off for new interfaces.

        Raises:
            OSError: the kernel refused.
        """
        self._users += 1
        if self._users == 1 and self._home.run(IPV6_DEFAULT.exists):
            self._former = self._home.run(IPV6_DEFAULT.read_text).strip()
            self._state.note("sysctl", str(IPV6_DEFAULT), self._former)
            self._home.run(lambda: IPV6_DEFAULT.write_text("1"))

    def release(self) -> None:
        """One user less; after the last, the former value is back.

        Raises:
            OSError: the kernel refused.
        """
        self._users -= 1
        if self._users == 0 and self._former:
            self._home.run(lambda: IPV6_DEFAULT.write_text(self._former))
            self._state.forget("sysctl", str(IPV6_DEFAULT))
            self._former = ""
