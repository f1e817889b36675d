import pytest

from hil.errors import WireError
from hil.expect import predicates
from hil.timeline import events
from hil.timeline.events import ANY, REGISTRY, Carrier, DhcpAck, Event, HttpReply, SerialLine, Uevent, own_fields
from hil.timeline.journal import decode, encode, read_journal

STAMP = {"t_ns": 1200, "t_err_ns": 50, "board": "s3-a", "source": "packet"}
ACK = DhcpAck(address="192.168.7.2", server="", lease_s=3600, xid=1, client_mac="02:00", sender="board", **STAMP)
LINE = (
    '{"event":"DhcpAck","t_ns":1200,"t_err_ns":50,"board":"s3-a","source":"packet","address":"192.168.7.2",'
    '"server":"","lease_s":3600,"xid":1,"client_mac":"02:00","sender":"board"}'
)
VALUES = {"int": 7, "str": "text\n\u2028ü\ud800", "bool": True, "float": 0.5, "dict[str, str]": {"SEQNUM": "4"}}


def _filled(kind: type[Event]) -> Event:
    hints = {name: str(kind.__dataclass_fields__[name].type) for name in own_fields(kind)}
    found = {name: VALUES.get(hint.removeprefix("<class '").removesuffix("'>")) for name, hint in hints.items()}
    return kind(**found, **STAMP)


def test_an_event_is_one_line_with_its_name_first():
    """The text form starts with the event's name and stamp and goes on with its own fields."""
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


def test_short_texts_are_stored_once():
    """A million events of one board share the texts of its name and addresses."""
    first, second = decode(LINE), decode(LINE)
    assert first.board is second.board
    assert first.source is second.source
    assert first.address is second.address


def test_properties_are_kept_as_a_mapping():
    """A uevent's properties come back as they were."""
    event = Uevent("add", "tty", "/devices/x", {"MAJOR": "166"}, **STAMP)
    assert decode(encode(event)).properties == {"MAJOR": "166"}
