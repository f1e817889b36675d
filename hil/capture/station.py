"""Puts the process together: what each message of the control socket means for the loop."""

import functools
import json
import os
import socket
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hil.capture.agentlink import AgentSource
from hil.capture.boards import Boards
from hil.capture.claims import Claims, Witness
from hil.capture.control import ControlSource
from hil.capture.errands import Errands
from hil.capture.kmsg import KernelLogSource
from hil.capture.loop import Loop
from hil.capture.netlink import RouteSource
from hil.capture.packet import PacketSource
from hil.capture.power import PowerSource
from hil.capture.recorder import Recorder, open_log
from hil.capture.serial import CHANNELS, SerialLog, SerialSource
from hil.capture.source import SYS, Moment, Source
from hil.capture.uevent import UeventReader, UeventSource
from hil.capture.usbmon import UsbmonSource, ring_losses, ring_reader
from hil.clock import now_ns
from hil.errors import WireError
from hil.timeline.events import Event
from hil.timeline.journal import decode

if TYPE_CHECKING:
    from hil.capture.stream import StreamSource

Message = dict[str, Any]


class Station:
    """One capture process: its loop, its boards, its files."""

    def __init__(self, directory: Path, control: socket.socket, event_fd: int = -1, sysfs: Path = SYS) -> None:
        self._directory = directory
        self._began_ns = now_ns()
        self._recorder = Recorder(directory, event_fd)
        self.loop = Loop(self._recorder)
        self._boards = Boards(sysfs)
        self._errands = Errands()
        self._uevents = UeventReader(self._boards, self._errands.fetch)
        self._logs: dict[tuple[str, str], SerialLog] = {}
        self._ports: dict[tuple[str, str], SerialSource] = {}
        self._witnesses: defaultdict[str, list[Witness]] = defaultdict(list)
        self._streams: dict[str, StreamSource] = {}
        self._control = ControlSource(control, self._handle, self._stop)
        self.loop.add(self._control)
        self.loop.add(self._errands)
        self._makers: dict[str, Callable[[Message, list[int]], Source]] = {
            "packet": self._packet,
            "route": lambda m, fds: RouteSource(_socket(fds), _board(m)),
            "uevent": self._uevent,
            "usbmon": self._usbmon,
            "power": lambda m, _: PowerSource(_board(m), self._boards.get(_board(m)).paths["usb"], self._boards),
            "kmsg": lambda _, fds: KernelLogSource(_only(fds), self._boards),
            "agent": lambda _, fds: AgentSource(_socket(fds), self._notified),
            "stream": self._stream,
        }

    def run(self) -> None:
        """Until the control socket says stop or ends; then everything is written and closed."""
        self.loop.run()
        self.loop.close()
        for log in self._logs.values():
            log.close()
        self._recorder.close()

    def _handle(self, message: Message, fds: list[int], now: Moment) -> list[Event]:
        """Carry out one message; descriptors that nobody has taken by then are closed."""
        try:
            return self._carry_out(message, fds, now)
        finally:
            for fd in fds:
                os.close(fd)
            fds.clear()

    def _carry_out(self, message: Message, fds: list[int], now: Moment) -> list[Event]:
        match message:
            case {"record": record}:
                return [_recorded(record)]
            case {"sync": number}:
                answer = functools.partial(self._control.answer, {"synced": number})
                closed = message.get("closed") is True
                self.loop.when_quiet(functools.partial(self._errands.when_closed, answer) if closed else answer)
            case {"stop": True}:
                self._stop()
            case {"add": "board", "board": str(name), "paths": dict(paths)}:
                self._boards.add(name, paths, Claims.from_profile(message.get("profile", {})))
            case {"add": "tty"}:
                return self._open_port(message, fds, now)
            case {"close": "tty"}:
                return self._close_port(message, now)
            case {"close": "stream"}:
                return self._close_stream(_board(message), now)
            case {"add": str(kind)} if kind in self._makers:
                self.loop.add(self._makers[kind](message, fds))
            case _:
                known = ", ".join([*sorted(self._makers), "board", "tty"])
                raise ValueError(f"not a message of this socket; known: record, sync, stop, close, add of {known}")
        return []

    def _stop(self) -> None:
        self.loop.running = False

    def _packet(self, message: Message, fds: list[int]) -> Source:
        board = _board(message)
        return PacketSource(_socket(fds), board, open_log(self._directory / f"{board}.pcapng"))

    def _uevent(self, message: Message, fds: list[int]) -> Source:
        if message.get("udev"):
            from hil.capture.udev import UdevSource

            return UdevSource.open(self._boards)
        name = _board(message) if message.get("board") else ""
        if name:
            self._boards.get(name).namespaced = True
        return UeventSource(_socket(fds), self._uevents, name)

    def _usbmon(self, message: Message, fds: list[int]) -> Source:
        board, bus = self._boards.get(_board(message)), message["bus"]
        if not isinstance(bus, int):
            raise ValueError(f"bus is {bus!r}; wanted a number")
        fd = fds[0]
        reader = ring_reader(fd)
        return UsbmonSource(_only(fds), board, bus, reader, functools.partial(ring_losses, fd))

    def _stream(self, message: Message, fds: list[int]) -> Source:
        from hil.capture.stream import StreamSource

        board = _board(message)
        if board in self._streams and not self._streams[board].ended:
            raise ValueError(f"a stream of {board} is open already: {self._streams[board].path}")
        source = StreamSource(_socket(fds), board, str(message["path"]), str(message["host"]))
        self._streams[board] = source
        return source

    def _close_stream(self, board: str, now: Moment) -> list[Event]:
        """Read what is there and close; nothing where it has ended."""
        source = self._streams.pop(board, None)
        if source is None or source.fileno() < 0:
            return []
        found = [*source.read(now), *source.released(now)]
        self.loop.remove(source)
        return found

    def _notified(self, message: Message, fds: list[int], now: Moment) -> list[Event]:
        """tty_opened and tty_gone of the agent."""
        try:
            if message["notify"] == "tty_opened":
                return self._open_port(message, fds, now)
            return self._close_port(message, now)
        except (ValueError, LookupError, OSError) as error:
            return [self._control.gap(now, f"{message}: {type(error).__name__}: {error}")]
        finally:
            for fd in fds:
                os.close(fd)
            fds.clear()

    def _open_port(self, message: Message, fds: list[int], now: Moment) -> list[Event]:
        key = _port(message)
        found = self._release(key, f"opened anew as {message['node']}", now)
        log = self._logs.get(key)
        if log is None:
            claims, together = self._boards.get(key[0]).claims, self._witnesses[key[0]]
            log = self._logs[key] = SerialLog(*key, self._directory, claims, began_ns=self._began_ns, together=together)
        since_ns, dtr = int(message.get("t_ns", now.t_ns)), message.get("dtr") is True
        port = SerialSource(_only(fds), str(message["node"]), log, since_ns, dtr=dtr, let_go=self._errands.close_port)
        self._ports[key] = port
        self.loop.add(port)
        return [*found, port.opened()]

    def _close_port(self, message: Message, now: Moment) -> list[Event]:
        """Close a port; of a removed node everything that it still holds was read or is lost with it."""
        port = self._ports.get(_port(message))
        if port is None or message.get("node", port.node) != port.node:
            return []
        return self._release(_port(message), "removed" if "notify" in message else "released", now)

    def _release(self, key: tuple[str, str], reason: str, now: Moment) -> list[Event]:
        port = self._ports.pop(key, None)
        if port is None or port.fileno() < 0:
            return []
        found = [*port.read(now), *([] if port.ended else port.released(reason, now))]
        self.loop.remove(port)
        return found


def _recorded(record: Any) -> Event:
    try:
        return decode(json.dumps(record))
    except WireError as error:
        raise ValueError(str(error)) from error


def _board(message: Message) -> str:
    board = message["board"]
    if not isinstance(board, str) or not board or "/" in board:
        raise ValueError(f"board is {board!r}; wanted a name")
    return board


def _port(message: Message) -> tuple[str, str]:
    port = message.get("port")
    if not isinstance(port, str) or port not in CHANNELS:
        raise ValueError(f"port is {port!r}; known: {', '.join(CHANNELS)}")
    return _board(message), port


def _only(fds: list[int]) -> int:
    """Take the descriptor that came with the message."""
    if len(fds) != 1:
        raise ValueError(f"{len(fds)} descriptors came with the message; wanted 1")
    return fds.pop()


def _socket(fds: list[int]) -> socket.socket:
    return socket.socket(fileno=_only(fds))
