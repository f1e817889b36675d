"""What a board says of itself."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.errors import WireError
from hil.wire.board_status import EventEntry, parse_events, parse_status

PURE = settings(deadline=None, derandomize=True, database=None, max_examples=80)
EVENTS = b"""=== CRITICAL EVENTS (3 recorded) ===

[   485 ms] NETIF_READY
[   921 ms] NCM_LINK_UP: stack_ready_kick_up
[4294967295 ms] FIRST_RX: a: b

=== STATUS FLAGS ===
USB_MOUNTED: YES
USB_UNMOUNTED: NO
"""


def test_a_body_is_read() -> None:
    """Entries with and without detail, flags in order, and no word of discarded events."""
    log = parse_events(EVENTS)
    assert log.entries == (
        EventEntry(485, "NETIF_READY", ""),
        EventEntry(921, "NCM_LINK_UP", "stack_ready_kick_up"),
        EventEntry(4294967295, "FIRST_RX", "a: b"),
    )
    assert list(log.flags.items()) == [("USB_MOUNTED", True), ("USB_UNMOUNTED", False)]
    assert (log.recorded, log.discarded) == (3, 0)


def test_discarded_events_are_counted() -> None:
    """By the optional line after the header."""
    body = EVENTS.replace(b"recorded) ===\n", b"recorded) ===\n=== 12 EVENTS DISCARDED ===\n")
    assert parse_events(body).discarded == 12


def test_crlf_and_an_empty_log_are_read() -> None:
    """A board that has recorded nothing still has its flags."""
    log = parse_events(b"=== CRITICAL EVENTS (0 recorded) ===\r\n\r\n\r\n=== STATUS FLAGS ===\r\nNEW_FLAG_2: NO\r\n")
    assert (log.entries, log.flags, log.recorded) == ((), {"NEW_FLAG_2": False}, 0)


def test_a_header_that_miscounts_is_reported_not_refused() -> None:
    """The number and the entries stand side by side."""
    log = parse_events(EVENTS.replace(b"(3 rec", b"(30 rec"))
    assert (log.recorded, len(log.entries)) == (30, 3)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", r"/events: begins with ''"),
        (b"<html>", "begins with '<html>'"),
        (EVENTS[:100], "was the body cut off|line 5"),
        (EVENTS.replace(b"=== STATUS", b"== STATUS"), "no line '=== STATUS FLAGS ==='"),
        (EVENTS.replace(b"921 ms", b"921ms"), r"line 4: '\[   921ms\]"),
        (EVENTS.replace(b"4294967295", b"4294967296"), "line 5: 4294967296 is more than 32 bits"),
        (EVENTS.replace(b"4294967295", b"9" * 5000), "line 5: "),
        (EVENTS.replace(b"485", "٤٨٥".encode()), "line 3"),
        (EVENTS.replace(b"(3 rec", b"(9999999999 rec"), "line 1: 9999999999"),
        (EVENTS.replace(b"YES", b"yes"), "line 8: 'USB_MOUNTED: yes'"),
        (EVENTS + b"USB_MOUNTED: NO\n", "line 10: 'USB_MOUNTED: NO', .* each name once"),
        (EVENTS + b"\xff", "no UTF-8 at byte"),
        (bytes(1 << 20) + b"x", "at most 1048576"),
    ],
)
def test_a_body_that_breaks_the_format_is_refused(body: bytes, message: str) -> None:
    """With the line that does."""
    with pytest.raises(WireError, match=message):
        parse_events(body)


@PURE
@given(st.binary(max_size=60), st.integers(0, len(EVENTS)), st.integers(0, len(EVENTS)))
def test_any_body_is_a_log_or_a_wire_error(noise: bytes, start: int, end: int) -> None:
    """Random bytes alone and in place of a part of a body."""
    for body in (noise, EVENTS[:start] + noise + EVENTS[end:]):
        try:
            parse_events(body)
        except WireError:
            continue


@PURE
@given(st.dictionaries(st.text(max_size=12), st.booleans(), max_size=8), st.sampled_from([None, 2]))
def test_any_object_of_booleans_is_read(flags: dict[str, bool], indent: int | None) -> None:
    """In its order, indented or not, whatever the names."""
    assert list(parse_status(json.dumps(flags, indent=indent).encode()).items()) == list(flags.items())


def test_other_values_are_left_out_under_other_names() -> None:
    """A firmware may add a version or a counter; a name in capitals is a flag."""
    body = b'{"USB_MOUNTED": true, "version": "1.0", "uptime_ms": 12, "more": {"a": [1, "}]"]}, "ok": false, "n": null}'
    assert parse_status(body) == {"USB_MOUNTED": True, "ok": False}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "no JSON"),
        (b"[true]", "a JSON list, expected an object"),
        (b"true", "a JSON bool"),
        (b'{"USB_MOUNTED": 1}', "USB_MOUNTED is '1', expected true or false"),
        (b'{"USB_MOUNTED": "YES"}', "USB_MOUNTED is 'YES'"),
        (b'{"A": true, "A": true}', "'A' comes twice"),
        (b'{"x": {"a": 1, "a": 2}}', "'a' comes twice"),
        (b'{"x": NaN}', "NaN is no JSON value"),
        (b'{"x": -Infinity}', "-Infinity is no JSON value"),
        (b'{"x": ' + b"9" * 5000 + b"}", "no JSON"),
        (b'{"x": ' + b"[" * 20000, "nested at most 16 deep"),
        (b'{"A": true', "no JSON"),
        (b'{"A": true} x', "no JSON"),
        (b"\xef\xbb\xbf{}", "no JSON"),
        (b'{"A": true, "\xff": true}', "no UTF-8 at byte 13"),
        (b" " * 65537, "at most 65536"),
    ],
)
def test_a_status_that_breaks_the_format_is_refused(body: bytes, message: str) -> None:
    """Everything but one shallow object with flags that are booleans."""
    with pytest.raises(WireError, match=message):
        parse_status(body)


@PURE
@given(st.one_of(st.binary(max_size=40), st.text('{}[]":,\\ truefalsn1eE.-', max_size=40).map(str.encode)))
def test_any_body_is_a_status_or_a_wire_error(body: bytes) -> None:
    """Random bytes and random pieces of JSON."""
    try:
        flags = parse_status(body)
    except WireError:
        return
    assert all(isinstance(value, bool) for value in flags.values())
