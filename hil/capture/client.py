"""Pytest's end of the capture process: start it, give it channels, tell it events, wait for it, end it."""

import contextlib
import json
import os
import select
import socket
import subprocess
import sys
import threading
from array import array
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from msgspec.structs import replace

from hil.agent import protocol
from hil.bench import Board
from hil.capture.claims import message_of
from hil.capture.recorder import TIMELINE
from hil.capture.source import OPEN_END
from hil.clock import Deadline, now_ns
from hil.errors import HarnessError, SetupError
from hil.profiles import Profile, load
from hil.timeline.events import ANY, CaptureGap, Event
from hil.timeline.journal import encode

STDERR = "capture.stderr"
ANSWER_S = 10.0
"""The process has so long to take or to answer a message."""
END_S = 5.0


class Opener(Protocol):
    """What capture needs of :class:`hil.agent.client.Agent`."""

    def second_connection(self) -> socket.socket: ...
    def open_packet_socket(self, board: str) -> socket.socket: ...
    def open_route_socket(self, board: str) -> socket.socket: ...
    def open_uevent_socket(self, board: str | None, udev: bool) -> socket.socket: ...
    def open_usbmon(self, board: str) -> int: ...
    def open_kmsg(self) -> int: ...
    def unwatch_tty(self, board: str, port: str) -> object: ...


class Capture:
    """A running capture process; any thread may use it.

    ``path`` is its timeline.jsonl. Every method raises :class:`~hil.errors.HarnessError` with the end of the process's
    stderr once the process has died.
    """

    def __init__(
        self, directory: Path, process: subprocess.Popen[bytes], control: socket.socket, event_fd: int
    ) -> None:
        self.directory = directory
        self.path = directory / TIMELINE
        self._process = process
        self._control = control
        self._event_fd = event_fd
        self._pid_fd = os.pidfd_open(process.pid)
        self._growth = select.epoll()
        self._growth.register(event_fd, select.EPOLLIN | select.EPOLLET)  # told by each write: no need to read it
        self._growth.register(self._pid_fd, select.EPOLLIN)
        self._agent: Opener | None = None
        self._link: socket.socket | None = None
        self._watched: dict[tuple[str, str], protocol.WatchTty] = {}
        self._lent: dict[tuple[str, str], protocol.WatchTty] = {}
        self._serial_jtag: dict[str, bool] = {}
        self._requests = 0
        self._syncs = 0
        self._sending = threading.Lock()
        self._syncing = threading.Lock()

    @classmethod
    def start(cls, directory: Path, agent: Opener | None = None) -> Self:
        """Start the process, which writes into ``directory``; it is ready as soon as it is started.

        Without an agent there are no boards, and :meth:`add` brings every channel.
        """
        directory.mkdir(parents=True, exist_ok=True)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.settimeout(ANSWER_S)
        event_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        with theirs, (directory / STDERR).open("ab") as stderr:
            process = subprocess.Popen(
                [sys.executable, "-m", "hil.capture", str(directory), str(theirs.fileno()), str(event_fd)],
                pass_fds=(theirs.fileno(), event_fd),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                start_new_session=True,  # the terminal's Ctrl-C is pytest's alone
            )
        capture = cls(directory, process, ours, event_fd)
        if agent is not None:
            capture.connect(agent)
        return capture

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    @property
    def dead(self) -> bool:
        """The process has ended, whatever the reason."""
        return self._process.poll() is not None

    def connect(self, agent: Opener) -> None:
        """Capture what belongs to the machine and not to one board, and know the agent for the boards to come."""
        self._agent = agent
        self._link = agent.second_connection()
        self.add({"add": "agent"}, self._link.fileno())
        with agent.open_uevent_socket(None, False) as uevents:
            self.add({"add": "uevent"}, uevents.fileno())
        self.add({"add": "uevent", "udev": True})
        self._optional("kmsg", "", lambda opener: opener.open_kmsg(), {"add": "kmsg"})

    def add_board(self, board: Board, profile: Profile | None = None) -> None:
        """Capture everything about ``board``, whose namespace the agent has opened.

        Its serial ports are opened whenever they come. Last, when everything listens, the agent is asked to move the
        board's interface into the namespace.

        Raises:
            HarnessError: there is no agent.
        """
        agent = self._bench_agent()
        profile = profile or load(board.profile)
        self.add(board_message(board, profile))
        self._serial_jtag[board.name] = profile.log.serial_jtag
        with agent.open_uevent_socket(board.name, False) as uevents:
            self.add({"add": "uevent", "board": board.name}, uevents.fileno())
        with agent.open_packet_socket(board.name) as packets:
            self.add({"add": "packet", "board": board.name}, packets.fileno())
        with agent.open_route_socket(board.name) as route:
            self.add({"add": "route", "board": board.name}, route.fileno())
        bus = int(board.usb.partition("-")[0])
        usbmon = {"add": "usbmon", "board": board.name, "bus": bus}
        self._optional("usbmon", board.name, lambda opener: opener.open_usbmon(board.name), usbmon)
        self.add({"add": "power", "board": board.name})
        self._ask(protocol.Follow(board.name))
        for port in ("usb", "console") if board.console else ("usb",):
            self.watch_tty(board.name, port)

    def watch_tty(self, board: str, port: str, dtr: bool = True, hangup: bool = False, baud: int = 115_200) -> None:
        """Have a serial port opened whenever it appears, from now on; a loader's is left alone.

        USB-Serial/JTAG counts as one, unless the board's profile says that its log comes over it.
        """
        request = protocol.WatchTty(board, port, dtr, hangup, baud, self._serial_jtag.get(board, False))
        self._watched[board, port] = request
        self._ask(request)

    def lend(self, board: str, port: str) -> None:
        """Let a flasher have a serial port until :meth:`take_back`; it is closed here when this returns."""
        watched = self._watched.get((board, port)) or self._lent.get((board, port))
        self.release_tty(board, port)
        if watched is not None:
            self._lent[board, port] = watched

    def take_back(self, board: str, port: str) -> None:
        """Watch a lent port as before; nothing where nobody watched it."""
        watched = self._lent.pop((board, port), None)
        if watched is not None:
            self._watched[board, port] = watched
            self._ask(watched)

    def release_tty(self, board: str, port: str) -> None:
        """Let go of a serial port, so that something else may open it; it is closed when this returns."""
        self._watched.pop((board, port), None)
        self._lent.pop((board, port), None)
        self._bench_agent().unwatch_tty(board, port)
        self.sync()  # the agent may have sent an opened port before it let go; that is closed as well
        self.add({"close": "tty", "board": board, "port": port})
        self._sync(b'{"sync": %d, "closed": true}', ANSWER_S)

    def record(self, event: Event) -> Event:
        """Have ``event`` written, and return it with its whole stamp.

        What the stamp leaves open is filled in: now, without error, board '', source harness.
        """
        stamped = replace(
            event,
            t_ns=now_ns() if event.t_ns is ANY else event.t_ns,
            t_err_ns=0 if event.t_err_ns is ANY else event.t_err_ns,
            board="" if event.board is ANY else event.board,
            source="harness" if event.source is ANY else event.source,
        )
        self._send(f'{{"record":{encode(stamped)}}}'.encode())
        return stamped

    def add(self, message: Mapping[str, Any], *fds: int) -> None:
        """Send a message of :mod:`hil.capture.control`; the process gets duplicates of ``fds``."""
        self._send(json.dumps(message).encode(), fds)

    def sync(self, timeout_s: float = ANSWER_S) -> None:
        """Return when everything that was readable at the call is in the file.

        Raises:
            HarnessError: it is not within ``timeout_s``, or the process is dead.
        """
        self._sync(b'{"sync": %d}', timeout_s)

    def _sync(self, message: bytes, timeout_s: float) -> None:
        with self._syncing:
            self._syncs += 1
            number = self._syncs
            self._send(message % number)
            deadline = Deadline(timeout_s)
            while self._answer(deadline) != number:
                continue

    def _answer(self, deadline: Deadline) -> int:
        ready = _readable(deadline.left_s, self._control.fileno(), self._pid_fd)
        if not ready:
            raise HarnessError(f"capture did not sync within {deadline.within_s} s")
        try:
            data = self._control.recv(4096) if self._control.fileno() in ready else b""
        except OSError as error:
            raise self._death() from error
        if not data:
            raise self._death()
        return int(json.loads(data)["synced"])

    def fileno(self) -> int:
        """Readable when the file has grown since the last :meth:`wait`."""
        return self._growth.fileno()

    def wait(self, timeout_s: float) -> bool:
        """Whether the file has grown since the last call, waiting up to ``timeout_s`` for it.

        Raises:
            HarnessError: the process is dead.
        """
        ready = self._growth.poll(max(0.0, timeout_s))
        for fd, _ in ready:
            if fd == self._event_fd:
                return True
        if ready:
            raise self._death()
        return False

    def stop(self, within_s: float = END_S) -> None:
        """Have everything written and end the process, ``within_s`` or by force; may be called again.

        A process that hangs in the kernel is left to it: closing a serial port, it may wait for a virtual board that
        the agent is still to end (drivers/usb/class/cdc-acm.c, ``acm_port_shutdown``).
        """
        if self._pid_fd < 0:
            return
        self._control.close()  # end of file means stop, and needs no room in the socket
        try:
            self._process.wait(within_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(within_s)
        self._growth.close()
        for fd in (self._event_fd, self._pid_fd):
            os.close(fd)
        self._event_fd = self._pid_fd = -1
        if self._link is not None:
            self._link.close()

    def _bench_agent(self) -> Opener:
        if self._agent is None:
            raise HarnessError("capture was started without an agent; boards need one: Capture.start(directory, agent)")
        return self._agent

    def _ask(self, request: protocol.Request) -> None:
        """Send a request on the connection that the process reads: what follows from it arrives there."""
        self._bench_agent()
        assert self._link is not None
        self._requests += 1
        self._link.send(protocol.pack_request(self._requests, request))

    def _optional(self, channel: str, board: str, opened: Any, message: Mapping[str, Any]) -> None:
        """Add a channel that not every kernel has; without it the timeline says so."""
        try:
            fd: int = opened(self._bench_agent())
        except SetupError as error:
            self.record(CaptureGap(channel, str(error), OPEN_END, board=board))
            return
        try:
            self.add(message, fd)
        finally:
            os.close(fd)

    def _send(self, data: bytes, fds: tuple[int, ...] = ()) -> None:
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array("i", fds))] if fds else []
        try:
            with self._sending:
                self._control.sendmsg([data], rights)
        except TimeoutError as error:
            raise HarnessError(f"capture took no message for {ANSWER_S} s") from error
        except OSError as error:
            raise self._death() from error

    def _death(self) -> HarnessError:
        log = self.directory / STDERR
        try:
            status: object = self._process.wait(1.0)
        except subprocess.TimeoutExpired:
            status = "none yet"
        last = log.read_text(errors="replace").strip().rpartition("\n")[2] if log.exists() else ""
        return HarnessError(
            f"the capture process is dead, exit status {status}: {last or 'no words'}; its stderr: {log}"
        )


def _readable(timeout_s: float, *fds: int) -> list[int]:
    """Those of ``fds`` that are readable, or at their end, within ``timeout_s``."""
    poll = select.poll()
    for fd in fds:
        poll.register(fd, select.POLLIN)
    return [fd for fd, _ in poll.poll(max(0.0, timeout_s) * 1000)]


def board_message(board: Board, profile: Profile) -> dict[str, Any]:
    """The message that announces a board."""
    paths = {"usb": board.usb, **({"console": board.console} if board.console else {})}
    return {"add": "board", "board": board.name, "paths": paths, "profile": message_of(profile)}
