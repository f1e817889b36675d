"""Runs a host's state machine on the board's interface.

One thread a machine: it waits on a packet socket, a link socket and the machine's own deadline, hands each event to the
machine with the time, and carries out the commands. The sockets live in the board's namespace and come from the agent.
"""

import os
import selectors
import socket
import sys
import threading
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from typing import Any, Protocol

from msgspec.structs import replace

from hil.agent.client import CALL_WITHIN_S
from hil.clock import now_ns, to_s
from hil.errors import HarnessError, HilError, WireError
from hil.personas.commands import Command, Note, SendFrame
from hil.timeline.events import Event, PersonaNote
from hil.wire import rtnetlink, rtnetlink_requests

_OUTGOING = 4
"""PACKET_OUTGOING of linux/if_packet.h: the host's own frame, looped back."""
_FRAME_LIMIT = 65536
_STOP_S = CALL_WITHIN_S + 5.0
"""The thread may be in a call to the agent, and that has a deadline."""


class PacketSocket(Protocol):
    """What is used of an AF_PACKET socket; ``recvfrom`` brings the frame and a sockaddr_ll (packet(7))."""

    def fileno(self) -> int: ...
    def recvfrom(self, bufsize: int, /) -> tuple[bytes, Any]: ...
    def sendto(self, data: bytes, address: tuple[str, int], /) -> int: ...
    def close(self) -> None: ...


class NetAgent(Protocol):
    """What a persona needs of :class:`hil.agent.client.Agent`."""

    def boards_known(self) -> list[str]: ...
    def open_packet_socket(self, board: str) -> PacketSocket: ...
    def open_route_socket(self, board: str) -> socket.socket: ...
    def set_address(self, board: str, address: str, prefix: int, router: str = "") -> object: ...
    def clear_address(self, board: str) -> object: ...


class Machine(Protocol):
    """A host's behaviour on one interface after another: events and the time in, commands out."""

    @property
    def deadline_ns(self) -> int | None: ...
    def attached(self, mac: str, carrier: bool, now_ns: int) -> list[Command]: ...
    def detached(self, now_ns: int) -> list[Command]: ...
    def link_changed(self, up: bool, now_ns: int) -> list[Command]: ...
    def receive(self, frame: bytes, now_ns: int) -> list[Command]: ...
    def wake(self, now_ns: int) -> list[Command]: ...


class InterfaceRunner:
    """A machine on one board's interface, from :meth:`start` to :meth:`stop`.

    Args:
        agent: opens the sockets.
        board: the board's name.
        name: of the persona.
        machine: how it behaves.
        record: takes every event that the persona causes.
    """

    def __init__(
        self, agent: NetAgent, board: str, name: str, machine: Machine, record: Callable[[Event], Event]
    ) -> None:
        self.name = name
        self._agent = agent
        self._board = board
        self._record = record
        self._machine = machine
        self._link: rtnetlink.Link | None = None
        with ExitStack() as opened:
            self._packets = agent.open_packet_socket(board)
            opened.callback(self._packets.close)
            self._links = opened.enter_context(agent.open_route_socket(board))
            self._wake = os.eventfd(0, os.EFD_CLOEXEC)
            opened.callback(os.close, self._wake)
            self._opened = opened.pop_all()
        self._thread = threading.Thread(target=self._run, name=f"persona-{name}", daemon=True)
        self._failure: HarnessError | None = None
        self._changed = threading.Condition()

    @property
    def interface(self) -> str:
        """Name of the interface that carries it now, or ''."""
        return self._link.name if self._link else ""

    @property
    def mac(self) -> str:
        """The interface's own address."""
        return self._link.mac if self._link else ""

    def start(self) -> None:
        self._links.send(rtnetlink_requests.dump_links())
        self._thread.start()

    def stop(self) -> None:
        """End the persona; may be called again.

        Raises:
            HarnessError: it had failed while it ran, or its thread does not end.
        """
        if self._thread.is_alive():
            os.eventfd_write(self._wake, 1)
            self._thread.join(_STOP_S)
        if self._thread.is_alive():
            raise HarnessError(f"persona {self.name} on {self._board} did not end within {_STOP_S:g} s")
        self._opened.close()
        self.check()

    def check(self) -> None:
        """Raise what ended the persona's thread, if anything did."""
        if self._failure is not None:
            raise self._failure

    def send(self, frame: bytes) -> None:
        """Put a frame of the test's own on the interface.

        Raises:
            HarnessError: the interface is not there.
        """
        link = self._link
        place = f"board {self._board}: persona {self.name}"
        if link is None:
            raise HarnessError(f"{place} has no interface to send on")
        try:
            self._packets.sendto(frame, (link.name, 0))
        except OSError as error:
            raise HarnessError(f"{place} cannot send on {link.name}: {error.strerror}") from error

    def _run(self) -> None:
        """Until it is asked to end; whatever else ends it is noted for whoever waits."""
        asked, why = False, ""
        try:
            self._follow()
            asked = True
        except (HilError, OSError) as error:
            why = str(error)
        finally:
            if not asked:
                self._fail(why or f"its thread died of {sys.exception()!r}; the traceback is on standard error")

    def _follow(self) -> None:
        with selectors.DefaultSelector() as waiting:
            waiting.register(self._packets, selectors.EVENT_READ, self._read_packet)
            waiting.register(self._links, selectors.EVENT_READ, self._read_links)
            waiting.register(self._wake, selectors.EVENT_READ, None)
            while self._turn(waiting):
                pass

    def _fail(self, why: str) -> None:
        """Wake whoever waits: nothing comes from this persona any more."""
        with self._changed:
            self._failure = HarnessError(f"persona {self.name} on {self._board} ended: {why}")
            self._changed.notify_all()

    def _turn(self, waiting: selectors.BaseSelector) -> bool:
        deadline = self._machine.deadline_ns
        timeout = None if deadline is None else max(0.0, to_s(deadline - now_ns()))
        for key, _ in waiting.select(timeout):
            if key.data is None:
                return False
            key.data()
        self._obey(self._machine.wake(now_ns()))
        return True

    def _read_packet(self) -> None:
        frame, (name, _, kind, *_) = self._packets.recvfrom(_FRAME_LIMIT)
        if kind != _OUTGOING and self._link is not None and name == self._link.name:
            self._obey(self._machine.receive(frame, now_ns()))

    def _read_links(self) -> None:
        try:
            messages = rtnetlink.parse(self._links.recv(_FRAME_LIMIT))
        except WireError as error:
            raise HarnessError(f"rtnetlink: {error}") from error
        for message in messages:
            if isinstance(message, rtnetlink.Link) and not message.loopback:
                self._link_seen(message)

    def _link_seen(self, link: rtnetlink.Link) -> None:
        known = self._link
        if known is not None and (link.index, link.mac) == (known.index, known.mac) and not link.deleted:
            self._link = link
            self._obey(self._machine.link_changed(link.carrier, now_ns()))
            return
        if known is not None and (not link.deleted or link.index == known.index):
            self._link = None
            self._left()
            self._obey(self._machine.detached(now_ns()))
        if not link.deleted:
            self._link = link
            self._obey(self._machine.attached(link.mac, link.carrier, now_ns()))

    def _left(self) -> None:
        """The interface has gone, before the machine hears of it."""

    def _obey(self, commands: Iterable[Command]) -> None:
        for command in commands:
            self._do(command)

    def _do(self, command: Command) -> None:
        match command:
            case SendFrame(frame):
                self._transmit(frame)
            case Note(text):
                self._tell(PersonaNote(text, self.name))

    def _transmit(self, frame: bytes) -> None:
        link = self._link
        if link is None:
            return
        try:
            self._packets.sendto(frame, (link.name, 0))
        except OSError as error:
            self._tell(PersonaNote(f"a frame could not be sent on {link.name}: {error.strerror}", self.name))

    def _tell(self, event: Event) -> None:
        self._record(replace(event, board=self._board, source="persona"))
