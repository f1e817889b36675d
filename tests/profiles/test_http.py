"""What a firmware answers over HTTP."""

import tomllib

import pytest

from hil.errors import BenchError
from hil.profiles.http import NOWHERE, Answer, Endpoint, Http, Stream, read_http
from hil.toml_table import Table

STATUS = '[[endpoint]]\npath = "/status"\n'
REFUSED = "[not_allowed]\nstatus = 405\n[not_found]\nstatus = 404\n"


def http(text: str) -> Http:
    """The [http] table of a file."""
    return read_http(Table(tomllib.loads(text), "mine.toml: http."))


def test_an_endpoint_needs_only_its_path() -> None:
    """It is asked by GET, answers 200, and whatever it answers will do."""
    assert http(STATUS).endpoints == (Endpoint("/status", "GET", Answer(200), "nothing"),)


def test_an_endpoint_says_what_comes_back() -> None:
    """Status, type, body and the keys of a JSON object with their types."""
    text = STATUS + 'method = "POST"\nstatus = 202\ncontent_type = "a/b"\nbody = "x"\neffect = "restart"\n'
    (endpoint,) = http(text + '[endpoint.json]\nUP = "boolean"\nms = "integer"\n').endpoints
    assert endpoint.answer == Answer(202, "a/b", "x", (("UP", "boolean"), ("ms", "integer")))
    assert (str(endpoint), endpoint.effect) == ("POST /status", "restart")


def test_what_a_path_does_not_offer_is_to_be_refused() -> None:
    """Every other method of every path, the stream's too, and a path that there is not."""
    text = REFUSED + STATUS + '[[endpoint]]\npath = "/status"\nmethod = "PUT"\n[stream]\npath = "/logs"\n'
    refusals = http(text).refusals
    assert sorted(str(each) for each in refusals if each.answer.status == 405) == [
        "POST /logs",
        "POST /status",
        "PUT /logs",
    ]
    assert [str(each) for each in refusals if each.answer.status == 404] == [
        f"{method} {NOWHERE}" for method in ("GET", "POST", "PUT")
    ]


def test_a_firmware_that_does_not_say_how_it_refuses_is_not_asked_to() -> None:
    """Nothing is guessed."""
    assert http(STATUS).refusals == ()


def test_a_stream_is_there_if_it_has_a_path() -> None:
    """Everything else about it may be left open."""
    assert not http("").stream
    stream = http('[stream]\npath = "/logs"\nkeepalive_s = 5\nreplays = "all"').stream
    assert stream == Stream("/logs", keepalive_s=5.0, replays="all")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (STATUS + STATUS, r"endpoint\./status\.path is '/status'; two \[\[http\.endpoint\]\] tables are GET /status"),
        ('[[endpoint]]\npath = "status"', r"endpoint\.status\.path is 'status'; wanted a path such as '/status'"),
        (STATUS + 'method = "get"', r"endpoint\./status\.method is 'get'; known: 'DELETE', 'GET', 'PATCH', 'POST'"),
        (STATUS + "status = 99", r"endpoint\./status\.status is 99; wanted 200 to 599"),
        (STATUS + 'body = "("', r"endpoint\./status\.body is '\('; not a regular expression"),
        (STATUS + 'json = { UP = "bool" }', r"endpoint\./status\.json\.UP is 'bool'; known: 'array', 'boolean'"),
        (STATUS + "more_keys = true", r"endpoint\./status\.more_keys is True; wanted beside it: json"),
        (
            STATUS + 'effect = "boom"',
            r"endpoint\./status\.effect is 'boom'; known: 'loader', 'logs', 'nothing', 'restart'",
        ),
        (STATUS + "typ = 1", r"endpoint\./status\.typ is not a known key; known: body, content_type"),
        ("port = 0", r"port is 0; wanted 1 to 65535"),
        ('events = "events"', r"events is 'events'; wanted a path such as '/status'"),
        ('[not_found]\nbody = "x"', r"not_found\.status is missing; wanted an integer"),
        ("[stream]\nkeepalive_s = 5.0", r"stream\.path is missing; wanted a path such as"),
        ('[stream]\npath = "/logs"\nkeepalive_s = -1.0', r"stream\.keepalive_s is -1\.0; wanted seconds, 0 to 3600"),
        ('[stream]\npath = "/logs"\nreplays = "some"', r"stream\.replays is 'some'; known: 'all', 'nothing'"),
    ],
)
def test_a_slip_of_the_pen_is_named(text: str, message: str) -> None:
    """File, endpoint by its path, key, value and what would be right."""
    with pytest.raises(BenchError, match=r"^mine\.toml: http\." + message):
        http(text)
