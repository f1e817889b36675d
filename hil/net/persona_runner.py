"""Runs a persona's state machine on the board's interface.

One thread a persona: it waits on a packet socket, a link socket and the machine's own deadline, hands each event to the
machine with the time, and carries out the commands. The sockets live in the board's namespace and come from the agent.
"""

import os
import random
import selectors
import socket
import threading
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from typing import Any, Protocol

from msgspec.structs import replace

from hil.agent.client import CALL_WITHIN_S
from hil.clock import now_ns, to_s
from hil.errors import AgentError, HarnessError, HilError, WireError
from hil.personas.client_profile import ClientProfile
from hil.personas.commands import (
    ClearAddress,
    ClearLinkLocal,
    Command,
    Doubted,
    GaveUp,
    Note,
    SendFrame,
    SetAddress,
    SetLinkLocal,
    StateChanged,
)
from hil.personas.host_stack import HostStack
from hil.personas.lease import Lease
from hil.personas.link_local import PREFIX
from hil.personas.states import FAILED, INIT
from hil.timeline.events import (
    Event,
    LeaseBound,
    LeaseLost,
    LinkLocalBound,
    LinkLocalLost,
    PersonaGaveUp,
    PersonaNote,
    PersonaState,
    ReplyDoubted,
)
from hil.wire import rtnetlink, rtnetlink_requests
from hil.wire.ethernet import BROADCAST

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


class PersonaRunner:
    """A host persona on one board's interface, from :meth:`start` to :meth:`stop`.

    Args:
        agent: opens the sockets and sets addresses.
        board: the board's name.
        profile: which client it is.
        record: takes every event that the persona causes.
        seed: makes transaction ids and jitter repeat.
    """

    def __init__(
        self, agent: NetAgent, board: str, profile: ClientProfile, record: Callable[[Event], Event], seed: int = 1
    ) -> None:
        self.profile = profile
        self._agent = agent
        self._board = board
        self._record = record
        self._stack = HostStack(profile, random.Random(seed))
        self._link: rtnetlink.Link | None = None
        with ExitStack() as opened:
            self._packets = agent.open_packet_socket(board)
            opened.callback(self._packets.close)
            self._links = opened.enter_context(agent.open_route_socket(board))
            self._wake = os.eventfd(0, os.EFD_CLOEXEC)
            opened.callback(os.close, self._wake)
            self._opened = opened.pop_all()
        self._thread = threading.Thread(target=self._run, name=f"persona-{profile.name}", daemon=True)
        self._failure: HarnessError | None = None
        self._changed = threading.Condition()
        self._address = ""
        self._link_local = ""
        self._gave_up: GaveUp | None = None
        self._refused = ""

    @property
    def refused(self) -> str:
        """Why the address of a lease could not be set although the interface is there, or ''."""
        return self._refused

    @property
    def address(self) -> str:
        """The leased address as long as it is on the interface, else ''."""
        return self._address

    @property
    def link_local(self) -> str:
        """The link-local address as long as it is on the interface, else ''."""
        return self._link_local

    @property
    def gave_up(self) -> GaveUp | None:
        """What the host has stopped waiting for, as long as it waits for nothing else."""
        return self._gave_up

    @property
    def interface(self) -> str:
        """Name of the interface that carries it now, or ''."""
        return self._link.name if self._link else ""

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
            raise HarnessError(f"persona {self.profile.name} on {self._board} did not end within {_STOP_S:g} s")
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
        place = f"board {self._board}: persona {self.profile.name}"
        if link is None:
            raise HarnessError(f"{place} has no interface to send on")
        try:
            self._packets.sendto(frame, (link.name, 0))
        except OSError as error:
            raise HarnessError(f"{place} cannot send on {link.name}: {error.strerror}") from error

    @property
    def mac(self) -> str:
        """The interface's own address."""
        return self._link.mac if self._link else ""

    @property
    def board_mac(self) -> str:
        """The address that the lease came from, or the broadcast address."""
        return self.lease.server_mac if self.lease else BROADCAST

    @property
    def lease(self) -> Lease | None:
        """What the last ACK granted, whether or not it still holds."""
        return self._stack.dhcp.lease

    @property
    def state(self) -> str:
        """State of the DHCP client, one of :mod:`hil.personas.states`."""
        return self._stack.dhcp.state

    def wait_bound(self, within_s: float) -> str:
        """The leased address as soon as it is on the interface; '' where that did not happen within ``within_s``."""
        with self._changed:
            self._changed.wait_for(lambda: self._address or self._failure is not None, within_s)
        return self._address

    def wait_gave_up(self, within_s: float) -> GaveUp | None:
        """What the host has stopped waiting for, as soon as it has; None where that was not within ``within_s``."""
        with self._changed:
            self._changed.wait_for(lambda: self._gave_up is not None or self._failure is not None, within_s)
        return self._gave_up

    def _run(self) -> None:
        with selectors.DefaultSelector() as waiting:
            waiting.register(self._packets, selectors.EVENT_READ, self._read_packet)
            waiting.register(self._links, selectors.EVENT_READ, self._read_links)
            waiting.register(self._wake, selectors.EVENT_READ, None)
            try:
                while self._turn(waiting):
                    pass
            except (HilError, OSError) as error:
                with self._changed:
                    self._failure = HarnessError(f"persona {self.profile.name} on {self._board} ended: {error}")
                    self._changed.notify_all()

    def _turn(self, waiting: selectors.BaseSelector) -> bool:
        deadline = self._stack.deadline_ns
        timeout = None if deadline is None else max(0.0, to_s(deadline - now_ns()))
        for key, _ in waiting.select(timeout):
            if key.data is None:
                return False
            key.data()
        self._obey(self._stack.wake(now_ns()))
        return True

    def _read_packet(self) -> None:
        frame, (name, _, kind, *_) = self._packets.recvfrom(_FRAME_LIMIT)
        if kind != _OUTGOING and self._link is not None and name == self._link.name:
            self._obey(self._stack.receive(frame, now_ns()))

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
            self._obey(self._stack.link_changed(link.carrier, now_ns()))
            return
        if known is not None and (not link.deleted or link.index == known.index):
            self._link = None
            self._refused = ""
            self._obey(self._stack.detached(now_ns()))
        if not link.deleted:
            self._link = link
            self._obey(self._stack.attached(link.mac, link.carrier, now_ns()))

    def _obey(self, commands: Iterable[Command]) -> None:
        for command in commands:
            self._do(command)

    def _do(self, command: Command) -> None:
        name = self.profile.name
        match command:
            case SendFrame(frame):
                self._transmit(frame)
            case SetAddress():
                self._set_address(command)
            case ClearAddress(address, reason):
                self._address = ""
                self._clear()
                self._tell(LeaseLost(address, reason, name))
            case SetLinkLocal(address):
                self._set_link_local(address)
            case ClearLinkLocal(address, reason):
                self._link_local = ""
                self._clear()
                self._tell(LinkLocalLost(address, reason, name))
            case StateChanged(state, previous):
                self._tell(PersonaState(state, previous, name))
                if state not in (FAILED, INIT):
                    self._gave_up = None
            case GaveUp(awaited, tries):
                self._tell(PersonaGaveUp(awaited, tries, name))
                self._note_failure(command)
            case Doubted(message, reason, taken, address, server):
                self._tell(ReplyDoubted(message, reason, taken, address, server, name))
            case Note(text):
                self._tell(PersonaNote(text, name))

    def _set_address(self, lease: SetAddress) -> None:
        if lease.address != self._address:  # a renewal leaves the interface alone
            self._refused = self._change(
                lambda: self._agent.set_address(self._board, lease.address, lease.prefix, lease.router)
            )
        if self._refused:
            return
        self._tell(LeaseBound(lease.address, lease.server, lease.lease_s, self.profile.name))
        with self._changed:
            self._address = lease.address
            self._changed.notify_all()

    def _set_link_local(self, address: str) -> None:
        if not self._change(lambda: self._agent.set_address(self._board, address, PREFIX)):
            self._link_local = address
            self._tell(LinkLocalBound(address, self.profile.name))

    def _clear(self) -> None:
        if self._link is not None:
            self._change(lambda: self._agent.clear_address(self._board))

    def _note_failure(self, what: GaveUp) -> None:
        """Only where the host rests: an ACK that does not come is followed by another DISCOVER."""
        if self.state in (FAILED, INIT):
            with self._changed:
                self._gave_up = what
                self._changed.notify_all()

    def _transmit(self, frame: bytes) -> None:
        link = self._link
        if link is None:
            return
        try:
            self._packets.sendto(frame, (link.name, 0))
        except OSError as error:
            self._tell(PersonaNote(f"a frame could not be sent on {link.name}: {error.strerror}", self.profile.name))

    def _change(self, change: Callable[[], object]) -> str:
        """Why the interface could not be changed, '' where it was; it cannot where it has just left."""
        try:
            change()
        except AgentError as error:
            self._agent.boards_known()  # raises where it is the agent that is gone
            self._tell(PersonaNote(str(error), self.profile.name))
            return str(error)
        return ""

    def _tell(self, event: Event) -> None:
        self._record(replace(event, board=self._board, source="persona"))
