"""The second witness: what the board says it did, and what follows from its silence."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hil.agent.replies import ConnectFailed, Done
from hil.bench import Board
from hil.clock import now_ns, to_ns
from hil.device.usb_board import UsbBoard
from hil.device.witness import Witness
from hil.errors import BoardFailure, BoardMute
from hil.profiles import Profile, load
from hil.profiles.claims import Sequence
from hil.testing.fake_agent import PATH, FakeAgent
from hil.testing.fake_capture import FakeCapture
from hil.testing.fake_clock import FakeClock
from hil.testing.fake_power import FakePower
from hil.testing.scripted_http import ScriptedHttp, event_log, reply, version
from hil.timeline.events import BoardSaid, Event, HttpFailed, SerialLine, SerialOpened

UPTIME_MS = 60_000
REFERENCE = load("reference")


class Bench:
    """A board whose answers are scripted; its clock is 60 s old when it is asked."""

    def __init__(self, directory: Path, http: ScriptedHttp, profile: Profile = REFERENCE, fallback: str = "") -> None:
        clock = FakeClock(now_ns())
        self.began = Done(clock.now_ns(), 0)
        self.capture = FakeCapture(directory, clock)
        self.agent = FakeAgent(self.capture)
        self.witness = Witness(self.capture, clock)
        self.http = http
        self.skipped: list[str] = []
        spec = Board("s3-a", PATH, fallback=fallback, fallback_namespace="lan")
        power = FakePower(self.agent)
        self.board = UsbBoard(spec, profile, self.agent, power, self.witness, self.capture, clock)
        self.board.on_skipped_check = self.skipped.append

    def answers(self, *replies: bytes) -> None:
        """What the next exchanges bring, in order."""
        self.agent.answers += [self.http.says(data) for data in replies]

    def ago(self, seconds: float) -> Done:
        """An instant before the bench was made."""
        return Done(self.began.t_ns - to_ns(seconds), 0)

    def said(self, name: str, board: str = "s3-a", via: str = "serial") -> Event:
        """The board's log says so now."""
        return self.capture.record(BoardSaid(name, "", 1, via, board=board, source="serial"))


@pytest.fixture
def http() -> Iterator[ScriptedHttp]:
    """Far ends of connections."""
    with ScriptedHttp() as made:
        yield made


@pytest.fixture
def bench(tmp_path: Path, http: ScriptedHttp) -> Iterator[Bench]:
    """A board of the reference profile, without a fallback."""
    made = Bench(tmp_path, http)
    yield made
    made.witness.close()


def misled(name: str) -> Profile:
    """The reference, with one claim that misleads."""
    claims = tuple(
        replace(claim, says="a frame was queued", misleads="set before it is sent", source="main.c")
        if claim.name == name
        else claim
        for claim in REFERENCE.claims
    )
    return replace(REFERENCE, claims=claims)


def other(tmp_path: Path, http: ScriptedHttp, profile: Profile) -> Bench:
    """A board of another profile."""
    return Bench(tmp_path, http, profile)


# ---- reading the log ----------------------------------------------------------------------------


def test_entries_get_the_hosts_time(bench: Bench) -> None:
    """An entry of ten seconds ago is dated ten seconds ago, within the exchange, and recorded."""
    bench.answers(version(UPTIME_MS), event_log("[ 50000 ms] USB_MOUNTED", "[ 55000 ms] FIRST_RX: arp"))
    mounted, received = bench.board.events()
    assert abs(mounted.t_ns - bench.ago(10.0).t_ns) < mounted.t_err_ns + to_ns(1.0)
    assert abs(received.t_ns - mounted.t_ns - to_ns(5.0)) < to_ns(0.01)
    assert mounted.t_err_ns < to_ns(1.0)
    assert (received.name, received.detail, received.board_ms, received.via) == ("FIRST_RX", "arp", 55000, "events")
    bench.witness.refresh()
    assert bench.witness.timeline.of(BoardSaid()) == [mounted, received]


def test_entries_of_a_firmware_without_uptime_are_dated_by_the_run(bench: Bench) -> None:
    """They happened before they were read; nothing earlier than the run is claimed to be known."""
    bench.said("USB_MOUNTED")
    bench.answers(version("unknown"), event_log("[ 50000 ms] FIRST_RX"))
    (said,) = bench.board.events()
    assert said.t_ns - said.t_err_ns <= bench.began.t_ns
    assert said.t_ns + said.t_err_ns <= now_ns()


@pytest.mark.parametrize(
    "body", [b"", b"not a log", b"=== CRITICAL EVENTS (1 recorded) ===\n[ 1 ms] A", b"\xff\xfe", b"[" * 2000]
)
def test_an_answer_that_is_no_log_is_the_boards_failure(bench: Bench, body: bytes) -> None:
    """Cut, empty, not UTF-8, something else: the message has path, status and what is wrong."""
    bench.answers(version(UPTIME_MS), reply(body, 500))
    with pytest.raises(BoardFailure, match=r"s3-a: GET /events is not an event log \(status 500\): /events"):
        bench.board.events()


def test_a_mute_board_says_why(bench: Bench) -> None:
    """The reason is the connection's."""
    bench.agent.answers += [ConnectFailed("refused", "no"), ConnectFailed("refused", "192.168.7.1:80: no")]
    with pytest.raises(BoardMute, match=r"s3-a: GET /events: refused after 0\.0.* 192\.168\.7\.1:80: no"):
        bench.board.events()


# ---- demanding claims ---------------------------------------------------------------------------


def test_a_claim_in_the_log_is_enough(bench: Bench) -> None:
    """It was made since then, by the board's clock on the host's time."""
    bench.answers(version(UPTIME_MS), event_log("[ 50000 ms] USB_MOUNTED"))
    bench.board.claims("USB_MOUNTED", since=bench.ago(20.0))
    assert bench.skipped == []


def waited(bench: Bench, name: str) -> None:
    """A claim of the board's 663rd ms, which its port handed over ten seconds ago, when it was opened."""
    opened_ns = bench.ago(10.0).t_ns
    there = {"board": "s3-a", "source": "serial"}
    bench.capture.record(SerialOpened("/dev/ttyACM0", True, t_ns=opened_ns, t_err_ns=0, **there))
    bench.capture.record(SerialLine("I (663) x: y", 0, 1, True, t_ns=opened_ns, t_err_ns=0, **there))
    middle_ns = (bench.ago(60.0).t_ns + opened_ns) // 2
    bench.capture.record(BoardSaid(name, "", 663, "serial", t_ns=middle_ns, t_err_ns=opened_ns - middle_ns, **there))


def test_a_claim_that_waited_for_its_port_may_have_been_made_before(bench: Bench) -> None:
    """It came after the action; it is left open, with how well its time is known."""
    waited(bench, "FIRST_RX")
    bench.answers(version(UPTIME_MS), event_log("[ 1 ms] BOOT"))
    bench.board.claims("FIRST_RX", since=bench.ago(20.0))
    assert bench.skipped == ["FIRST_RX: its time is known to ±25.0 s only"]


def test_lines_that_came_later_tell_that_it_was_made_before(bench: Bench) -> None:
    """The board runs for 50 s when they come; so it was made a minute ago, and not since the action."""
    waited(bench, "FIRST_RX")
    for since_s in (8.0, 7.0):
        stamp = {"t_ns": bench.ago(since_s).t_ns, "t_err_ns": 0, "board": "s3-a", "source": "serial"}
        bench.capture.record(SerialLine(f"I ({round(60 - since_s) * 1000}) x: y", 20, 1, True, **stamp))
    bench.answers(version(UPTIME_MS), event_log("[ 1 ms] BOOT"))
    with pytest.raises(BoardFailure, match="board s3-a does not say FIRST_RX since then"):
        bench.board.claims("FIRST_RX", since=bench.ago(20.0))


def test_a_claim_that_is_not_written_down_yet_is_enough(bench: Bench) -> None:
    """What the log said is waited for, however busy the capture process is."""
    bench.capture.busy = True
    bench.answers(version(UPTIME_MS), event_log("[ 50000 ms] DHCP_ACK_TX"))
    bench.board.claims("DHCP_ACK_TX", since=bench.ago(20.0))
    assert bench.skipped == []


def test_a_claim_of_before_is_not_enough(bench: Bench) -> None:
    """The message lists what was said instead, once each, and nothing of other boards or of before."""
    bench.said("NCM_LINK_UP", board="s3-b")
    bench.answers(
        version(UPTIME_MS), event_log("[ 30000 ms] USB_MOUNTED", "[ 55000 ms] FIRST_RX", "[ 56000 ms] FIRST_RX")
    )
    with pytest.raises(BoardFailure, match=r"^board s3-a does not say USB_MOUNTED since then; it says FIRST_RX$"):
        bench.board.claims("USB_MOUNTED", "FIRST_RX", since=bench.ago(20.0))


def test_a_board_that_says_nothing_is_told_so(bench: Bench) -> None:
    """Every claim that is missing is named."""
    bench.answers(version(UPTIME_MS), event_log())
    with pytest.raises(BoardFailure, match="does not say USB_MOUNTED, FIRST_RX since then; it says nothing at all"):
        bench.board.claims("USB_MOUNTED", "FIRST_RX", since=bench.began)


def test_a_claim_on_the_serial_log_counts_too(bench: Bench) -> None:
    """The log over HTTP does not have it, the log line came meanwhile."""
    bench.answers(version(UPTIME_MS), event_log())
    bench.capture.after(0.5, lambda: bench.said("USB_RECOVER"))
    bench.board.claims("USB_RECOVER", since=bench.began)


def test_a_claim_that_may_have_been_made_since_then_counts(bench: Bench) -> None:
    """Too close to call is not the board's failure."""
    early = BoardSaid("USB_MOUNTED", "", 1, "serial", board="s3-a", t_ns=bench.began.t_ns - 5, t_err_ns=5)
    bench.capture.record(early)
    bench.answers(version(UPTIME_MS), event_log())
    bench.board.claims("USB_MOUNTED", since=bench.began)


def test_a_full_log_is_a_skipped_check(bench: Bench) -> None:
    """The board may have said it and thrown it away; what is there still counts."""
    bench.answers(version(UPTIME_MS), event_log("[ 50000 ms] USB_MOUNTED", discarded=3))
    bench.board.claims("USB_MOUNTED", "FIRST_RX", since=bench.ago(20.0))
    assert bench.skipped == ["FIRST_RX: the board's event log is full"]


def test_a_claim_that_the_profile_cannot_make_is_a_skipped_check(tmp_path: Path, http: ScriptedHttp) -> None:
    """A board about which nothing is known is not even asked."""
    bench = other(tmp_path, http, load("generic"))
    bench.board.claims("USB_MOUNTED", "FIRST_RX", since=bench.began)
    assert bench.skipped == [
        "USB_MOUNTED: profile generic does not claim it",
        "FIRST_RX: profile generic does not claim it",
    ]
    assert bench.agent.calls == []


def test_a_misleading_claim_is_demanded_for_what_it_says(tmp_path: Path, http: ScriptedHttp) -> None:
    """What it does not prove is a skipped check, by its name and with the profile's reason."""
    bench = other(tmp_path, http, misled("FIRST_TX"))
    bench.answers(version(UPTIME_MS), event_log("[ 50000 ms] USB_MOUNTED", "[ 51000 ms] FIRST_TX"))
    bench.board.claims("FIRST_TX", "USB_MOUNTED", since=bench.ago(20.0))
    assert bench.skipped == ["FIRST_TX: it says no more than that a frame was queued; set before it is sent (main.c)"]
    bench.answers(version(UPTIME_MS), event_log("[ 57000 ms] USB_MOUNTED"))
    with pytest.raises(BoardFailure, match="does not say FIRST_TX since then; it says USB_MOUNTED"):
        bench.board.claims("FIRST_TX", "USB_MOUNTED", since=bench.ago(5.0))
    bench.witness.close()


def test_what_is_never_said_is_a_skipped_check(tmp_path: Path, http: ScriptedHttp) -> None:
    """The board is not even asked."""
    bench = other(tmp_path, http, load("mcu-apple-bridge"))
    bench.board.claims("DHCP_ACK_TX", since=bench.began)
    assert bench.skipped == [
        "DHCP_ACK_TX: the firmware never says it: declared in event_log.h, recorded nowhere "
        "(network_setup.c, event_log.h)"
    ]
    assert bench.agent.calls == []
    bench.witness.close()


def test_one_claim_that_lies_costs_that_claim_alone(bench: Bench) -> None:
    """The others are judged, and what is open is told although the test fails."""
    lines = ("[ 50000ms] NCM_LINK_UP", "[ 51000 ms] FIRST_RX", "[ 99999 ms] FIRST_TX", "[   485 ms] NETIF_READY")
    bench.answers(version(UPTIME_MS), event_log(*lines))
    with pytest.raises(BoardFailure) as caught:
        bench.board.claims("NCM_LINK_UP", "FIRST_RX", "FIRST_TX", "USB_MOUNTED", "NETIF_READY", since=bench.ago(20.0))
    assert str(caught.value) == (
        "board s3-a does not say USB_MOUNTED since then; it says FIRST_RX; "
        "board s3-a contradicts itself on NCM_LINK_UP: "
        "line 3: '[ 50000ms] NCM_LINK_UP', expected '[   663 ms] NAME: detail'; "
        "board s3-a contradicts itself on FIRST_TX: stamped 99999 ms, which is still to come"
    )
    assert bench.skipped == ["NETIF_READY: it is said once in each boot, in this one at 485 ms of the board's time"]


def test_a_claim_that_lies_costs_nothing_where_nobody_asks_for_it(bench: Bench) -> None:
    """The others pass."""
    bench.answers(version(UPTIME_MS), event_log("[ 50000ms] NCM_LINK_UP", "[ 51000 ms] FIRST_RX"))
    bench.board.claims("FIRST_RX", since=bench.ago(20.0))
    assert bench.skipped == []


def test_a_claim_that_only_the_event_log_can_make_is_not_waited_for(bench: Bench) -> None:
    """It was read; no line of the serial log will bring it."""
    bench.answers(version(UPTIME_MS), event_log())
    with pytest.raises(BoardFailure, match="does not say DHCP_ACK_TX"):
        bench.board.claims("DHCP_ACK_TX", since=bench.began)
    assert bench.capture.waits == 0


# ---- order ----------------------------------------------------------------------------------------

CONNECT = (
    "[   100 ms] BOOT: POWERON",
    "[   480 ms] DHCP_SERVER_STARTED",
    "[   485 ms] NETIF_READY",
    "[   420 ms] USB_MOUNTED",
    "[   921 ms] NCM_LINK_UP: stack_ready_kick_up",
    "[   974 ms] FIRST_RX",
    "[   976 ms] DHCP_DISCOVER_RX",
    "[   979 ms] FIRST_TX",
    "[   979 ms] DHCP_OFFER_TX",
    "[  1979 ms] DHCP_REQUEST_RX",
    "[  1981 ms] DHCP_ACK_TX",
    "[  1981 ms] DHCP_ASSIGNED: 192.168.7.2",
)


def test_a_board_that_keeps_its_order_passes(bench: Bench) -> None:
    """Two of one millisecond are in order, and nothing is asked of two that different tasks say."""
    bench.answers(version(UPTIME_MS), event_log(*CONNECT))
    bench.board.claims_in_order("connect", since=bench.ago(65.0))
    assert bench.skipped == []


def test_a_board_that_breaks_its_order_is_told_where(bench: Bench) -> None:
    """By the board's own time, which is finer than the host's."""
    lines = [line.replace("1981 ms] DHCP_ACK_TX", "1978 ms] DHCP_ACK_TX") for line in CONNECT]
    bench.answers(version(UPTIME_MS), event_log(*lines))
    with pytest.raises(BoardFailure) as caught:
        bench.board.claims_in_order("connect", since=bench.ago(65.0))
    assert str(caught.value) == (
        "board s3-a says DHCP_ACK_TX only before DHCP_REQUEST_RX: at 1978 ms and at 1979 ms of the board's time"
    )


def test_an_order_is_judged_across_witnesses_in_the_hosts_time(tmp_path: Path, http: ScriptedHttp) -> None:
    """The serial log says the one, the event log the other."""
    up = Sequence("up", (("USB_MOUNTED", "FIRST_RX"),), "main.c")
    bench = other(tmp_path, http, replace(REFERENCE, sequences=(up,)))
    bench.said("USB_MOUNTED")
    bench.answers(version(UPTIME_MS), event_log("[ 50000 ms] FIRST_RX"))
    with pytest.raises(
        BoardFailure, match=r"says FIRST_RX only before USB_MOUNTED: (9\.9|10\.0)\d+ s earlier by the host's"
    ):
        bench.board.claims_in_order("up", since=bench.ago(20.0))
    bench.witness.close()


def test_a_claim_that_stays_open_is_left_out_of_the_order(bench: Bench) -> None:
    """A replug that was no reboot has no NETIF_READY; the rest of the chain is judged."""
    lines = ["[   485 ms] NETIF_READY", *CONNECT[3:]]
    late = [line.replace("[  ", "[ 5").replace("[ 5 ", "[ 50") for line in lines[1:]]
    bench.answers(version(UPTIME_MS), event_log(lines[0], "[    99 ms] BOOT", "[   480 ms] DHCP_SERVER_STARTED", *late))
    bench.board.claims_in_order("connect", since=bench.ago(20.0))
    assert [text.split(":")[0] for text in bench.skipped] == ["BOOT", "DHCP_SERVER_STARTED", "NETIF_READY"]


def test_a_claim_that_is_missing_from_the_order_is_a_failure(bench: Bench) -> None:
    """As if it had been demanded alone."""
    bench.answers(version(UPTIME_MS), event_log(*[line for line in CONNECT if "ASSIGNED" not in line]))
    with pytest.raises(BoardFailure, match="does not say DHCP_ASSIGNED since then"):
        bench.board.claims_in_order("connect", since=bench.ago(65.0))


@pytest.mark.parametrize("profile", ["generic", "reference"])
def test_an_order_that_the_profile_does_not_know_is_a_skipped_check(
    tmp_path: Path, http: ScriptedHttp, profile: str
) -> None:
    """By its name; the board is not asked."""
    bench = other(tmp_path, http, load(profile))
    bench.board.claims_in_order("sleep", since=bench.began)
    assert bench.skipped == [f"sequence sleep: profile {profile} makes no such claim"]
    assert bench.agent.calls == []
    bench.witness.close()


# ---- no host time -----------------------------------------------------------------------------------


def test_a_log_without_host_time_proves_nothing(bench: Bench) -> None:
    """An entry of a firmware that does not tell its uptime may be of before: the check is skipped by name."""
    bench.answers(version("?"), event_log("[ 50000 ms] USB_MOUNTED"))
    bench.board.claims("USB_MOUNTED", since=bench.began)
    assert bench.skipped == [
        "USB_MOUNTED: profile reference got no uptime from http.version; the board's event log has no host time"
    ]


def test_a_log_without_host_time_that_lacks_the_claim_is_a_failure(bench: Bench) -> None:
    """Whenever it was written, it is not there."""
    bench.answers(version("?"), event_log())
    with pytest.raises(BoardFailure, match="does not say USB_MOUNTED"):
        bench.board.claims("USB_MOUNTED", since=bench.began)


# ---- after a failure ----------------------------------------------------------------------------


def test_gathering_uses_the_fallback_alone(tmp_path: Path, http: ScriptedHttp) -> None:
    """Over USB the question would disturb what failed."""
    bench = Bench(tmp_path, http, fallback="192.0.2.7")
    bench.answers(version(UPTIME_MS), event_log("[ 50000 ms] USB_MOUNTED"))
    bench.board.gather()
    assert {call[1] for call in bench.agent.calls} == {"lan"}
    assert bench.witness.find(BoardSaid("USB_MOUNTED"), 0, 0.0)
    bench.witness.close()


def test_gathering_without_a_fallback_asks_nothing(bench: Bench) -> None:
    """There is no way that disturbs nothing."""
    bench.board.gather()
    assert bench.agent.calls == []


def test_gathering_from_a_dead_board_is_no_error(tmp_path: Path, http: ScriptedHttp) -> None:
    """The attempt is in the timeline with its reason."""
    bench = Bench(tmp_path, http, fallback="192.0.2.7")
    bench.agent.answers += [ConnectFailed("unreachable", "no route")] * 2
    bench.board.gather()
    failed = bench.witness.find(HttpFailed(), 0, 0.0)
    assert isinstance(failed, HttpFailed)
    assert failed.reason == "unreachable"
    bench.witness.close()
