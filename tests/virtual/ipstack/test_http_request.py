"""Requests as esp_http_server reads them."""

import pytest

from hil.virtual.ipstack.http_request import Refusal, Request, RequestParser, answer_head, chunk, refusal_answer


def test_a_request_is_read_byte_by_byte() -> None:
    """Nothing comes out before the empty line, whatever the pieces are."""
    parser = RequestParser()
    results = [parser.feed(bytes([each])) for each in b"GET /status?x=1 HTTP/1.1\r\nHost: a\r\n\r\n"]
    assert set(results[:-1]) == {None}
    assert results[-1] == Request("GET", "/status", 0, "x=1")
    assert Request("GET", "/status", 0, "x=1").target == "/status?x=1"
    assert Request("GET", "/status", 0).target == "/status"


def test_what_follows_a_request_waits_for_its_turn() -> None:
    """Two requests in one segment are two requests."""
    parser = RequestParser()
    assert parser.feed(b"GET / HTTP/1.1\r\n\r\nGET /led HTTP/1.1\r\n\r\n") == Request("GET", "/", 0)
    assert parser.feed(b"") == Request("GET", "/led", 0)
    assert parser.rest == b""


def test_a_body_is_skipped_by_its_length() -> None:
    """Bytes of the body that came with the request are thrown away, the others are still to come."""
    parser = RequestParser()
    assert parser.feed(b"POST /led/on HTTP/1.1\r\nContent-Length: 5\r\n\r\nabc") == Request("POST", "/led/on", 5)
    assert parser.skip_body(5) == 2


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"\r\n GET / HTTP/1.1", 400),
        (b"GET\r\n\r\n", 400),
        (b"BREW /pot HTTP/1.1\r\n\r\n", 400),
        (b"GET status HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: many\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01", 400),
        (b"GET / HTTP/2.0\r\n\r\n", 505),
        (b"GET /" + b"a" * 600, 414),
        (b"GET /" + b"a" * 512 + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * 1100, 431),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * 1100 + b"\r\n\r\n", 431),
    ],
)
def test_what_is_malformed_or_too_long_is_refused(data: bytes, status: int) -> None:
    """Each refusal has the status that esp_http_server gives."""
    assert RequestParser().feed(data) == Refusal(status)


def test_the_head_of_an_answer_reads_as_esp_idf_sends_it() -> None:
    """Status line, Content-Type, Content-Length, further fields, and nothing else."""
    head = answer_head(200, "application/json", 14, (("Cache-Control", "no-cache"),))
    assert head == (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 14\r\nCache-Control: no-cache\r\n\r\n"
    )


def test_a_stream_is_chunked() -> None:
    """Without a length the head announces chunks, and a chunk has its length in hex."""
    assert b"Transfer-Encoding: chunked\r\n" in answer_head(200, "text/event-stream", None)
    assert chunk(b"x" * 26) == b"1a\r\n" + b"x" * 26 + b"\r\n"


def test_a_refusal_has_the_text_of_esp_idf() -> None:
    """408 carries the sentence of httpd_resp_send_err."""
    assert refusal_answer(Refusal(408)).endswith(b"\r\n\r\nServer closed this connection")
