"""What a firmware answers over HTTP: its endpoints, what it refuses and how, its log stream."""

from dataclasses import dataclass, field

from hil.profiles.patterns import read_pattern
from hil.toml_table import Table

METHODS = ("DELETE", "GET", "PATCH", "POST", "PUT")
PROBED = ("GET", "POST", "PUT")
"""Methods that are tried on every path; each that the path does not have is to be refused."""
NOWHERE = "/no-such-page"
NOTHING, LOGS, STATE, RESTART, LOADER = EFFECTS = ("nothing", "logs", "state", "restart", "loader")
"""What a request does to the board: nothing, lines in its log, a change that another request undoes, a restart, or one
that ends in the chip's loader."""
JSON_TYPES = ("array", "boolean", "integer", "null", "number", "object", "string")
REPLAYS = ("all", "nothing")


@dataclass(frozen=True, slots=True)
class Answer:
    """What is to come back."""

    status: int
    content_type: str = ""
    """'' where any will do."""
    body: str = ""
    """A regular expression that is found in the body; '' where any will do."""
    json: tuple[tuple[str, str], ...] = ()
    """Keys of the JSON object that the body is, with their types (:data:`JSON_TYPES`); () where it need be none."""
    more_keys: bool = False
    """The object may have other keys too."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One request and its answer."""

    path: str
    method: str
    answer: Answer
    effect: str = NOTHING
    """One of :data:`EFFECTS`."""

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True, slots=True)
class Stream:
    """Server-sent events of the board's log; '' and 0 where that is not known."""

    path: str = ""
    content_type: str = "text/event-stream"
    greeting: str = ""
    """The first comment."""
    keepalive: str = ""
    """The comment that comes after a silence."""
    keepalive_s: float = 0.0
    """How long a silence."""
    replays: str = "nothing"
    """all: it begins with the oldest line that the board keeps. nothing: with the next line."""
    max_readers: int = 0

    def __bool__(self) -> bool:
        return bool(self.path)


@dataclass(frozen=True, slots=True)
class Http:
    """A firmware's HTTP server; paths are '' where it has none."""

    events: str = ""
    status: str = ""
    version: str = ""
    """A JSON object with ``uptime_ms``: it puts the event log on the host's time."""
    reset: str = ""
    bootloader: str = ""
    """POST there leaves for the chip's loader."""
    port: int = 80
    one_task: bool = False
    """While one answer is being given nobody else gets one; a log stream that is read blocks everything."""
    after_usb: bool = False
    """It listens some time after the host has enumerated the board; connections are refused until then."""
    max_sockets: int = 0
    """0 where that is not known."""
    endpoints: tuple[Endpoint, ...] = ()
    stream: Stream = field(default_factory=Stream)
    not_found: Answer | None = None
    not_allowed: Answer | None = None

    @property
    def refusals(self) -> tuple[Endpoint, ...]:
        """Requests that are to be refused: other methods of the known paths, and a path that there is not."""
        methods: dict[str, set[str]] = {self.stream.path: {"GET"}} if self.stream else {}
        for endpoint in self.endpoints:
            methods.setdefault(endpoint.path, set()).add(endpoint.method)
        refused: list[Endpoint] = []
        if self.not_allowed is not None:
            pairs = ((path, method) for path, offered in methods.items() for method in PROBED if method not in offered)
            refused += [Endpoint(path, method, self.not_allowed, LOGS) for path, method in pairs]
        if self.not_found is not None:
            refused += [Endpoint(NOWHERE, method, self.not_found, LOGS) for method in PROBED]
        return tuple(refused)


def read_http(table: Table) -> Http:
    """The ``[http]`` table.

    Raises:
        BenchError: a key, a type or a value is wrong, or two endpoints have one path and method.
    """
    paths = {key: _path(table, key, "") for key in ("events", "status", "version", "reset", "bootloader")}
    http = Http(
        **paths,
        port=_between(table, "port", 1, 65535, 80),
        one_task=table.boolean("one_task", False),
        after_usb=table.boolean("after_usb", False),
        max_sockets=_between(table, "max_sockets", 0, 1024, 0),
        endpoints=_endpoints(table.tables("endpoint", by="path")),
        stream=_stream(table.table("stream")),
        not_found=_refusal(table.table("not_found")),
        not_allowed=_refusal(table.table("not_allowed")),
    )
    table.finish()
    return http


def _endpoints(rows: list[Table]) -> tuple[Endpoint, ...]:
    endpoints: list[Endpoint] = []
    for row in rows:
        endpoint = Endpoint(
            path=_path(row, "path"),
            method=row.choice("method", METHODS, "GET"),
            effect=row.choice("effect", EFFECTS, NOTHING),
            answer=_answer(row, 200),
        )
        row.finish()
        if any(str(endpoint) == str(other) for other in endpoints):
            raise row.wrong("path", f"two [[http.endpoint]] tables are {endpoint}")
        endpoints.append(endpoint)
    return tuple(endpoints)


def _answer(table: Table, status: int | None) -> Answer:
    keys = table.table("json")
    types = tuple((key, keys.choice(key, JSON_TYPES)) for key in keys.names)
    answer = Answer(
        status=_between(table, "status", 200, 599, status),
        content_type=table.string("content_type", ""),
        body=read_pattern(table, "body"),
        json=types,
        more_keys=table.boolean("more_keys", False),
    )
    if answer.more_keys and not types:
        raise table.wrong("more_keys", "wanted beside it: json, the keys that there are")
    return answer


def _refusal(table: Table) -> Answer | None:
    if not table.names:
        return None
    answer = _answer(table, None)
    table.finish()
    return answer


def _stream(table: Table) -> Stream:
    if not table.names:
        return Stream()
    stream = Stream(
        path=_path(table, "path"),
        content_type=table.string("content_type", "text/event-stream"),
        greeting=table.string("greeting", ""),
        keepalive=table.string("keepalive", ""),
        keepalive_s=table.number("keepalive_s", 0.0),
        replays=table.choice("replays", REPLAYS, "nothing"),
        max_readers=_between(table, "max_readers", 0, 1024, 0),
    )
    table.finish()
    if not 0 <= stream.keepalive_s <= 3600:
        raise table.wrong("keepalive_s", "wanted seconds, 0 to 3600")
    return stream


def _path(table: Table, key: str, default: str | None = None) -> str:
    return table.string(key, default, pattern=r"/[!-~]*", shape="a path such as '/status'")


def _between(table: Table, key: str, low: int, high: int, default: int | None) -> int:
    value = table.integer(key, default)
    if not low <= value <= high:
        raise table.wrong(key, f"wanted {low} to {high}")
    return value
