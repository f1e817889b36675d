"""An answer is what the profile promised, or each difference is named."""

import pytest

from hil.device.answers import differences, require
from hil.device.readings import Reading
from hil.errors import BoardFailure
from hil.profiles.http import Answer, Endpoint
from hil.timeline.events import HttpFailed, HttpReply

LED = Answer(200, "application/json", r'^\{"led":(true|false)\}$', (("led", "boolean"),))
NUMBERS = Answer(200, json=(("heap", "integer"), ("load", "number")), more_keys=True)


def answered(body: bytes, status: int = 200, content_type: str = "application/json", method: str = "GET") -> Reading:
    return Reading(0, 0, HttpReply("/led", status, method, content_type, body.decode("utf-8", "replace"), 0.1), body)


def test_a_promised_answer_has_no_difference() -> None:
    """Status, type, body and keys are as said; where the profile is silent anything will do."""
    assert differences(LED, answered(b'{"led":true}')) == []
    assert differences(Answer(200), answered(b"\xff", content_type="x")) == []
    assert differences(NUMBERS, answered(b'{"heap": 1, "load": 2, "other": null}')) == []


@pytest.mark.parametrize(
    ("wanted", "reading", "found"),
    [
        (LED, answered(b'{"led":true}', 503), ["status: wanted 200, got 503"]),
        (
            LED,
            answered(b'{"led":true}', content_type="text/html"),
            ["content type: wanted 'application/json', got 'text/html'"],
        ),
        (Answer(404, body="^Nothing"), answered(b"x" * 90, 404), [f"body: '^Nothing' is not found in '{'x' * 80}…'"]),
        (NUMBERS, answered(b'{"heap": true, "load": 1.5}'), ["JSON: heap is True, wanted integer"]),
        (NUMBERS, answered(b'{"heap": 1}'), ["JSON: key 'load' is missing"]),
        (NUMBERS, answered(b"[1]"), ["body: a JSON array, wanted an object; it is '[1]'"]),
        (
            Answer(200, json=(("led", "boolean"),)),
            answered(b'{"led":true,"blue":1}'),
            ["JSON: key 'blue' is unknown"],
        ),
    ],
    ids=["status", "type", "body", "value", "key", "array", "more"],
)
def test_each_difference_is_named(wanted: Answer, reading: Reading, found: list[str]) -> None:
    """What was wanted and what came."""
    assert differences(wanted, reading) == found


def test_an_empty_body_is_no_json() -> None:
    """The pattern and the keys are both missing."""
    assert differences(LED, answered(b"")) == [
        r"body: '^\\{\"led\":(true|false)\\}$' is not found in ''".replace('\\"', '"'),
        "body: no JSON: Expecting value: line 1 column 1 (char 0); it is ''",
    ]


def test_the_body_of_head_is_not_asked_for() -> None:
    """RFC 9110 section 9.3.2: there is none."""
    refused = Answer(405, body="^Specified method")
    assert differences(refused, answered(b"", 405, method="HEAD")) == []


def test_no_answer_is_the_only_difference() -> None:
    """With its reason."""
    failed = HttpFailed("/led", "GET", "timeout", 5.0, "reading the reply")
    assert differences(LED, Reading(0, 0, failed, b"")) == ["no answer: timeout after 5.000 s: reading the reply"]


def test_a_broken_promise_is_the_boards_failure() -> None:
    """The message names the request and every difference; a kept one raises nothing."""
    endpoint = Endpoint("/led", "GET", Answer(200, "application/json", json=(("led", "boolean"),)))
    require(endpoint, answered(b'{"led":true}'))
    with pytest.raises(BoardFailure) as caught:
        require(endpoint, answered(b'{"led":1}', 503))
    assert str(caught.value).splitlines() == [
        "GET /led is answered otherwise than the profile promises",
        "  status: wanted 200, got 503",
        "  JSON: led is 1, wanted boolean",
    ]
