"""Reading a board's event log: what is recorded, how it is dated, what it may lack."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hil.bench import Board
from hil.clock import now_ns, to_ns
from hil.device.actions import Actions
from hil.device.eventlog import EventLogReader, form_of
from hil.device.readings import Readings
from hil.device.witness import Witness
from hil.errors import BoardFailure, BoardMute
from hil.profiles import Profile, load
from hil.profiles.claims import Claim
from hil.profiles.http import Http
from hil.profiles.network import Network
from hil.profiles.witnesses import EventLog, Flags
from hil.testing.fake_agent import PATH, FakeAgent
from hil.testing.fake_capture import FakeCapture
from hil.testing.fake_clock import FakeClock
from hil.testing.scripted_http import ScriptedHttp, event_log, reply, version
from hil.timeline.events import Acted, BoardSaid, HttpReply, SerialLine
from hil.wire.board_status import KNOWN

UPTIME_MS = 60_000
REFERENCE = load("reference")
BRIDGE = load("mcu-apple-bridge")
MINE = Profile(
    "mine",
    claims=(Claim("USB_MOUNTED", "usb-up"), Claim("FIRST_RX", "rx")),
    http=Http(events="/log", status="/flags"),
    events=EventLog(entry=r"(?P<ms>\d+) (?P<name>[\w-]+)", when_full="never"),
    flags=Flags(("usb-up",)),
    network=Network(address="192.168.7.1"),
)


class Asked:
    """A board whose answers are scripted, and all that is recorded."""

    def __init__(self, directory: Path, http: ScriptedHttp, profile: Profile) -> None:
        clock = FakeClock(now_ns())
        self.began_ns = clock.now_ns()
        self.capture = FakeCapture(directory, clock)
        self.agent = FakeAgent(self.capture)
        self.witness = Witness(self.capture, clock)
        self._http = http
        spec = Board("s3-a", PATH)
        readings = Readings(spec, profile, self.agent, Actions("s3-a", self.capture.record))
        self.reader = EventLogReader(spec, profile, self.witness, readings)

    def answers(self, *replies: bytes) -> None:
        """What the next exchanges bring, in order."""
        self.agent.answers += [self._http.says(data) for data in replies]

    def recorded(self) -> list[BoardSaid]:
        """Every claim in the timeline."""
        self.witness.refresh()
        return [event for event in self.witness.timeline if isinstance(event, BoardSaid)]


@pytest.fixture
def http() -> Iterator[ScriptedHttp]:
    """Far ends of connections."""
    with ScriptedHttp() as made:
        yield made


@pytest.fixture
def reference(tmp_path: Path, http: ScriptedHttp) -> Iterator[Asked]:
    """A firmware that tells its uptime."""
    made = Asked(tmp_path, http, REFERENCE)
    yield made
    made.witness.close()


@pytest.fixture
def bridge(tmp_path: Path, http: ScriptedHttp) -> Iterator[Asked]:
    """A firmware that does not."""
    made = Asked(tmp_path, http, BRIDGE)
    yield made
    made.witness.close()


def test_an_entry_is_recorded_with_the_hosts_time(reference: Asked) -> None:
    """By the uptime that the board told just before."""
    reference.answers(version(UPTIME_MS), event_log("[ 50000 ms] USB_MOUNTED"))
    log = reference.reader.read()
    assert list(log.said) == reference.recorded()
    (said,) = log.said
    assert abs(said.t_ns - reference.began_ns + to_ns(10.0)) < to_ns(1.0)
    assert (said.via, said.source, said.board_ms) == ("events", "http", 50_000)
    assert (log.undated, log.full, log.unsure, log.garbled) == (False, False, "", ())
    assert log.born_ns == pytest.approx(reference.began_ns - to_ns(60.0), abs=to_ns(1.0))


def test_a_line_that_lies_is_not_recorded(reference: Asked) -> None:
    """Neither one of no form nor one that is still to come; the others are."""
    lines = ("[ 50000ms] NCM_LINK_UP", "[ 50000 ms] USB_MOUNTED", "[ 99999 ms] FIRST_RX")
    reference.answers(version(UPTIME_MS), event_log(*lines))
    log = reference.reader.read()
    assert [said.name for said in reference.recorded()] == ["USB_MOUNTED"]
    assert log.impossible == {"FIRST_RX": "stamped 99999 ms, which is still to come"}
    assert [each.text for each in log.garbled] == ["[ 50000ms] NCM_LINK_UP"]


def test_without_any_evidence_entries_are_dated_by_the_run(bridge: Asked) -> None:
    """They happened before they were read; nothing earlier than the run is claimed to be known."""
    bridge.capture.record(HttpReply("/", 200, "GET", "", "", 0.0, board="s3-a", source="http"))
    bridge.answers(event_log("[   663 ms] USB_MOUNTED"))
    log = bridge.reader.read()
    assert (log.undated, log.born_ns) == (True, None)
    (said,) = log.said
    assert said.t_ns - said.t_err_ns <= bridge.began_ns
    assert said.t_ns + said.t_err_ns <= now_ns()


def test_a_plug_dates_the_entries_of_a_firmware_without_uptime(bridge: Asked) -> None:
    """The board had no supply before."""
    plugged_ns = bridge.began_ns - to_ns(5.0)
    stamp = {"t_ns": plugged_ns, "t_err_ns": 0, "board": "s3-a", "source": "action"}
    bridge.capture.record(Acted("plug", "vbus_off", "", **stamp))
    bridge.answers(event_log("[   663 ms] USB_MOUNTED"))
    log = bridge.reader.read()
    (said,) = log.said
    assert not log.undated
    assert said.t_ns - said.t_err_ns >= plugged_ns + to_ns(0.6)
    assert log.born_ns == pytest.approx(plugged_ns, abs=to_ns(0.02))


def test_its_log_dates_them_too(bridge: Asked) -> None:
    """A line was heard a second ago that it stamped a second later than the entry."""
    stamp = {"t_ns": bridge.began_ns - to_ns(1.0), "t_err_ns": 0, "board": "s3-a", "source": "serial"}
    bridge.capture.record(SerialLine("W (1660) net: *** USB RESUMED ***", 0, 30, True, **stamp))
    bridge.answers(event_log("[   660 ms] USB_MOUNTED"))
    (said,) = bridge.reader.read().said
    assert said.t_ns + said.t_err_ns >= bridge.began_ns - to_ns(2.0) >= said.t_ns - said.t_err_ns
    assert said.t_err_ns < to_ns(1.5)


def test_a_log_that_says_that_it_lost_something_is_full(reference: Asked) -> None:
    """However few it shows; one that would say so and does not is not, however many."""
    reference.answers(version(UPTIME_MS), event_log("[ 50000 ms] USB_MOUNTED", discarded=3))
    assert reference.reader.read().full
    reference.answers(version(UPTIME_MS), event_log(*["[ 50000 ms] USB_MOUNTED"] * 128))
    assert not reference.reader.read().full


@pytest.mark.parametrize(("entries", "full"), [(29, False), (30, True)])
def test_a_log_that_would_not_say_so_is_full_at_its_capacity(bridge: Asked, entries: int, full: bool) -> None:
    """The bridge keeps thirty."""
    bridge.answers(event_log(*["[   663 ms] USB_MOUNTED"] * entries))
    assert bridge.reader.read().full is full


def aloud(bench: Asked, name: str, ago_s: float, board_ms: int) -> None:
    """The board's serial log has said so."""
    t_ns = bench.began_ns - to_ns(ago_s)
    said = BoardSaid(name, "", board_ms, "serial", board="s3-a", source="serial", t_ns=t_ns, t_err_ns=0)
    bench.capture.record(said)


def test_a_log_that_stands_still_is_unsure(reference: Asked) -> None:
    """It would say that it is full, and does not; its serial log has gone on."""
    aloud(reference, "USB_SUSPENDED", ago_s=5.0, board_ms=55_000)
    reference.answers(version(UPTIME_MS), event_log("[ 50000 ms] USB_MOUNTED"))
    log = reference.reader.read()
    ends = "the board's event log ends at 50000 ms of its time"
    assert log.unsure == f"{ends}, its serial log says USB_SUSPENDED at 55000 ms"


@pytest.mark.parametrize(
    ("name", "ago_s"),
    [("USB_SUSPENDED", 10.5), ("USB_SUSPENDED", 9.5), ("USB_SUSPENDED", -5.0), ("OF_NO_PROFILE", 5.0)],
    ids=["before its end", "about its end", "after it was asked", "not for the event log"],
)
def test_what_does_not_show_that_a_log_stands_still(reference: Asked, name: str, ago_s: float) -> None:
    """The event log has had no reason to go on."""
    aloud(reference, name, ago_s, board_ms=55_000)
    reference.answers(version(UPTIME_MS), event_log("[ 50000 ms] USB_MOUNTED"))
    assert reference.reader.read().unsure == ""


def test_a_log_that_counts_more_than_it_shows_is_unsure(reference: Asked) -> None:
    """Its header lies, or entries are missing."""
    body = event_log("[ 50000 ms] USB_MOUNTED").replace(b"(1 recorded)", b"(9 recorded)")
    reference.answers(version(UPTIME_MS), body)
    assert reference.reader.read().unsure == "the board's event log counts 9 entries and shows 1"


def test_a_locked_log_is_asked_again(bridge: Asked) -> None:
    """It gives an empty body for as long as it is locked."""
    bridge.answers(reply(b""), event_log("[   663 ms] USB_MOUNTED"))
    assert [said.name for said in bridge.reader.read().said] == ["USB_MOUNTED"]
    bridge.answers(*[reply(b"")] * 3)
    log = bridge.reader.read()
    assert (log.said, log.unsure) == ((), "the board's event log was locked 3 times")


@pytest.mark.parametrize("answer", [reply(b"", 500), reply(b"no log")])
def test_only_an_empty_answer_of_that_kind_means_a_lock(bridge: Asked, answer: bytes) -> None:
    """Anything else is no event log."""
    bridge.answers(answer)
    with pytest.raises(BoardFailure, match="s3-a: GET /events is not an event log"):
        bridge.reader.read()


def test_an_empty_body_of_another_firmware_is_no_log(reference: Asked) -> None:
    """Its profile knows of no lock."""
    reference.answers(version(UPTIME_MS), reply(b""))
    with pytest.raises(BoardFailure, match=r"is not an event log.*the body is empty"):
        reference.reader.read()


def test_flags_come_under_the_claims_names(reference: Asked) -> None:
    """One that the profile does not list says nothing."""
    body = event_log("[ 50000 ms] USB_MOUNTED") + b"\nUSB_MOUNTED: YES\nUSB_RESUMED: NO\nCOLOUR: YES"
    length = len(body.partition(b"\r\n\r\n")[2])
    head, _, text = body.partition(b"\r\n\r\n")
    head = head.rpartition(b"Content-Length: ")[0] + f"Content-Length: {length}".encode()
    reference.answers(version(UPTIME_MS), head + b"\r\n\r\n" + text)
    assert reference.reader.read_all().flags == {"USB_MOUNTED": True, "USB_RESUMED": False}
    assert [call[0] for call in reference.agent.calls] == ["open_tcp_socket"] * 2


def test_a_log_of_the_firmwares_own_form_has_its_flags_elsewhere(tmp_path: Path, http: ScriptedHttp) -> None:
    """Its words become the scenarios' names."""
    asked = Asked(tmp_path, http, MINE)
    asked.answers(reply(b"663 usb-up\n??\n"), reply(b'{"usb-up": true, "RX": 3}'))
    log = asked.reader.read_all()
    assert [said.name for said in log.said] == ["USB_MOUNTED"]
    assert log.flags == {"USB_MOUNTED": True}
    assert [each.text for each in log.garbled] == ["??", "RX"]
    asked.witness.close()


def test_a_firmware_without_an_event_log_has_its_flags_alone(tmp_path: Path, http: ScriptedHttp) -> None:
    """One without either is not asked at all."""
    asked = Asked(tmp_path, http, replace(MINE, http=Http(status="/flags")))
    asked.answers(reply(b'{"usb-up": true}'))
    assert asked.reader.read_all().flags == {"USB_MOUNTED": True}
    asked.answers(reply(b"[]"))
    with pytest.raises(BoardFailure, match="GET /flags is not a status"):
        asked.reader.read_all()
    asked.witness.close()
    mute = Asked(tmp_path, http, load("generic"))
    assert mute.reader.read_all().said == ()
    assert mute.agent.calls == []


def test_a_mute_board_says_why(bridge: Asked) -> None:
    """The reason is the connection's."""
    bridge.agent.answers.append(ConnectionRefusedError(111, "Connection refused"))
    with pytest.raises(BoardMute, match="s3-a: GET /events: refused"):
        bridge.reader.read()


def test_a_profile_without_a_form_has_the_known_one() -> None:
    """That of the reference firmware and of the bridge."""
    assert form_of(REFERENCE) is KNOWN
    assert form_of(MINE).entry.fullmatch("663 usb-up")
    assert form_of(MINE).header is None
