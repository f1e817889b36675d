"""The control socket: JSON lines, one request and one answer each, in order.

::

    {"id": 1, "do": "configure", "board": "s3-a", "supply": "bus", "faults": [], "tinyusb": "0.21"}
    {"id": 1, "ok": true, "t_ns": …, "usb": "1-1", "console": "1-2", "lan": "hil-lan-s3-a",
     "address": "192.0.2.7"}
    {"id": 2, "do": "plug"}                        {"id": 2, "ok": true, "t_ns": …}
    {"id": 3, "do": "power", "on": false}
    {"id": 4, "do": "reset", "kind": "en"}         en, sw or panic
    {"id": 4, "do": "hold_boot", "on": true}       the BOOT button, for the next reset that looks at it
    {"id": 5, "do": "set_fault", "faults": ["no-link-notification:from_mount=2"]}
    {"id": 6, "do": "state"}                       {"id": 6, "ok": true, "t_ns": …, "powered": true, …}
    {"id": 7, "do": "stop"}

An error is ``{"id", "ok": false, "t_ns", "error", "kind"}``, the kind being the class in :mod:`hil.errors`. Unasked
comes ``{"notify": "died", "error"}``, after which the process ends. ``t_ns`` is CLOCK_MONOTONIC: nothing that the
action causes is earlier. End of file means ``stop``.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from typing import Any, Protocol

from hil import clock
from hil.errors import HilError, VirtualBoardError
from hil.virtual.board import VirtualBoard
from hil.virtual.board_spec import BoardSpec
from hil.virtual.fault_loader import load
from hil.virtual.faults import place
from hil.virtual.soc import Reset

RESETS = {"en": Reset.EN, "sw": Reset.SOFTWARE, "panic": Reset.PANIC}
MAX_LINE = 1 << 16


class Assembled(Protocol):
    """A board with the places where it can be reached."""

    board: VirtualBoard
    usb: str
    console: str
    lan: str
    address: str

    async def close(self) -> None: ...


Assemble = Callable[[BoardSpec, Callable[[VirtualBoardError], None]], Awaitable[Assembled]]
Answer = dict[str, Any]


class Control:
    """Serves one client until it stops, goes away, or the board dies.

    Args:
        assemble: makes the board of a ``configure``.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, assemble: Assemble) -> None:
        self._reader = reader
        self._writer = writer
        self._assemble = assemble
        self._bench: Assembled | None = None
        self._died: asyncio.Future[VirtualBoardError] = asyncio.get_running_loop().create_future()

    async def serve(self) -> bool:
        """True after a stop, False where the board died; everything is given back in both cases."""
        asyncio.get_running_loop().set_exception_handler(self._unhandled)
        requests = asyncio.create_task(self._serve_requests())
        try:
            await asyncio.wait((requests, self._died), return_when=asyncio.FIRST_COMPLETED)
            if self._died.done():
                self._write({"notify": "died", "error": str(self._died.result())})
            return not self._died.done()
        finally:
            requests.cancel()
            await asyncio.gather(requests, return_exceptions=True)
            if self._bench is not None:
                await self._bench.close()

    async def _serve_requests(self) -> None:
        stopped = False
        while not stopped and (line := await self._reader.readline()):
            request = _parse(line)
            answer = await self._answer(request)
            self._write({"id": request.get("id"), **answer})
            await self._writer.drain()
            stopped = request.get("do") == "stop"

    async def _answer(self, request: Mapping[str, Any]) -> Answer:
        at_ns = clock.now_ns()
        try:
            return {"ok": True, "t_ns": at_ns, **await self._act(request)}
        except HilError as error:
            return {"ok": False, "t_ns": at_ns, "error": str(error), "kind": type(error).__name__}

    async def _act(self, request: Mapping[str, Any]) -> Answer:
        action = request.get("do")
        if action == "configure":
            return await self._configure({key: value for key, value in request.items() if key not in ("id", "do")})
        if action == "stop":
            return {}
        if self._bench is None:
            raise VirtualBoardError(f"{action!r} before configure; the first message is configure")
        return await self._act_on(self._bench.board, str(action), request)

    async def _act_on(self, board: VirtualBoard, action: str, request: Mapping[str, Any]) -> Answer:
        match action:
            case "plug":
                return {"t_ns": await board.plug()}
            case "unplug":
                return {"t_ns": await board.unplug()}
            case "power":
                return {"t_ns": await board.power(_boolean(request, "on"))}
            case "reset":
                return {"t_ns": await board.reset(RESETS[_choice(request, "kind", tuple(RESETS))])}
            case "set_fault":
                board.set_faults([load(text) for text in _texts(request, "faults")])
            case "hold_boot":
                board.hold_boot(_boolean(request, "on"))
            case "state":
                return asdict(board.state)
            case _:
                known = "configure, plug, unplug, power, reset, hold_boot, set_fault, state, stop"
                raise VirtualBoardError(f"unknown request {action!r}; known: {known}")
        return {}

    async def _configure(self, fields: Mapping[str, Any]) -> Answer:
        if self._bench is not None:
            raise VirtualBoardError("configure: this process has its board already; start another one")
        bench = await self._assemble(BoardSpec.parse(fields), self._die)
        self._bench = bench
        return {"usb": bench.usb, "console": bench.console, "lan": bench.lan, "address": bench.address}

    def _die(self, error: VirtualBoardError) -> None:
        if not self._died.done():
            self._died.set_result(error)

    def _unhandled(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """What nobody caught in the loop ends the board too: a hang would tell nothing."""
        error = context.get("exception")
        found = f"{place(error)}: {type(error).__name__}: {error}" if error is not None else context["message"]
        self._die(VirtualBoardError(f"virtual board: {found}"))

    def _write(self, message: Answer) -> None:
        self._writer.write(json.dumps(message).encode() + b"\n")


def _parse(line: bytes) -> Mapping[str, Any]:
    """A request; what is none becomes one that is answered with an error."""
    try:
        request = json.loads(line)
    except ValueError:
        return {"do": line.decode(errors="replace").strip()}
    return request if isinstance(request, dict) else {"do": request}


def _boolean(request: Mapping[str, Any], key: str) -> bool:
    value = request.get(key)
    if not isinstance(value, bool):
        raise VirtualBoardError(f"{request['do']}: {key} is {value!r}, expected true or false")
    return value


def _choice(request: Mapping[str, Any], key: str, choices: tuple[str, ...]) -> str:
    value = request.get(key)
    if value not in choices:
        raise VirtualBoardError(f"{request['do']}: {key} is {value!r}; known: {', '.join(choices)}")
    return str(value)


def _texts(request: Mapping[str, Any], key: str) -> list[str]:
    value = request.get(key)
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise VirtualBoardError(f"{request['do']}: {key} is {value!r}, expected a list of texts")
    return value
