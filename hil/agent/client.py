"""The agent as its callers see it: typed, thread-safe, every call with a deadline.

Calls that change something return a :class:`Done`, the instant at which the agent did it; calls that fetch something
return that, and :attr:`Agent.last_instant` tells the instant of this thread's latest call.
"""

import os
import socket
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import IO, Any

from hil.agent import protocol, spawning
from hil.agent.channel import Channel, Message
from hil.agent.places import SOCKET
from hil.agent.replies import CONNECT_ERRORS, ConnectFailed, Done, Hello, PortHeld, PortWatched, VirtualHandle
from hil.clock import Deadline, MonotonicClock
from hil.errors import AgentError, AgentRefused, HarnessError, MisuseError, SetupError, VirtualBoardError

CALL_WITHIN_S = 15.0
START_WITHIN_S = 90.0
SWITCH_WITHIN_S = 120.0
"""uhubctl runs once for each hub of a gang, and once before."""
_END_WITHIN_S = 15.0
_LISTENS_YET_S = 0.05
"""Between two looks whether an agent that is starting listens: a socket's first listen(2) has no event to wait for."""
_ERRORS: dict[str, type[HarnessError]] = {
    "invalid": MisuseError,
    "not_allowed": AgentRefused,
    "setup": SetupError,
    "virtual": VirtualBoardError,
    "watched": PortWatched,
    "held": PortHeld,
}


class Agent:
    """A connection to the agent. Closing the first connection of a client undoes what the client did."""

    def __init__(
        self,
        connection: socket.socket,
        process: "subprocess.Popen[bytes] | None" = None,
        within_s: float = CALL_WITHIN_S,
    ) -> None:
        """Take over a connected socket, such as one of :meth:`second_connection`; the agent answers ``within_s``.

        Raises:
            AgentError: the agent does not answer, or speaks another version.
        """
        self._channel = Channel(connection)
        self._process = process
        self._local = threading.local()
        try:
            result = self._call(protocol.Hello(protocol.VERSION), within_s).values["result"]
        except HarnessError:
            self._channel.close()
            raise
        self.hello = Hello(
            pid=result["pid"],
            boards=tuple(result["boards"]),
            virtual=result["virtual"],
            modules=tuple(result["modules"]),
            last_restored=result["last_restored"],
        )

    @classmethod
    def connect(cls, path: Path = SOCKET, within_s: float = 0.0) -> "Agent":
        """A running agent, or one that will listen ``within_s``.

        Raises:
            SetupError: nothing listens at ``path``, or this user may not connect.
            AgentError: it closed the connection.
        """
        deadline = Deadline(within_s)
        while True:
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC)
            try:
                connection.settimeout(CALL_WITHIN_S)
                connection.connect(str(path))
                return cls(connection)
            except (FileNotFoundError, ConnectionRefusedError) as error:
                connection.close()
                if deadline.passed:
                    raise _nobody(path, error) from error
                MonotonicClock().sleep(_LISTENS_YET_S)
            except OSError as error:
                connection.close()
                raise _nobody(path, error) from error

    @classmethod
    def spawn(cls, allow_file: Path | None = None, fault_files: bool = False, log: Path | None = None) -> "Agent":
        """An agent of this client's own: a child process where the user is root, else through ``sudo -n``.

        Args:
            allow_file: its allow list; None takes the machine's, and the virtual bench alone where there is none.
            fault_files: any file of faults may run in the virtual board (only on a machine that is thrown away).
            log: file to which it appends what it has to say; None keeps it for error messages.

        Raises:
            SetupError: it cannot be started.
            AgentError: it ended instead of answering; the message holds its last words.
        """
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        words: IO[bytes] = open(log, "a+b") if log else tempfile.TemporaryFile()  # noqa: SIM115
        with theirs, words:
            arguments = ["--fd", "0", *spawning.allowing(allow_file), *(["--allow-fault-files"] if fault_files else [])]
            try:
                process = spawning.start(arguments, theirs, words)
            except SetupError:
                ours.close()
                raise
            theirs.close()
            try:
                return cls(ours, process, START_WITHIN_S)
            except HarnessError as error:
                raise AgentError(f"the agent did not start: {spawning.last_words(process, words) or error}") from error

    @property
    def last_instant(self) -> Done:
        """Instant of this thread's latest call that was carried out.

        Raises:
            MisuseError: this thread has made none.
        """
        if not hasattr(self._local, "done"):
            raise MisuseError("this thread has made no call to the agent yet")
        done: Done = self._local.done
        return done

    def close(self) -> None:
        """Close the connection; an agent that was spawned has undone everything when this returns.

        Raises:
            AgentError: it has not ended in time.
        """
        self._channel.close()
        if self._process is not None:
            try:
                self._process.wait(_END_WITHIN_S)
            except subprocess.TimeoutExpired as error:
                raise AgentError(f"the agent (process {self._process.pid}) did not end in {_END_WITHIN_S} s") from error

    def __enter__(self) -> "Agent":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ---- notifications --------------------------------------------------------------------------

    def fileno(self) -> int:
        """A descriptor for epoll, readable when :meth:`notifications` may have something."""
        return self._channel.fileno()

    def notifications(self, timeout_s: float) -> list[tuple[dict[str, Any], list[int]]]:
        """What the agent has told unasked, each with its descriptors, which the caller must close; waits if nothing.

        ``interface_adopted`` {board, interface, ifindex}, ``tty_opened`` {board, port, node, dtr} with a descriptor,
        ``tty_gone`` {board, port, node}; each with ``t_ns``.

        Raises:
            AgentError: the agent is gone.
        """
        return [(message.values, message.descriptors) for message in self._channel.notifications(timeout_s)]

    # ---- calls ----------------------------------------------------------------------------------

    def boards_known(self) -> list[str]:
        """Boards of the allow list, and virtual boards of this client."""
        return [str(name) for name in self._result(protocol.BoardsKnown())]

    def second_connection(self) -> socket.socket:
        """A socket for another process of this client, which makes ``Agent(socket)`` of it."""
        return self._socket(protocol.SecondConnection())

    def load_module(self, name: str) -> Done:
        """Load a kernel module of the allow list."""
        return self._done(protocol.LoadModule(name), START_WITHIN_S)

    def open_namespace(self, board: str) -> str:
        """Make ``hil-<board>``, IPv6 off, loopback up. Returns its name."""
        return str(self._result(protocol.OpenNamespace(board)))

    def follow(self, board: str) -> Done:
        """Bring the board's interface into its namespace and set it up whenever it appears, and now."""
        return self._done(protocol.Follow(board))

    def open_packet_socket(self, board: str) -> socket.socket:
        """AF_PACKET, SOCK_RAW, every interface of the namespace, ETH_P_ALL, 8 MiB deep."""
        return self._socket(protocol.OpenPacketSocket(board))

    def open_route_socket(self, board: str) -> socket.socket:
        """NETLINK_ROUTE inside the namespace, subscribed to links and IPv4 addresses."""
        return self._socket(protocol.OpenRouteSocket(board))

    def open_uevent_socket(self, board: str | None, udev: bool) -> socket.socket:
        """Kernel uevents, or udev's; of the board's namespace, or with None of the agent's own. Not blocking."""
        return self._socket(protocol.OpenUeventSocket(board, udev))

    def open_tcp_socket(self, board: str, address: str, port: int, timeout_s: float) -> socket.socket:
        """A TCP connection from the board's namespace; ``'lan'``: from that of a virtual board's second network.

        Raises:
            ConnectFailed: the address did not answer, or refused.
            AgentRefused: the address may not be reached.
        """
        return self._socket(protocol.OpenTcpSocket(board, address, port, timeout_s), timeout_s + CALL_WITHIN_S)

    def open_usbmon(self, board: str) -> int:
        """Descriptor of the binary usbmon device of the board's bus; the whole bus is seen. Not blocking."""
        return self._descriptor(protocol.OpenUsbmon(board))

    def open_kmsg(self) -> int:
        """Descriptor of the kernel log, behind its last record. Not blocking."""
        return self._descriptor(protocol.OpenKmsg())

    def watch_tty(
        self,
        board: str,
        port: str,
        dtr: bool = True,
        hangup: bool = False,
        *,
        baud: int = 115200,
        serial_jtag: bool = False,
    ) -> Done:
        """Open the port ``'usb'`` or ``'console'`` now and whenever it appears: notification ``tty_opened``.

        A port of the chip's loader is left alone: that of its USB-Serial/JTAG unless ``serial_jtag``.
        """
        return self._done(protocol.WatchTty(board, port, dtr, hangup, baud, serial_jtag))

    def unwatch_tty(self, board: str, port: str) -> Done:
        """Leave the port alone from now on, so that something else, such as a flasher, can have it."""
        return self._done(protocol.UnwatchTty(board, port))

    def find_tty(self, board: str, port: str) -> str:
        """Node of the port ``'usb'`` or ``'console'`` as it is called now, such as ``/dev/ttyACM0``.

        Raises:
            AgentError: nothing is attached, or it has no serial port.
        """
        return str(self._result(protocol.FindTty(board, port)))

    def open_tty(self, board: str, port: str, alone: bool = True) -> tuple[str, int]:
        """Open the port raw and without flushing; nobody else can open it then.

        Whoever has it open already may take part of what it says. ``alone`` looks for them first, at every descriptor
        of every process.

        Returns:
            its node and a descriptor, on which DTR and RTS can be set (TIOCMSET); it does not block.

        Raises:
            PortWatched: it is watched, and not one that the watch leaves alone, as a loader's.
            PortHeld: another process has it open, and ``alone`` was asked for.
            AgentError: there is no such port.
        """
        request = protocol.OpenTty(board, port, alone)
        message = self._call(request)
        return str(message.values["result"]), _only(request, message)

    def set_address(self, board: str, address: str, prefix: int, router: str = "") -> Done:
        """Give the board's interface one IPv4 address in place of those it has, and a default route unless ''."""
        return self._done(protocol.SetAddress(board, address, prefix, router))

    def clear_address(self, board: str) -> Done:
        """Take the IPv4 addresses off the board's interface."""
        return self._done(protocol.ClearAddress(board))

    def set_link(self, board: str, up: bool) -> Done:
        """Set the board's interface up or down."""
        return self._done(protocol.SetLink(board, up))

    def write_attribute(self, board: str, attribute: str, value: str) -> Done:
        """authorized, control, autosuspend_delay_ms, port_disable, bound (to the driver usb) or bound_ncm.

        The former value comes back at the end.
        """
        return self._done(protocol.WriteAttribute(board, attribute, value))

    def read_attribute(self, board: str, attribute: str) -> str:
        """One of the above, runtime_status, idVendor or idProduct."""
        return str(self._result(protocol.ReadAttribute(board, attribute)))

    def reset_device(self, board: str) -> Done:
        """USBDEVFS_RESET."""
        return self._done(protocol.ResetDevice(board))

    def reset_by_lines(self, board: str, download: bool = False) -> Done:
        """Pull the chip's EN low for a moment, by DTR and RTS of the board's console; returns the instant it fell.

        With ``download`` its IO0 is low when EN rises, and the ROM stays in its loader.
        """
        return _enclosed(self._result(protocol.ResetByLines(board, download)))

    def switch_power(self, board: str, power: str, on: bool) -> Done:
        """Switch the board's power as the allow list says; off, it comes back when this client ends.

        Args:
            power: what bench.toml says of it, ``str(spec.power)``; the allow list must say the same.

        Raises:
            AgentRefused: it does not, or something that it does not name would lose its power.
            SetupError: uhubctl is missing, or the hub cannot switch power.
            AgentError: the program failed, or the power is not as wanted afterwards.
        """
        request = protocol.SwitchPower(board, power, on)
        return _enclosed(self._call(request, SWITCH_WITHIN_S).values["result"])

    def hold_boot(self, board: str, boot: str, on: bool) -> Done:
        """Hold the board's BOOT line low as the allow list says, or let go; it is let go when this client ends.

        Args:
            boot: what bench.toml says of it, ``str(spec.boot)``; the allow list must say the same.

        Raises:
            AgentRefused: it does not.
            AgentError: the program failed.
        """
        request = protocol.HoldBoot(board, boot, on)
        return _enclosed(self._call(request, SWITCH_WITHIN_S).values["result"])

    def start_virtual(self, spec: dict[str, Any]) -> VirtualHandle:
        """Start a virtual board.

        Args:
            spec: ``board`` name, ``supply`` 'bus' or 'own', ``faults`` names or absolute paths, ``tinyusb`` version,
                ``role`` of its firmware.

        Raises:
            MisuseError: the spec has a field too many or too few, or a wrong value.
            AgentRefused: it may not be started, or not with these faults.
            VirtualBoardError: its process failed.
        """
        try:
            request = protocol.StartVirtual(**spec)
        except TypeError as error:
            raise MisuseError(f"spec {sorted(spec)}; wanted board, supply, faults, tinyusb, role: {error}") from error
        message = self._call(request, START_WITHIN_S)
        control = socket.socket(fileno=_only(request, message))
        return VirtualHandle(socket=control, **message.values["result"])

    def end_virtual(self, board: str) -> Done:
        """End a virtual board and undo all that was done to it, so that another may have its name."""
        return self._done(protocol.EndVirtual(board), START_WITHIN_S)

    # ---- the ways a reply is taken --------------------------------------------------------------

    def _call(self, request: protocol.Request, within_s: float = CALL_WITHIN_S) -> Message:
        message = self._channel.call(request, within_s)
        values = message.values
        if values.get("ok") is True:
            t0_ns, t1_ns = values["t0_ns"], values["t1_ns"]
            self._local.done = Done((t0_ns + t1_ns) // 2, (t1_ns - t0_ns) // 2 + 1)
            return message
        message.close()
        raise _error(str(values.get("kind")), str(values.get("error")))

    def _result(self, request: protocol.Request) -> Any:
        return self._call(request).values["result"]

    def _done(self, request: protocol.Request, within_s: float = CALL_WITHIN_S) -> Done:
        self._call(request, within_s)
        return self.last_instant

    def _descriptor(self, request: protocol.Request, within_s: float = CALL_WITHIN_S) -> int:
        return _only(request, self._call(request, within_s))

    def _socket(self, request: protocol.Request, within_s: float = CALL_WITHIN_S) -> socket.socket:
        return socket.socket(fileno=self._descriptor(request, within_s))


def _nobody(path: Path, error: OSError) -> SetupError:
    remedy = "start the service hil-agent, or run as root"
    if isinstance(error, PermissionError):
        remedy = "it serves another user; `sudo hil init`, called by the one who runs pytest, has it serve that one"
    return SetupError(f"no agent at {path}: {os.strerror(error.errno or 0)}; {remedy}")


def _enclosed(instants: list[int]) -> Done:
    t0_ns, t1_ns = instants
    return Done((t0_ns + t1_ns) // 2, (t1_ns - t0_ns) // 2 + 1)


def _only(request: protocol.Request, message: Message) -> int:
    if len(message.descriptors) != 1:
        found = len(message.descriptors)
        message.close()
        raise AgentError(f"{request.op}: the reply came with {found} descriptors; wanted one")
    return message.descriptors.pop()


def _error(kind: str, text: str) -> HarnessError | ConnectFailed:
    if kind in CONNECT_ERRORS:
        return ConnectFailed(kind, text)
    return _ERRORS.get(kind, AgentError)(text)
