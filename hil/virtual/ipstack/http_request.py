"""Requests as ``esp_http_server`` reads them: bytes fed in, a request or a refusal out.

Limits and answers follow ``components/esp_http_server/src/httpd_parse.c`` and ``httpd_txrx.c`` of ESP-IDF 5.5.
"""

from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"))
MAX_URI = 512
"""CONFIG_HTTPD_MAX_URI_LEN, its default, bytes."""
MAX_HEADERS = 1024
"""CONFIG_HTTPD_MAX_REQ_HDR_LEN, its default in ESP-IDF 5.5, bytes."""
MAX_METHOD = 16
"""Bytes of a method and its blank; no method that http_parser knows is longer."""
VERSIONS = frozenset((b"HTTP/1.0", b"HTTP/1.1"))
TOKEN = frozenset(b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
"""Characters of a header field's name (RFC 9110 section 5.6.2)."""

REFUSALS = {
    400: ("400 Bad Request", "Bad request syntax"),
    408: ("408 Request Timeout", "Server closed this connection"),
    414: ("414 URI Too Long", "URI is too long"),
    431: ("431 Request Header Fields Too Large", "Header fields are too long"),
    505: ("505 Version Not Supported", "HTTP version not supported by server"),
}
"""Status line and body of ``httpd_resp_send_err``; the connection is closed after each."""


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    """Without query and fragment: handlers are chosen by it alone."""
    body_length: int
    """Content-Length, 0 where there is none; the body itself is read and thrown away after the answer."""
    query: str = ""
    """Without its question mark; '' where there is none."""

    @property
    def target(self) -> str:
        """Path and query, as the firmware's handlers take them."""
        return f"{self.path}?{self.query}" if self.query else self.path


@dataclass(frozen=True, slots=True)
class Refusal:
    status: int
    """A key of :data:`REFUSALS`."""


class RequestParser:
    """Reads one connection's requests one after the other; bytes behind a request wait in ``rest``."""

    def __init__(self, max_uri: int = MAX_URI, max_headers: int = MAX_HEADERS) -> None:
        self.rest = b""
        self._max_uri = max_uri
        self._max_headers = max_headers

    def feed(self, data: bytes) -> Request | Refusal | None:
        """The next request or its refusal; None while more bytes are needed; empty lines before it are skipped."""
        self.rest = (self.rest + data).lstrip(b"\r\n")
        line, found, after = self.rest.partition(b"\n")
        if not found:
            return self._refuse_unfinished_line()
        if len(line) > MAX_METHOD + self._max_uri + len(b" HTTP/1.1\r"):
            return Refusal(414)
        block, ended, behind = _headers(after)
        if not ended:
            return Refusal(431) if len(after) > self._max_headers else None
        if len(block) > self._max_headers:
            return Refusal(431)
        self.rest = behind
        return _request(line.rstrip(b"\r"), block, self._max_uri)

    def skip_body(self, length: int) -> int:
        """Throw away up to ``length`` bytes of body already read; what is still to come, in bytes."""
        taken = min(length, len(self.rest))
        self.rest = self.rest[taken:]
        return length - taken

    def _refuse_unfinished_line(self) -> Refusal | None:
        method, blank, _ = self.rest.partition(b" ")
        if len(method) > MAX_METHOD or (blank and not method) or not TOKEN.issuperset(method):
            return Refusal(400)
        return Refusal(414) if len(self.rest) > MAX_METHOD + self._max_uri else None


def _headers(data: bytes) -> tuple[bytes, bool, bytes]:
    """Header block, whether its empty line has come, and what follows; a bare LF ends a line too (http_parser)."""
    position = 0
    while (end := data.find(b"\n", position)) >= 0:
        if data[position:end] in (b"", b"\r"):
            return data[:position], True, data[end + 1 :]
        position = end + 1
    return data, False, b""


def _request(line: bytes, block: bytes, max_uri: int) -> Request | Refusal:
    parts = line.split(b" ")
    if len(parts) != 3 or not parts[2].startswith(b"HTTP/") or not line.isascii():
        return Refusal(400)
    method, target = parts[0].decode(), parts[1].decode()
    if method not in METHODS or not target.startswith(("/", "http://", "*")):
        return Refusal(400)
    if len(target) > max_uri:
        return Refusal(414)
    if parts[2] not in VERSIONS:
        return Refusal(505)
    length = _body_length(block)
    uri = urlsplit(target)
    return Refusal(400) if length is None else Request(method, uri.path or "/", length, uri.query)


def _body_length(block: bytes) -> int | None:
    """Content-Length of a header block, or None where a field is malformed."""
    length = 0
    for line in block.splitlines():
        name, colon, value = line.partition(b":")
        if not colon or not name or not TOKEN.issuperset(name):
            return None
        if name.lower() == b"content-length":
            digits = value.strip()
            if not digits.isdigit():
                return None
            length = int(digits)
    return length


def answer_head(status: int, content_type: str, length: int | None, headers: tuple[tuple[str, str], ...] = ()) -> bytes:
    """Status line and header fields in the order of ``httpd_resp_send``; without ``length``, a chunked answer."""
    line = REFUSALS[status][0] if status in REFUSALS else f"{status} {HTTPStatus(status).phrase}"
    body = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    fields = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return f"HTTP/1.1 {line}\r\nContent-Type: {content_type}\r\n{body}\r\n{fields}\r\n".encode()


def refusal_answer(refusal: Refusal) -> bytes:
    """The whole answer to a request that was not understood."""
    text = REFUSALS[refusal.status][1].encode()
    return answer_head(refusal.status, "text/html", len(text)) + text


def chunk(data: bytes) -> bytes:
    """``data`` as ``httpd_resp_send_chunk`` frames it."""
    return b"%x\r\n" % len(data) + data + b"\r\n"
