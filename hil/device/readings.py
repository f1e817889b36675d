"""Reads the board's own witnesses over HTTP, and puts what it says on the host's time.

Each read is traffic that wakes, heals or blocks the board, so it happens only when a test asks, and is an action in the
timeline.
"""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from msgspec.structs import replace

from hil.agent.replies import ConnectFailed
from hil.bench import LAN, Board
from hil.board.interfaces import Instant, UsbAgent
from hil.board.sight import TRAFFIC
from hil.capture.http import REASON_OF_ERRNO, REFUSED, TIMEOUT, UNREACHABLE, Exchange, exchange
from hil.clock import Clock, Deadline, now_ns, to_s
from hil.device.actions import Actions
from hil.errors import BoardMute, MisuseError, WireError
from hil.profiles import Profile
from hil.timeline.boardclock import BoardClock
from hil.timeline.events import Event, HttpFailed, HttpReply
from hil.wire import board_status
from hil.wire.addresses import ipv4_bytes

HTTP_S = 5.0
"""ESP-IDF's server gives up on a socket after 5 s; an answer that takes longer is none."""
BODY_LIMIT = 1 << 20
REFUSED_AGAIN_S = 0.05
"""A server that starts to listen shows the host nothing of it."""


@dataclass(frozen=True)
class Reading:
    """An answer, and the instant at which it was asked for."""

    t_ns: int
    t_err_ns: int
    reply: HttpReply | HttpFailed
    body: bytes

    @property
    def answered(self) -> bool:
        return isinstance(self.reply, HttpReply)


@dataclass(frozen=True)
class _Asked:
    """When a request was about to be sent."""

    t_ns: int
    t_err_ns: int = 0


class Readings:
    """HTTP to one board, over USB or over its fallback address.

    Args:
        spec: which board it is.
        profile: paths and addresses of its firmware.
        agent: connects from the board's namespace.
        actions: records what is asked.
        deadline_s: for the connection, and again for the whole exchange.
    """

    def __init__(
        self, spec: Board, profile: Profile, agent: UsbAgent, actions: Actions, *, deadline_s: float = HTTP_S
    ) -> None:
        self._deadline_s = deadline_s
        self._spec = spec
        self._profile = profile
        self._agent = agent
        self._actions = actions
        self._streaming = ""

    def record(self, event: Event) -> Event:
        return self._actions.record(event)

    def path(self, what: str) -> str:
        """The profile's path of ``what``: events, status, version or reset.

        Raises:
            MisuseError: the profile has none.
        """
        path: str = getattr(self._profile.http, what)
        if not path:
            profile, board = self._profile.name, self._spec.name
            raise MisuseError(f"profile {profile} names no http.{what}; board {board} cannot be asked")
        return path

    def get(self, path: str, over: str = "usb") -> Reading:
        """GET ``path``; what came back, or why nothing did, is in the timeline too."""
        return self.request("GET", path, over)

    def request(self, method: str, path: str, over: str = "usb", deadline_s: float | None = None) -> Reading:
        """As :meth:`get`, by any method, without a body.

        Args:
            method: GET, POST …
            path: what is asked for.
            over: the way, or the address that the board has on its USB interface where its profile cannot know it.
            deadline_s: for the connection, and again for the whole exchange; None is what the readings were made with.

        Raises:
            MisuseError: it is a question for the board's state, and its one task is busy with the log stream.
        """
        self._refuse_while_streaming(method, path)
        board, address = self._way(over)
        patience_s = self._deadline_s if deadline_s is None else deadline_s
        answers: list[Exchange] = []

        def ask() -> Instant:
            asked = _Asked(now_ns())
            answers.append(self._exchange(board, address, method, path, patience_s))
            self.record(answers[0].event)
            return asked

        asked = self._actions.perform(f"http_{method.lower()}", TRAFFIC, ask, f"{path} over {over}")
        (answer,) = answers
        body = answer.fetched.body if answer.fetched is not None else b""
        return Reading(asked.t_ns, asked.t_err_ns, answer.event, body)

    def first_answer(self, path: str, over: str, within_s: float, clock: Clock) -> Reading:
        """GET ``path`` until the server listens; the first answer, or the last refusal."""
        deadline = Deadline(within_s, clock)
        while True:
            reading = self.get(path, over)
            refused = isinstance(reading.reply, HttpFailed) and reading.reply.reason == REFUSED
            if not refused or deadline.passed:
                return reading
            clock.sleep(REFUSED_AGAIN_S)

    @contextmanager
    def streaming(self, over: str = "usb") -> Iterator[Callable[[], socket.socket]]:
        """While the log is streamed: gives what brings the connection for it.

        Raises:
            MisuseError: the profile names no log stream, or one is read already.
        """
        stream = self._profile.http.stream
        if not stream:
            raise MisuseError(f"profile {self._profile.name} names no http.stream; board {self._spec.name} has none")
        if self._streaming:
            raise MisuseError(f"{self._streaming} of board {self._spec.name} is being read already")
        board, address = self._way(over)
        self._streaming = stream.path
        try:
            yield lambda: self._connect_for(stream.path, board, address)
        finally:
            self._streaming = ""

    def _connect_for(self, path: str, board: str, address: str) -> socket.socket:
        began_ns = now_ns()
        try:
            return self._connect(board, address, self._deadline_s)
        except OSError as error:
            failed = self._failed("GET", path, error, began_ns)
            self.record(failed)
            raise BoardMute(f"board {self._spec.name}: GET {path}: {failed.reason}: {failed.detail}") from error

    def _refuse_while_streaming(self, method: str, path: str) -> None:
        http = self._profile.http
        if self._streaming and http.one_task and path in (http.events, http.status, http.version):
            raise MisuseError(
                f"{method} {path} while {self._streaming} of board {self._spec.name} is read: profile "
                f"{self._profile.name} says that one task serves everything; end the stream first"
            )

    def board_clock(self, over: str) -> BoardClock | None:
        """The running boot's clock, anchored by one question for its uptime; None where the firmware answers none."""
        if not self._profile.http.version:
            return None
        reading = self.get(self._profile.http.version, over)
        answered_ns = now_ns()
        uptime_ms = _uptime_ms(reading)
        if uptime_ms is None:
            return None
        clock = BoardClock(quantum_ms=self._profile.events.step_ms)
        middle_ns = (reading.t_ns + answered_ns) // 2
        clock.anchor(uptime_ms, middle_ns, answered_ns - middle_ns)
        return clock

    def _way(self, over: str) -> tuple[str, str]:
        """Whose namespace the agent connects from ('' for the machine's own, without the agent), and the address."""
        if over == "usb":
            address = self._profile.network.address
            if not address:
                raise MisuseError(f"profile {self._profile.name} names no network.address; over='usb' has no target")
            return self._spec.name, address
        if _is_address(over):
            return self._spec.name, over
        if over != "fallback":
            raise MisuseError(f"over={over!r} is not known; known: 'usb', 'fallback', an address of the board")
        if not self._spec.fallback:
            raise MisuseError(f"board {self._spec.name} has no fallback in bench.toml")
        return (LAN if self._spec.fallback_namespace else ""), self._spec.fallback

    def _exchange(self, board: str, address: str, method: str, path: str, patience_s: float) -> Exchange:
        began_ns = now_ns()
        try:
            sock = self._connect(board, address, patience_s)
        except OSError as error:
            return Exchange(self._failed(method, path, error, began_ns), None)
        with sock:
            return exchange(sock, method, path, board=self._spec.name, deadline_s=patience_s, limit=BODY_LIMIT)

    def _failed(self, method: str, path: str, error: OSError, began_ns: int) -> HttpFailed:
        at_ns = now_ns()
        failed = HttpFailed(path, method, _reason(error), to_s(at_ns - began_ns), str(error))
        return replace(failed, t_ns=at_ns, t_err_ns=0, board=self._spec.name, source="http")

    def _connect(self, board: str, address: str, patience_s: float) -> socket.socket:
        port = self._profile.http.port
        if board:
            return self._agent.open_tcp_socket(board, address, port, patience_s)
        return socket.create_connection((address, port), patience_s)


def _is_address(over: str) -> bool:
    try:
        return bool(ipv4_bytes(over))
    except WireError:
        return False


def _reason(error: OSError) -> str:
    """One of :data:`hil.capture.http.REASONS` for a connection that did not come about."""
    if isinstance(error, ConnectFailed):
        return error.kind
    if isinstance(error, TimeoutError):  # socket.create_connection sets no errno
        return TIMEOUT
    return REASON_OF_ERRNO.get(error.errno or 0, UNREACHABLE)


def _uptime_ms(reading: Reading) -> int | None:
    if not isinstance(reading.reply, HttpReply) or reading.reply.status != 200:
        return None
    try:
        value = board_status.parse_version(reading.body).get("uptime_ms")
    except WireError:
        return None
    return value if isinstance(value, int) and value >= 0 else None
