import tracemalloc
from typing import get_type_hints

import pytest

from hil.errors import WireError
from hil.expect import predicates
from hil.timeline import events
from hil.timeline.events import ANY, REGISTRY, Carrier, DhcpAck, Event, HttpReply, SerialLine, Uevent, own_fields
from hil.timeline.journal import JournalReader, decode, encode, encode_lines, read_journal

STAMP = {"t_ns": 1200, "t_err_ns": 50, "board": "s3-a", "source": "packet"}
ACK = DhcpAck(address="192.168.7.2", server="", lease_s=3600, xid=1, client_mac="02:00", sender="board", **STAMP)
LINE = (
    '{"event":"DhcpAck","address":"192.168.7.2","server":"","lease_s":3600,"xid":1,"client_mac":"02:00",'
    '"sender":"board","t_ns":1200,"t_err_ns":50,"board":"s3-a","source":"packet"}'
)
VALUES = {int: 7, str: "text\n\u2028ü\ud800", bool: True, float: 0.5, dict[str, str]: {"SEQNUM": "4"}}


def _filled(kind: type[Event]) -> Event:
    hints = get_type_hints(kind)
    return kind(**{name: VALUES[hints[name]] for name in own_fields(kind)}, **STAMP)


def test_an_event_is_one_line_with_its_name_first():
    """The text form starts with the event's name, goes on with its own fields and ends with the stamp."""
    assert encode(ACK) == LINE


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_every_event_class_survives_the_journal(name):
    """Writing and reading any event gives an equal event, whatever its text holds."""
    event = _filled(REGISTRY[name])
    line = encode(event)
    assert decode(line) == event
    assert "\n" not in line
    assert line.isascii()


def test_unset_fields_are_left_out_and_stay_unset():
    """A field that the source did not know is not in the text and is ANY again when read."""
    line = encode(HttpReply("/status", 200, **STAMP))
    assert "body" not in line
    assert decode(line).body is ANY


def test_a_whole_number_is_read_where_a_float_is_due():
    """Other writers print 1.0 as 1."""
    line = encode(HttpReply("/", 200, took_s=1.5, **STAMP)).replace("1.5", "1")
    assert decode(line).took_s == 1


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "line 3: not JSON: Expecting property name"),
        ("[1]", "line 3: wanted a JSON object, got '.1.'"),
        ('{"event":"DhcpAkc"}', "line 3: event is 'DhcpAkc'; known: .*DhcpAck, .*UsbAttached"),
        ('{"event":7}', "line 3: event is 7; known: "),
        (LINE.replace('"xid"', '"xyd"'), "line 3: DhcpAck has no field 'xyd'; known: t_ns, .*, xid, "),
        (LINE.replace('"lease_s":3600', '"lease_s":"3600"'), "line 3: DhcpAck.lease_s is '3600'; wanted: int"),
        (LINE.replace('"lease_s":3600', '"lease_s":true'), "line 3: DhcpAck.lease_s is True; wanted: int"),
        (LINE.replace('"t_err_ns":50', '"t_err_ns":-1'), "line 3: DhcpAck.t_err_ns is -1 at t_ns 1200"),
        (LINE.replace('"t_ns":1200,', ""), "line 3: DhcpAck.t_ns is missing; needed: t_ns, t_err_ns, board, source"),
    ],
)
def test_a_line_that_is_no_event_is_refused_by_number_and_name(line, message):
    """The message names the line, the event or field, and what is known."""
    with pytest.raises(WireError, match=message):
        decode(line, 3)


def test_an_event_without_a_stamp_cannot_be_written():
    """A recorded event says when, where and through which channel."""
    with pytest.raises(WireError, match=r"Carrier\.t_ns is unset; a recorded event has all of: t_ns"):
        encode(Carrier(up=True))


@pytest.mark.parametrize("value", [predicates.one_of(1, 2), float("nan"), float("inf")])
def test_what_has_no_text_is_refused(value):
    """A pattern is no event, and JSON has no infinity."""
    with pytest.raises(WireError, match="CaptureGap has no text"):
        encode(events.CaptureGap("serial", "queue full", value, **STAMP))


def test_a_cut_last_line_stays_for_later():
    """What stands behind the last newline is handed back, even if it happens to be whole."""
    assert read_journal(LINE + "\n" + LINE[:40]) == ([ACK], LINE[:40])
    assert read_journal(LINE) == ([], LINE)
    assert read_journal("") == ([], "")


def test_a_growing_journal_reads_the_same_in_any_portions():
    """Wherever the reader is interrupted, rest plus the next portion give all events once."""
    text = (encode(ACK) + "\n" + encode(SerialLine("a\x85b\r", 0, 4, True, **STAMP)) + "\n") * 3
    whole, _ = read_journal(text)
    for cut in range(len(text)):
        first, rest = read_journal(text[:cut])
        second, end = read_journal(rest + text[cut:], len(first) + 1)
        assert (first + second, end) == (whole, "")


def test_a_bad_line_inside_a_journal_is_named_by_its_number():
    """Only the last line may be cut; damage elsewhere is an error."""
    with pytest.raises(WireError, match="line 12: not JSON"):
        read_journal(LINE + "\n" + LINE[:40] + "\n" + LINE + "\n", first_number=11)


def test_properties_are_kept_as_a_mapping():
    """A uevent's properties come back as they were."""
    event = Uevent("add", "tty", "/devices/x", {"MAJOR": "166"}, **STAMP)
    assert decode(encode(event)).properties == {"MAJOR": "166"}


def test_a_mapping_of_anything_but_text_is_refused():
    """The message names the field."""
    line = encode(Uevent("add", "tty", "/devices/x", {"MAJOR": "166"}, **STAMP)).replace('"166"', "166")
    with pytest.raises(WireError, match=r"line 2: Uevent\.properties is \{'MAJOR': 166\}; wanted: dict"):
        decode(line, 2)


@pytest.mark.parametrize("text", ["plain", "null", '":null', "ü\u2028", "half \ud800", "\x00\x1b[0m\x7f"])
def test_many_are_written_as_each_alone_is(text):
    """A batch has the same bytes whatever its texts hold, and none that is not ASCII."""
    batch = [SerialLine(text, 0, 4, True, **STAMP), ACK]
    lines = encode_lines(batch)
    assert lines.decode("ascii") == "".join(f"{encode(event)}\n" for event in batch)
    assert JournalReader().feed(lines) == batch


def test_a_batch_with_what_has_no_text_is_refused():
    """As alone."""
    with pytest.raises(WireError, match="CaptureGap has no text"):
        encode_lines([ACK, events.CaptureGap("serial", "queue full", float("nan"), **STAMP)])


def test_a_reader_names_a_bad_line_each_time_it_is_asked():
    """What follows it is not read as if nothing had been."""
    reader = JournalReader()
    assert reader.feed(f"{LINE}\n".encode()) == [ACK]
    for portion in (b"nonsense\n", f"{LINE}\n".encode()):
        with pytest.raises(WireError, match=r"line 2: not JSON: .* it begins 'nonsense'"):
            reader.feed(portion)


def test_an_event_class_made_later_is_read_too():
    """A test may have events of its own."""
    kind = type("Later", (Event,), {"__annotations__": {"x": int}, "x": ANY}, frozen=True)
    try:
        assert decode(encode(kind(7, **STAMP))) == kind(7, **STAMP)
    finally:
        del REGISTRY["Later"]


def test_a_million_events_fit_into_half_a_gigabyte():
    """Of memory a log line takes 500 bytes at most, its own text of 60 included."""
    text = "I (123456) wifi: a line of the length that most lines have."
    lines = b"".join(
        encode_lines([SerialLine(text, 60 * at, 62, True, **{**STAMP, "t_ns": 10**12 + at})]) for at in range(2000)
    )
    tracemalloc.start()
    found = JournalReader().feed(lines)
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(found) == 2000
    assert used / len(found) <= 500
