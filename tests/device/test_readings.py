"""Asking a board over HTTP: whatever it answers, and whether it answers at all, is in the timeline with its reason."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hil.agent.replies import ConnectFailed
from hil.bench import Board
from hil.clock import now_ns, to_ns
from hil.device.actions import Actions
from hil.device.readings import BODY_LIMIT, Readings
from hil.errors import AgentError, BoardMute, MisuseError
from hil.profiles import Profile, load
from hil.testing.fake_agent import PATH, FakeAgent
from hil.testing.fake_capture import FakeCapture
from hil.testing.fake_clock import FakeClock
from hil.testing.scripted_http import ScriptedHttp, reply, version
from hil.timeline.events import Acted, ActionFailed, Event, HttpFailed, HttpReply, Started

SHORT_S = 0.2
FALLBACK = Board("s3-a", PATH, fallback="192.0.2.7", fallback_namespace="hil-lan-s3-a")


class Asked:
    """Readings of one board, and all that they record."""

    def __init__(self, directory: Path, spec: Board = FALLBACK, profile: Profile | None = None) -> None:
        self.agent = FakeAgent(FakeCapture(directory, FakeClock()))
        self.events: list[Event] = []
        actions = Actions(spec.name, self._record)
        self.readings = Readings(spec, profile or load("reference"), self.agent, actions, deadline_s=SHORT_S)

    def _record(self, event: Event) -> Event:
        self.events.append(event)
        return event


@pytest.fixture
def asked(tmp_path: Path) -> Asked:
    """A board with a fallback and the reference profile."""
    return Asked(tmp_path)


@pytest.fixture
def http() -> Iterator[ScriptedHttp]:
    """Far ends of connections."""
    with ScriptedHttp() as made:
        yield made


def test_a_reply_is_an_action_with_its_event(asked: Asked, http: ScriptedHttp) -> None:
    """The question is dated before the answer, and both are recorded."""
    asked.agent.answers.append(http.says(reply(b"hello")))
    before_ns = now_ns()
    reading = asked.readings.get("/status")
    started, answer, acted = asked.events
    assert started == Started("http_get", "/status over usb", board="s3-a", source="action")
    assert isinstance(acted, Acted)
    assert (acted.action, acted.sees) == ("http_get", "traffic")
    assert answer == reading.reply
    assert isinstance(answer, HttpReply)
    assert (answer.status, answer.path, answer.body) == (200, "/status", "hello")
    assert reading.answered
    assert reading.body == b"hello"
    assert before_ns <= reading.t_ns <= answer.t_ns


def test_usb_is_asked_at_the_profiles_address_and_the_fallback_from_the_lan(asked: Asked, http: ScriptedHttp) -> None:
    """Each way has its own namespace and address."""
    asked.agent.answers += [http.says(reply(b"")), http.says(reply(b""))]
    asked.readings.get("/status")
    asked.readings.get("/status", "fallback")
    assert asked.agent.calls == [
        ("open_tcp_socket", "s3-a", "192.168.7.1", "80"),
        ("open_tcp_socket", "lan", "192.0.2.7", "80"),
    ]


def test_any_method_is_asked(asked: Asked, http: ScriptedHttp) -> None:
    """The action and the reply are called by it."""
    asked.agent.answers.append(http.says(reply(b"ok")))
    reading = asked.readings.request("POST", "/led/on")
    assert isinstance(reading.reply, HttpReply)
    assert (reading.reply.method, reading.reply.status, reading.body) == ("POST", 200, b"ok")
    assert asked.events[0] == Started("http_post", "/led/on over usb", board="s3-a", source="action")
    asked.agent.answers.append(ConnectFailed("refused", "no"))
    failed = asked.readings.request("PUT", "/led/on").reply
    assert isinstance(failed, HttpFailed)
    assert (failed.method, failed.reason) == ("PUT", "refused")


def test_a_request_may_have_a_deadline_of_its_own(asked: Asked, http: ScriptedHttp) -> None:
    """Shorter than the one that the readings were made with."""
    asked.agent.answers.append(http.silent())
    failed = asked.readings.request("GET", "/status", deadline_s=SHORT_S / 4).reply
    assert isinstance(failed, HttpFailed)
    assert failed.reason == "timeout"
    assert failed.took_s < SHORT_S


@pytest.mark.parametrize("kind", ["refused", "timeout", "unreachable"])
def test_a_connection_that_does_not_come_about_has_the_agents_reason(asked: Asked, kind: str) -> None:
    """What the agent found out is not guessed again."""
    asked.agent.answers.append(ConnectFailed(kind, "192.168.7.1:80: no"))
    failed = asked.readings.get("/status").reply
    assert isinstance(failed, HttpFailed)
    assert failed.reason == kind
    assert "192.168.7.1:80: no" in failed.detail
    assert asked.events[1] == failed


@pytest.mark.parametrize(
    ("error", "reason"), [(TimeoutError("timed out"), "timeout"), (OSError(113, "x"), "unreachable")]
)
def test_a_connection_without_the_agent_has_a_reason_too(asked: Asked, error: OSError, reason: str) -> None:
    """socket.create_connection gives no errno when it times out."""
    asked.agent.answers.append(error)
    failed = asked.readings.get("/status").reply
    assert isinstance(failed, HttpFailed)
    assert failed.reason == reason


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (reply(b"hello")[:-2], "cut"),
        (b"HTTP/1.1 200 OK\r\nContent-Le", "cut"),
        (b"", "cut"),
        (b"\x16\x03\x01 not http\r\n\r\n", "malformed"),
        (reply(b"x" * (BODY_LIMIT + 1)), "too-long"),
    ],
    ids=["body", "head", "nothing", "garbage", "huge"],
)
def test_a_bad_reply_is_a_reading_with_a_reason(asked: Asked, http: ScriptedHttp, data: bytes, reason: str) -> None:
    """Nothing that a board sends raises."""
    asked.agent.answers.append(http.says(data))
    reading = asked.readings.get("/status")
    assert isinstance(reading.reply, HttpFailed)
    assert reading.reply.reason == reason
    assert not reading.answered
    assert reading.body == b""


@pytest.mark.parametrize("drips", [True, False], ids=["a byte now and then", "silence"])
def test_a_slow_board_does_not_outlast_the_deadline(asked: Asked, http: ScriptedHttp, drips: bool) -> None:
    """The deadline counts for the whole exchange."""
    asked.agent.answers.append(http.drips(reply(b"hello" * 100)) if drips else http.silent())
    began_ns = now_ns()
    failed = asked.readings.get("/status").reply
    assert isinstance(failed, HttpFailed)
    assert failed.reason == "timeout"
    assert to_ns(SHORT_S) <= now_ns() - began_ns < to_ns(5.0)


def test_bytes_that_are_not_utf8_are_kept_and_shown_with_replacement(asked: Asked, http: ScriptedHttp) -> None:
    """The body is as it came, the event holds text."""
    asked.agent.answers.append(http.says(reply(b"a\xffb")))
    reading = asked.readings.get("/status")
    assert reading.body == b"a\xffb"
    assert isinstance(reading.reply, HttpReply)
    assert reading.reply.body == "a\ufffdb"


def test_an_agent_that_fails_ends_the_action(asked: Asked) -> None:
    """The harness's error is raised, and the start has its end."""
    asked.agent.alive = False
    with pytest.raises(AgentError):
        asked.readings.get("/status")
    assert [type(event) for event in asked.events] == [Started, ActionFailed]


@pytest.mark.parametrize(
    ("spec", "profile", "over", "message"),
    [
        (
            FALLBACK,
            "reference",
            "wifi",
            "over='wifi' is not known; known: 'usb', 'fallback', an address",
        ),
        (Board("s3-a", PATH), "reference", "fallback", "board s3-a has no fallback in bench.toml"),
        (FALLBACK, "generic", "usb", "profile generic names no network.address"),
    ],
)
def test_a_way_that_is_not_there_is_an_error_of_the_test(
    tmp_path: Path, spec: Board, profile: str, over: str, message: str
) -> None:
    """It is refused before anything is asked."""
    made = Asked(tmp_path, spec, load(profile))
    with pytest.raises(MisuseError, match=message):
        made.readings.get("/status", over)
    assert made.events == []


def test_a_board_that_was_given_an_address_is_asked_there(asked: Asked, http: ScriptedHttp) -> None:
    """In its own namespace, whatever address its profile names."""
    asked.agent.answers.append(http.says(reply(b"hello")))
    assert asked.readings.get("/status", "192.168.7.100").body == b"hello"
    assert ("open_tcp_socket", "s3-a", "192.168.7.100") in [call[:3] for call in asked.agent.calls]


def test_a_path_that_the_profile_does_not_name_is_an_error_of_the_test(tmp_path: Path) -> None:
    """The message names profile, key and board."""
    made = Asked(tmp_path, FALLBACK, load("generic"))
    with pytest.raises(MisuseError, match=r"profile generic names no http\.status; board s3-a cannot be asked"):
        made.readings.path("status")


# ---- the board's clock --------------------------------------------------------------------------


def test_the_uptime_anchors_the_boards_clock(asked: Asked, http: ScriptedHttp) -> None:
    """What the board stamped six seconds before its answer happened six seconds before it, within the exchange."""
    asked.agent.answers.append(http.says(version(10_000)))
    before_ns = now_ns()
    clock = asked.readings.board_clock("usb")
    after_ns = now_ns()
    assert clock is not None
    assert clock.anchored
    t_ns, t_err_ns = clock.to_host(4_000)
    assert before_ns - to_ns(6.0) <= t_ns + t_err_ns
    assert t_ns - t_err_ns <= after_ns - to_ns(6.0)
    assert t_err_ns < after_ns - before_ns + to_ns(0.003)


@pytest.mark.parametrize(
    "answer",
    [
        reply(b'{"uptime_ms": 10000}', 404),
        version("10000"),
        version(-1),
        version(True),
        reply(b"{}"),
        reply(b"no json"),
        reply(b'{"uptime_ms": "\xff"}'),
        reply(b"[" * 100_000),
        b"",
    ],
    ids=["404", "text", "negative", "boolean", "without", "no JSON", "no UTF-8", "deep", "nothing"],
)
def test_an_answer_without_an_uptime_gives_no_clock(asked: Asked, http: ScriptedHttp, answer: bytes) -> None:
    """Nothing is guessed from an answer that tells nothing."""
    asked.agent.answers.append(http.says(answer))
    assert asked.readings.board_clock("usb") is None


def test_a_firmware_without_a_version_path_is_not_asked(tmp_path: Path) -> None:
    """It has no clock that could be read."""
    reference = load("reference")
    made = Asked(tmp_path, FALLBACK, replace(reference, http=replace(reference.http, version="")))
    assert made.readings.board_clock("usb") is None
    assert made.events == []


ONE_TASK = load("mcu-apple-bridge")


def test_a_stream_is_connected_to_the_way_that_was_asked_for(asked: Asked, http: ScriptedHttp) -> None:
    """Over USB from the board's namespace, over the fallback from the LAN's."""
    for over, call in (("usb", ("s3-a", "192.168.7.1")), ("fallback", ("lan", "192.0.2.7"))):
        asked.agent.answers.append(http.silent())
        with asked.readings.streaming(over) as connect, connect():
            assert asked.agent.calls[-1] == ("open_tcp_socket", *call, "80")


def test_a_stream_that_cannot_be_connected_is_the_boards_failure(asked: Asked) -> None:
    """The reason is in the message and in the timeline."""
    asked.agent.answers.append(ConnectFailed("refused", "192.168.7.1:80: no"))
    with (
        pytest.raises(BoardMute, match="board s3-a: GET /logs: refused: "),
        asked.readings.streaming() as connect,
    ):
        connect()
    assert isinstance(asked.events[-1], HttpFailed)
    assert (asked.events[-1].path, asked.events[-1].reason) == ("/logs", "refused")


def test_the_state_of_a_one_task_board_is_not_asked_for_while_its_log_is_read(
    tmp_path: Path, http: ScriptedHttp
) -> None:
    """It would hang; other paths are the test's own affair, and so is the time after the stream."""
    asked = Asked(tmp_path, profile=ONE_TASK)
    asked.agent.answers += [http.says(reply(b"x")), http.says(reply(b"{}"))]
    with asked.readings.streaming():
        with pytest.raises(MisuseError, match=r"GET /status while /logs of board s3-a is read: .* one task"):
            asked.readings.get("/status")
        assert asked.readings.get("/").answered
    assert asked.readings.get("/status").answered


def test_a_board_of_many_tasks_may_be_asked_while_its_log_is_read(asked: Asked, http: ScriptedHttp) -> None:
    """The reference firmware hands the stream on."""
    asked.agent.answers.append(http.says(reply(b"{}")))
    with asked.readings.streaming():
        assert asked.readings.get("/status").answered


def test_one_stream_of_a_board_is_read_at_a_time(asked: Asked) -> None:
    """A second one is refused, and so is one of a firmware that has none."""
    with asked.readings.streaming(), pytest.raises(MisuseError, match="/logs of board s3-a is being read already"):
        asked.readings.streaming().__enter__()
    with pytest.raises(MisuseError, match=r"profile generic names no http\.stream"):
        Asked(asked.agent.capture.path.parent, profile=load("generic")).readings.streaming().__enter__()
