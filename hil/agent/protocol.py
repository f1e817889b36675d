"""What client and agent say to each other: one JSON object a message, every field checked.

A request is ``{"id", "op", …}`` with exactly the fields of the class that ``op`` names; a reply is ``{"id", "ok",
"result" | "error" and "kind", "t0_ns", "t1_ns"}``, where the two instants enclose the privileged operation; a
notification is ``{"notify", "t_ns", …}``. Descriptors travel beside a reply or a notification (SCM_RIGHTS).
Nothing here does I/O.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, NoReturn

from hil.agent import checks
from hil.bench import BOARD_NAME, ROLES, SUPPLIES
from hil.errors import HarnessError

VERSION = 1
MESSAGE_LIMIT = 65_536
"""Bytes of one message."""
PORTS = ("usb", "console")
WRITABLE = ("authorized", "autosuspend_delay_ms", "bound", "bound_ncm", "control", "port_disable")
READABLE = (*WRITABLE, "idProduct", "idVendor", "runtime_status")
BAUDS = (9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600)
KINDS = (
    "invalid",  # the message is not of this protocol
    "not_allowed",  # the allow list does not name what was asked for
    "setup",  # a module, package or device node is missing
    "busy",  # another client holds the board
    "watched",  # the port is watched for this client, who has to let go of it first
    "held",  # another process has the port open; the message names it
    "failed",  # the kernel said no; the message holds its words
    "refused",  # the TCP peer answered with RST
    "timeout",  # no answer within the deadline
    "unreachable",  # no route, or no answer to ARP
    "virtual",  # the virtual board's process failed
    "internal",  # a fault of the agent itself
)
"""Every value of a reply's ``kind``."""

SHOWN_LIMIT = 120
"""Characters of a hostile value that an error repeats."""


class ProtocolError(HarnessError):
    """A message that is not of this protocol; ``request_id`` is its id where it had a usable one."""

    def __init__(self, text: str, request_id: int | None = None) -> None:
        super().__init__(text)
        self.request_id = request_id


def shown(value: object) -> str:
    """``repr`` of a value that a peer sent, cut to :data:`SHOWN_LIMIT` characters."""
    text = ascii(value)
    return text if len(text) <= SHOWN_LIMIT else text[:SHOWN_LIMIT] + "…"


_BOARD = checks.text(BOARD_NAME, "a board name: lower-case letters, digits and dashes, at most 31")


def _checked(check: checks.Check) -> Any:
    """A field whose value from a peer must pass ``check``."""
    return field(metadata={"check": check})


@dataclass(frozen=True, slots=True)
class Request:
    """Base of all requests."""

    op: ClassVar[str] = ""


OPS: dict[str, type[Request]] = {}
"""Every request class by its ``op``."""


def _op(kind: type[Request]) -> type[Request]:
    OPS[kind.op] = kind
    return kind


@_op
@dataclass(frozen=True, slots=True)
class Hello(Request):
    """First word of a connection; the result is that of :class:`hil.agent.client.Hello`."""

    op: ClassVar[str] = "hello"
    version: int = _checked(checks.choice(VERSION))


@_op
@dataclass(frozen=True, slots=True)
class BoardsKnown(Request):
    op: ClassVar[str] = "boards_known"


@_op
@dataclass(frozen=True, slots=True)
class SecondConnection(Request):
    op: ClassVar[str] = "second_connection"


@_op
@dataclass(frozen=True, slots=True)
class LoadModule(Request):
    op: ClassVar[str] = "load_module"
    name: str = _checked(checks.text(r"[a-z0-9][a-z0-9_-]{0,55}", "a kernel module's name"))


@_op
@dataclass(frozen=True, slots=True)
class OpenNamespace(Request):
    op: ClassVar[str] = "open_namespace"
    board: str = _checked(_BOARD)


@_op
@dataclass(frozen=True, slots=True)
class Follow(Request):
    op: ClassVar[str] = "follow"
    board: str = _checked(_BOARD)


@_op
@dataclass(frozen=True, slots=True)
class OpenPacketSocket(Request):
    op: ClassVar[str] = "open_packet_socket"
    board: str = _checked(_BOARD)


@_op
@dataclass(frozen=True, slots=True)
class OpenRouteSocket(Request):
    op: ClassVar[str] = "open_route_socket"
    board: str = _checked(_BOARD)


@_op
@dataclass(frozen=True, slots=True)
class OpenUeventSocket(Request):
    op: ClassVar[str] = "open_uevent_socket"
    board: str | None = _checked(checks.or_none(_BOARD))
    udev: bool = _checked(checks.flag)


@_op
@dataclass(frozen=True, slots=True)
class OpenTcpSocket(Request):
    op: ClassVar[str] = "open_tcp_socket"
    board: str = _checked(_BOARD)
    address: str = _checked(checks.ipv4)
    port: int = _checked(checks.integer(1, 65_535))
    timeout_s: float = _checked(checks.seconds(0.001, 120.0))


@_op
@dataclass(frozen=True, slots=True)
class OpenUsbmon(Request):
    op: ClassVar[str] = "open_usbmon"
    board: str = _checked(_BOARD)


@_op
@dataclass(frozen=True, slots=True)
class OpenKmsg(Request):
    op: ClassVar[str] = "open_kmsg"


@_op
@dataclass(frozen=True, slots=True)
class WatchTty(Request):
    op: ClassVar[str] = "watch_tty"
    board: str = _checked(_BOARD)
    port: str = _checked(checks.choice(*PORTS))
    dtr: bool = _checked(checks.flag)
    hangup: bool = _checked(checks.flag)
    baud: int = _checked(checks.choice(*BAUDS))
    serial_jtag: bool = _checked(checks.flag)
    """Open the chip's USB-Serial/JTAG as well, where a loader may listen."""


@_op
@dataclass(frozen=True, slots=True)
class UnwatchTty(Request):
    op: ClassVar[str] = "unwatch_tty"
    board: str = _checked(_BOARD)
    port: str = _checked(checks.choice(*PORTS))


@_op
@dataclass(frozen=True, slots=True)
class FindTty(Request):
    """The result is the node, such as ``/dev/ttyACM0``."""

    op: ClassVar[str] = "find_tty"
    board: str = _checked(_BOARD)
    port: str = _checked(checks.choice(*PORTS))


@_op
@dataclass(frozen=True, slots=True)
class OpenTty(Request):
    """The result is the node; its descriptor comes beside it. ``alone``: refused where another process has it open."""

    op: ClassVar[str] = "open_tty"
    board: str = _checked(_BOARD)
    port: str = _checked(checks.choice(*PORTS))
    alone: bool = _checked(checks.flag)


@_op
@dataclass(frozen=True, slots=True)
class SetAddress(Request):
    op: ClassVar[str] = "set_address"
    board: str = _checked(_BOARD)
    address: str = _checked(checks.ipv4)
    prefix: int = _checked(checks.integer(0, 32))
    router: str = _checked(checks.or_empty(checks.ipv4))


@_op
@dataclass(frozen=True, slots=True)
class ClearAddress(Request):
    op: ClassVar[str] = "clear_address"
    board: str = _checked(_BOARD)


@_op
@dataclass(frozen=True, slots=True)
class SetLink(Request):
    op: ClassVar[str] = "set_link"
    board: str = _checked(_BOARD)
    up: bool = _checked(checks.flag)


@_op
@dataclass(frozen=True, slots=True)
class WriteAttribute(Request):
    op: ClassVar[str] = "write_attribute"
    board: str = _checked(_BOARD)
    attribute: str = _checked(checks.choice(*WRITABLE))
    value: str = _checked(checks.text(r"auto|on|-?\d{1,10}", "'auto', 'on' or an integer, as a string"))


@_op
@dataclass(frozen=True, slots=True)
class ReadAttribute(Request):
    op: ClassVar[str] = "read_attribute"
    board: str = _checked(_BOARD)
    attribute: str = _checked(checks.choice(*READABLE))


@_op
@dataclass(frozen=True, slots=True)
class ResetDevice(Request):
    op: ClassVar[str] = "reset_device"
    board: str = _checked(_BOARD)


@_op
@dataclass(frozen=True, slots=True)
class ResetByLines(Request):
    op: ClassVar[str] = "reset_by_lines"
    board: str = _checked(_BOARD)
    download: bool = _checked(checks.flag)


@_op
@dataclass(frozen=True, slots=True)
class SwitchPower(Request):
    """The result is ``[t0_ns, t1_ns]``, the instants that enclose the switching itself."""

    op: ClassVar[str] = "switch_power"
    board: str = _checked(_BOARD)
    power: str = _checked(checks.text(r"[ -~]{1,400}", "what bench.toml says of the board's power, in one line"))
    on: bool = _checked(checks.flag)


@_op
@dataclass(frozen=True, slots=True)
class HoldBoot(Request):
    """The result is ``[t0_ns, t1_ns]``, the instants that enclose the switching itself."""

    op: ClassVar[str] = "hold_boot"
    board: str = _checked(_BOARD)
    boot: str = _checked(checks.text(r"[ -~]{1,400}", "what bench.toml says of the board's BOOT line, in one line"))
    on: bool = _checked(checks.flag)


@_op
@dataclass(frozen=True, slots=True)
class StartVirtual(Request):
    op: ClassVar[str] = "start_virtual"
    board: str = _checked(_BOARD)
    supply: str = _checked(checks.choice(*SUPPLIES))
    faults: list[str] = _checked(checks.strings(32, 400))  # noqa: RUF009 - a dataclass field, not a default
    tinyusb: str = _checked(checks.text(r"\d{1,3}\.\d{1,3}(\.\d{1,3})?", "a TinyUSB version such as '0.21'"))
    role: str = _checked(checks.choice(*ROLES))


@_op
@dataclass(frozen=True, slots=True)
class EndVirtual(Request):
    op: ClassVar[str] = "end_virtual"
    board: str = _checked(_BOARD)


# ---- messages -----------------------------------------------------------------------------------


def pack_request(request_id: int, request: Request) -> bytes:
    """The message that carries ``request``."""
    values = {f.name: getattr(request, f.name) for f in fields(request)}
    return pack({"id": request_id, "op": request.op, **values})


def parse_request(data: bytes) -> tuple[int, Request]:
    """The id and the request of a message, every field checked.

    Raises:
        ProtocolError: it is no request; the message names field, value and choices.
    """
    values = parse(data)
    request_id = values.pop("id", None)
    if type(request_id) is not int or not 0 <= request_id < 2**53:
        raise ProtocolError(f"id is {shown(request_id)}; wanted an integer from 0 to 2**53-1")
    op = values.pop("op", None)
    kind = OPS.get(op) if isinstance(op, str) else None
    if kind is None:
        raise ProtocolError(f"op is {shown(op)}; known: {', '.join(sorted(OPS))}", request_id)
    return request_id, _build(kind, values, request_id)


def _build(kind: type[Request], values: dict[str, Any], request_id: int) -> Request:
    known = {f.name: f for f in fields(kind)}
    for name in values:
        if name not in known:
            raise ProtocolError(f"{kind.op}: unknown field {shown(name)}; known: {_listed(known)}", request_id)
    for name, spec in known.items():
        if name not in values:
            raise ProtocolError(f"{kind.op}: field {name!r} is missing; wanted: {_listed(known)}", request_id)
        wanted = spec.metadata["check"](values[name])
        if wanted:
            raise ProtocolError(f"{kind.op}: {name} is {shown(values[name])}; wanted {wanted}", request_id)
    return kind(**values)


def _listed(names: Mapping[str, object]) -> str:
    return ", ".join(names) or "none"


def pack(message: Mapping[str, Any]) -> bytes:
    """A message as bytes.

    Raises:
        ProtocolError: it is longer than :data:`MESSAGE_LIMIT`.
    """
    data = json.dumps(message, separators=(",", ":"), allow_nan=False).encode("ascii")
    if len(data) > MESSAGE_LIMIT:
        raise ProtocolError(f"message of {len(data)} bytes; the limit is {MESSAGE_LIMIT}")
    return data


def parse(data: bytes) -> dict[str, Any]:
    """The object of one message.

    Raises:
        ProtocolError: too long, not JSON, not an object, or a key occurs twice.
    """
    if len(data) > MESSAGE_LIMIT:
        raise ProtocolError(f"message longer than the limit of {MESSAGE_LIMIT} bytes")
    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=_object, parse_constant=_constant)
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"not JSON: {str(error)[:SHOWN_LIMIT]}: {shown(data)}") from error
    if not isinstance(value, dict):
        raise ProtocolError(f"message is {shown(value)}; wanted a JSON object")
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise ValueError("a key occurs twice")
    return values


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def reply(request_id: int, result: Any, t0_ns: int, t1_ns: int) -> dict[str, Any]:
    """The answer to a request that was carried out between the two instants."""
    return {"id": request_id, "ok": True, "result": result, "t0_ns": t0_ns, "t1_ns": t1_ns}


def refusal(request_id: int | None, kind: str, error: str, t0_ns: int, t1_ns: int) -> dict[str, Any]:
    """The answer to a request that was not carried out; ``kind`` is one of :data:`KINDS`."""
    return {"id": request_id, "ok": False, "error": error[:4096], "kind": kind, "t0_ns": t0_ns, "t1_ns": t1_ns}
