"""The protocol refuses, by name, everything that is not of it."""

import json
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.agent import protocol

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=10,
)
FIELD_NAMES = sorted({f.name for kind in protocol.OPS.values() for f in fields(kind)} | {"id", "op", "extra"})

WELL_FORMED: list[protocol.Request] = [
    protocol.Hello(1),
    protocol.BoardsKnown(),
    protocol.SecondConnection(),
    protocol.LoadModule("usbmon"),
    protocol.OpenNamespace("s3-a"),
    protocol.Follow("s3-a"),
    protocol.OpenPacketSocket("s3-a"),
    protocol.OpenRouteSocket("s3-a"),
    protocol.OpenUeventSocket(None, False),
    protocol.OpenUeventSocket("s3-a", True),
    protocol.OpenTcpSocket("lan", "192.0.2.7", 80, 2.5),
    protocol.OpenUsbmon("s3-a"),
    protocol.OpenKmsg(),
    protocol.WatchTty("s3-a", "console", True, False, 115200, False),
    protocol.UnwatchTty("s3-a", "usb"),
    protocol.FindTty("s3-a", "usb"),
    protocol.OpenTty("s3-a", "console", False),
    protocol.SetAddress("s3-a", "192.168.7.2", 24, ""),
    protocol.SetAddress("s3-a", "192.168.7.2", 24, "192.168.7.1"),
    protocol.ClearAddress("s3-a"),
    protocol.SetLink("s3-a", False),
    protocol.WriteAttribute("s3-a", "control", "auto"),
    protocol.ReadAttribute("s3-a", "runtime_status"),
    protocol.ResetDevice("s3-a"),
    protocol.ResetByLines("s3-a", False),
    protocol.SwitchPower("s3-a", "uhubctl, hub 1-1 port 2", False),
    protocol.HoldBoot("s3-a", "relay boot-a", True),
    protocol.EndVirtual("virtual-s3"),
    protocol.StartVirtual("virtual-s3", "bus", ["drop-offer", "/root/f.py:Fault"], "0.21", "static"),
]


@pytest.mark.parametrize("request_", WELL_FORMED, ids=lambda r: r.op)
def test_a_request_survives_the_wire(request_: protocol.Request) -> None:
    """What a client packs is what the agent parses, with its id."""
    assert protocol.parse_request(protocol.pack_request(7, request_)) == (7, request_)


def test_every_operation_has_a_well_formed_example() -> None:
    """The list above covers all operations, so that the round trip says something about each."""
    assert {request.op for request in WELL_FORMED} == set(protocol.OPS)


def answer_to(data: bytes) -> bytes:
    """The refusal of a message that is no request, or the message that the request packs to."""
    try:
        return protocol.pack_request(*protocol.parse_request(data))
    except protocol.ProtocolError as error:
        return protocol.pack(protocol.refusal(error.request_id, "invalid", str(error), 0, 0))


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_bytes_are_parsed_or_refused(data: bytes) -> None:
    """Whatever bytes come, the only exception is ProtocolError, and its text can be sent back."""
    assert len(answer_to(data)) < 1000


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(FIELD_NAMES), JSON_VALUES, max_size=8), st.sampled_from(sorted(protocol.OPS)))
def test_objects_are_parsed_or_refused(values: dict[str, Any], op: str) -> None:
    """Whatever JSON object comes, it becomes a request with checked fields or a ProtocolError that can be sent back."""
    assert answer_to(json.dumps({"id": 1, **values, "op": op}).encode())


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ({"op": "hello", "version": 1}, "id is None; wanted an integer"),
        ({"id": True, "op": "open_kmsg"}, "id is True; wanted an integer"),
        ({"id": -1, "op": "open_kmsg"}, "id is -1; wanted an integer"),
        ({"id": 1, "op": "run"}, "op is 'run'; known: boards_known, "),
        ({"id": 1, "op": ["hello"]}, "op is ['hello']; known: "),
        ({"id": 1, "op": "open_kmsg", "path": "/etc"}, "open_kmsg: unknown field 'path'; known: none"),
        ({"id": 1, "op": "set_link", "board": "a"}, "set_link: field 'up' is missing; wanted: board, up"),
        ({"id": 1, "op": "set_link", "board": "a", "up": 1}, "set_link: up is 1; wanted true or false"),
        ({"id": 1, "op": "follow", "board": "../etc"}, "follow: board is '../etc'; wanted a board name"),
        ({"id": 1, "op": "follow", "board": "a\n"}, "follow: board is 'a\\n'; wanted a board name"),
        ({"id": 1, "op": "load_module", "name": "-C"}, "load_module: name is '-C'; wanted a kernel module's name"),
        ({"id": 1, "op": "hello", "version": True}, "hello: version is True; wanted one of 1"),
        (
            {"id": 1, "op": "write_attribute", "board": "a", "attribute": "remove", "value": "1"},
            "write_attribute: attribute is 'remove'; wanted one of 'authorized', ",
        ),
        (
            {"id": 1, "op": "write_attribute", "board": "a", "attribute": "control", "value": "auto\n"},
            "write_attribute: value is 'auto\\n'; wanted 'auto', 'on' or an integer",
        ),
    ],
)
def test_a_refusal_names_field_value_and_choices(message: dict[str, Any], words: str) -> None:
    """A wrong message is refused with the field, the value and what would be right."""
    with pytest.raises(protocol.ProtocolError) as refused:
        protocol.parse_request(json.dumps(message).encode())
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"[1]", "wanted a JSON object"),
        (b'{"id":1,"id":2}', "a key occurs twice"),
        (b'{"id":NaN}', "NaN is not JSON"),
        (b"[" * 60_000, "not JSON"),
        (b'{"id":' + b"9" * 5000 + b"}", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b" " * (protocol.MESSAGE_LIMIT + 1), "longer than the limit of 65536 bytes"),
    ],
)
def test_what_is_no_message_is_refused(data: bytes, words: str) -> None:
    """Bytes that are no message at all are refused with the reason."""
    with pytest.raises(protocol.ProtocolError) as refused:
        protocol.parse_request(data)
    assert words in str(refused.value)


def test_a_refused_request_keeps_its_id() -> None:
    """The id of a request whose fields are wrong is known, so that its caller gets the answer."""
    with pytest.raises(protocol.ProtocolError) as refused:
        protocol.parse_request(b'{"id":41,"op":"follow"}')
    assert refused.value.request_id == 41


def test_an_overlong_message_cannot_be_packed() -> None:
    """A message over 64 KiB is an error of whoever packs it."""
    with pytest.raises(protocol.ProtocolError, match="the limit is 65536"):
        protocol.pack({"id": "x" * protocol.MESSAGE_LIMIT})
