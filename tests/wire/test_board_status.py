"""What a board says of itself."""

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.errors import WireError
from hil.wire.board_status import (
    KNOWN,
    NO_MS,
    EventEntry,
    EventFormat,
    StatusFlags,
    parse_events,
    parse_status,
    parse_version,
)

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


BRIDGE = b"""=== CRITICAL EVENTS (7 recorded) ===

[   485 ms] NETIF_READY
[   663 ms] USB_MOUNTED
[   921 ms] NCM_LINK_UP: stack_ready_kick_up
[   974 ms] FIRST_RX
[   976 ms] DHCP_DISCOVER_RX
[   979 ms] FIRST_TX
[   979 ms] DHCP_OFFER_TX

=== STATUS FLAGS ===
USB_MOUNTED: YES
USB_UNMOUNTED: NO
USB_SUSPENDED: NO
USB_RESUMED: NO
NCM_LINK_UP: YES
NETIF_READY: YES
FIRST_RX: YES
FIRST_TX: YES
DHCP_DISCOVER_RX: YES
DHCP_OFFER_TX: YES
DHCP_REQUEST_RX: NO
DHCP_ACK_TX: NO
DHCP_ASSIGNED: NO
"""
"""As main/event_log.c of pmanot/mcu-apple-bridge prints it; the times are made up but for those of its CONTEXT.md."""
BRIDGE_STATUS = b"""{
  "USB_MOUNTED": true,
  "USB_UNMOUNTED": false,
  "USB_SUSPENDED": false,
  "USB_RESUMED": false,
  "NCM_LINK_UP": true,
  "NETIF_READY": true,
  "FIRST_RX": true,
  "FIRST_TX": true,
  "DHCP_DISCOVER_RX": true,
  "DHCP_OFFER_TX": true,
  "DHCP_REQUEST_RX": false,
  "DHCP_ACK_TX": false,
  "DHCP_ASSIGNED": false
}
"""


def test_the_bridges_bodies_are_read() -> None:
    """Seven entries and thirteen flags, which /status says too, in the same order."""
    log, status = parse_events(BRIDGE), parse_status(BRIDGE_STATUS)
    assert (log.recorded, len(log.entries), log.discarded, log.garbled) == (7, 7, 0, ())
    assert log.entries[2] == EventEntry(921, "NCM_LINK_UP", "stack_ready_kick_up")
    assert log.entries[6] == EventEntry(979, "DHCP_OFFER_TX", "")
    assert list(log.flags.items()) == list(status.flags.items())
    assert (len(log.flags), sum(log.flags.values())) == (13, 7)


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
        (b"", r"/events: the body is empty"),
        (b"\n\n", r"/events: the body is empty"),
        (b"<html>", "begins with '<html>', expected '=== CRITICAL EVENTS'"),
        (EVENTS[:100], "was the body cut off"),
        (EVENTS.replace(b"=== STATUS", b"== STATUS"), "no line '=== STATUS FLAGS ==='"),
        (b"\xff\xfe", "begins with '\ufffd\ufffd'"),
        (bytes(1 << 20) + b"x", "at most 1048576"),
    ],
)
def test_what_is_no_event_log_is_refused(body: bytes, message: str) -> None:
    """Nothing, something else, or cut off."""
    with pytest.raises(WireError, match=message):
        parse_events(body)


@pytest.mark.parametrize(
    ("old", "new", "left", "reason"),
    [
        (b"921 ms", b"921ms", 2, r"line 4: '\[   921ms\] NCM_LINK_UP.*expected '\[   663 ms\] NAME: detail'"),
        (b"NCM_LINK_UP", b"ncm link up", 2, r"line 4: .*ncm link up"),
        (b"4294967295", b"4294967296", 2, "line 5: .*'4294967296' is no number of 32 bits"),
        (b"4294967295", b"9" * 5000, 2, "line 5: "),
        (b"485", "٤٨٥".encode(), 2, "line 3: "),
        (b"485", b"-5", 2, "line 3: "),
        (b"NETIF_READY", b"NETIF_\xff", 2, "line 3: .*NETIF_\ufffd"),
        (b"USB_MOUNTED: YES", b"USB_MOUNTED: yes", 3, "line 8: 'USB_MOUNTED: yes', expected 'NAME: YES' or 'NAME: NO'"),
        (b"UNMOUNTED: NO", b"UNMOUNTED: \x00", 3, "line 9: "),
        (b"(3 rec", b"(9999999999 rec", 3, "line 1: .*'9999999999' is no number of 32 bits"),
    ],
)
def test_a_line_that_lies_costs_itself_alone(old: bytes, new: bytes, left: int, reason: str) -> None:
    """It is kept apart with its place; the other lines are read."""
    log = parse_events(EVENTS.replace(old, new))
    (garbled,) = log.garbled
    assert re.match(reason, garbled.reason)
    assert len(garbled.text) <= 80
    assert len(log.entries) == left
    assert len(log.flags) == 2 - sum(each in old for each in (b"YES", b": NO"))
    assert log.recorded == (-1 if b"rec" in old else 3)


def test_a_flag_that_comes_twice_is_none() -> None:
    """Neither is to be believed, even if both say the same."""
    log = parse_events(EVENTS + b"USB_MOUNTED: NO\n")
    assert log.flags == {"USB_UNMOUNTED": False}
    assert [each.reason for each in log.garbled] == ["line 10: 'USB_MOUNTED: NO', expected each flag once"]


def test_a_count_of_discarded_events_that_lies_still_counts() -> None:
    """A log that says that it lost something has lost something."""
    for count in (b"0", b"9999999999"):
        body = EVENTS.replace(b"recorded) ===\n", b"recorded) ===\n=== " + count + b" EVENTS DISCARDED ===\n")
        assert parse_events(body).discarded >= 1


# ---- a form of the firmware's own ---------------------------------------------------------------

OWN = EventFormat(
    entry=re.compile(r"(?P<ms>\d+) (?P<name>[\w-]+)(?: \((?P<detail>.*)\))?"),
    header=re.compile(r"log of (?P<recorded>\d+)"),
    discarded=re.compile(r"and (?P<discarded>\d+) more"),
)


def test_another_form_is_read() -> None:
    """With its own header, entries and count of what is missing, and without flags."""
    log = parse_events(b"log of 2\n663 usb-up (host)\n921 link-up\nand 7 more\n?\n", OWN)
    assert log.entries == (EventEntry(663, "usb-up", "host"), EventEntry(921, "link-up", ""))
    assert (log.recorded, log.discarded, log.flags) == (2, 7, {})
    assert [each.text for each in log.garbled] == ["?"]


def test_a_form_need_have_no_more_than_a_name() -> None:
    """Neither a first line nor a time."""
    log = parse_events(b"up\ndown\n", EventFormat(entry=re.compile(r"(?P<name>\w+)")))
    assert log.entries == (EventEntry(NO_MS, "up", ""), EventEntry(NO_MS, "down", ""))


def test_another_forms_first_line_is_named() -> None:
    """By its pattern."""
    with pytest.raises(WireError, match=r"begins with 'x', expected a line of the form 'log of"):
        parse_events(b"x", OWN)


@PURE
@given(st.binary(max_size=60), st.integers(0, len(EVENTS)), st.integers(0, len(EVENTS)))
def test_any_body_is_a_log_or_a_wire_error(noise: bytes, start: int, end: int) -> None:
    """Random bytes alone and in place of a part of a body, in either form; every number is one of 32 bits."""
    for body in (noise, EVENTS[:start] + noise + EVENTS[end:], b"log of 1\n" + noise):
        for form in (KNOWN, OWN):
            try:
                log = parse_events(body, form)
            except WireError:
                continue
            assert all(NO_MS <= entry.ms <= 0xFFFF_FFFF and 0 < len(entry.name) <= 64 for entry in log.entries)


@PURE
@given(st.integers(0, 4), st.text(max_size=30).filter(lambda text: "\n" not in text))
def test_any_other_line_costs_no_entry(place: int, text: str) -> None:
    """Whatever is put between the lines, the entries around it are read as before."""
    lines = EVENTS.decode().split("\n")
    lines.insert(1 + place, text)
    log = parse_events("\n".join(lines).encode())
    known = parse_events(EVENTS).entries
    assert [entry for entry in log.entries if entry in known] == list(known)


@PURE
@given(st.dictionaries(st.text(max_size=12), st.booleans(), max_size=8), st.sampled_from([None, 2]))
def test_any_object_of_booleans_is_read(flags: dict[str, bool], indent: int | None) -> None:
    """In its order, indented or not, whatever the names."""
    read = parse_status(json.dumps(flags, indent=indent).encode())
    assert list(read.flags.items()) == list(flags.items())
    assert read.garbled == ()


def test_other_values_are_left_out_under_other_names() -> None:
    """A firmware may add a version or a counter; a name in capitals is a flag."""
    body = b'{"USB_MOUNTED": true, "version": "1.0", "uptime_ms": 12, "more": {"a": [1, "}]"]}, "ok": false, "n": null}'
    assert parse_status(body) == StatusFlags({"USB_MOUNTED": True, "ok": False})


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"A": true, "USB_MOUNTED": 1}', "USB_MOUNTED is 1, expected true or false"),
        (b'{"USB_MOUNTED": "YES", "A": true}', "USB_MOUNTED is 'YES', expected true or false"),
        (b'{"USB_MOUNTED": null, "A": true}', "USB_MOUNTED is None, expected true or false"),
        (
            b'{"USB_MOUNTED": true, "A": true, "USB_MOUNTED": true}',
            "USB_MOUNTED is there twice, expected true or false",
        ),
    ],
)
def test_a_flag_that_lies_costs_itself_alone(body: bytes, reason: str) -> None:
    """It is named, and the others are read."""
    read = parse_status(body)
    assert read.flags == {"A": True}
    assert [each.reason for each in read.garbled] == [reason]


def test_a_key_that_comes_twice_inside_costs_nothing() -> None:
    """Nobody asks for it."""
    assert parse_status(b'{"x": {"a": 1, "a": 2}, "A": true}').flags == {"A": True}


def test_a_version_that_comes_twice_is_none() -> None:
    """Which of the two is true cannot be told."""
    assert parse_version(b'{"uptime_ms": 1, "uptime_ms": 2, "project": "x"}') == {"project": "x"}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "no JSON"),
        (b"[true]", "a JSON list, expected an object"),
        (b"true", "a JSON bool"),
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
    """Everything but one shallow object."""
    with pytest.raises(WireError, match=message):
        parse_status(body)


@PURE
@given(st.one_of(st.binary(max_size=40), st.text('{}[]":,\\ truefalsn1eE.-', max_size=40).map(str.encode)))
def test_any_body_is_a_status_or_a_wire_error(body: bytes) -> None:
    """Random bytes and random pieces of JSON."""
    try:
        read = parse_status(body)
    except WireError:
        return
    assert all(isinstance(value, bool) for value in read.flags.values())
