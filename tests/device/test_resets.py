"""Starting a chip over, and finding out whether it did."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hil.agent.replies import ConnectFailed
from hil.clock import now_ns
from hil.errors import BoardFailure, BoardMute, HarnessError, MisuseError
from hil.testing.faked_bench import CONSOLE, FakedBench
from hil.testing.scripted_http import ScriptedHttp, reply
from hil.timeline.events import BootMessage

SOON_S = 2.0
"""The board's own doings are dated by a fake clock, its replies by the real one: this is longer than a reply takes."""


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[FakedBench]:
    """A board with a console, whose profile names a path for resets."""
    made = FakedBench(tmp_path, start_ns=now_ns(), console=CONSOLE).known()
    yield made
    made.close()


@pytest.fixture
def http() -> Iterator[ScriptedHttp]:
    """Far ends of connections."""
    with ScriptedHttp() as made:
        yield made


def test_the_lines_come_first(bench: FakedBench) -> None:
    """EN works whatever the firmware is doing."""
    fell = bench.board.reset()
    assert bench.acted() == [("reset", "reset")]
    assert fell.detail == "dtr_rts"
    assert ("reset_by_lines", "s3-a") in bench.agent.calls


def test_lines_without_effect_are_the_benchs_fault(bench: FakedBench) -> None:
    """A bridge whose DTR and RTS lead nowhere says nothing about the board."""
    bench.agent.lines_reset = False
    with pytest.raises(HarnessError, match=r"s3-a did not start over when DTR and RTS of its console at 1-1.3 pulled"):
        bench.board.reset("dtr_rts")
    assert bench.actions()[-1] == ("ActionFailed", "reset")


def test_a_board_that_was_off_the_bus_shows_its_reset_on_the_console(bench: FakedBench) -> None:
    """A firmware that hangs before USB: the ROM's first line is enough."""
    bench.agent.detach()
    bench.agent.lines_reset = False
    bench.capture.record_after(0.05, BootMessage("rom", "x", "POWERON", board="s3-a", source="console"))
    assert bench.board.reset("dtr_rts").action == "reset"


def test_the_firmware_is_asked_by_post(bench: FakedBench, http: ScriptedHttp) -> None:
    """At the profile's path; it answers and goes."""
    bench.agent.answers.append(http.says(reply(b'{"status":"resetting"}')))
    bench.capture.after(SOON_S, bench.agent.restart)
    asked = bench.board.reset("http")
    assert bench.acted() == [("http_post", "traffic"), ("reset", "reset")]
    assert (asked.detail, asked.sees) == ("http", "reset")


def test_a_promise_that_is_not_kept_is_a_failure(bench: FakedBench, http: ScriptedHttp) -> None:
    """It answers and stays."""
    bench.agent.answers.append(http.says(reply(b"{}")))
    with pytest.raises(BoardFailure, match=r"answered POST /reset with 200 and did not start over in 5 s"):
        bench.board.reset("http")


def test_a_refusal_is_a_failure(bench: FakedBench, http: ScriptedHttp) -> None:
    """With its status."""
    bench.agent.answers.append(http.says(reply(b"", status=405)))
    with pytest.raises(BoardFailure, match="s3-a answered POST /reset with 405"):
        bench.board.reset("http")


def test_a_board_that_does_not_answer_is_mute(bench: FakedBench) -> None:
    """What went wrong is in the message."""
    bench.agent.answers.append(ConnectFailed("refused", "nobody listens"))
    with pytest.raises(BoardMute, match=r"did not answer POST /reset over usb: HttpFailed\(.*refused"):
        bench.board.reset("http")


def test_a_way_that_the_board_does_not_have_lists_those_it_has(tmp_path: Path) -> None:
    """Without console, and with a profile that names nothing, there is none."""
    bench = FakedBench(tmp_path).known()
    with pytest.raises(MisuseError, match=r"reset of board s3-a by 'dtr_rts'; ways: 'http'; a test needs='reset'"):
        bench.board.reset("dtr_rts")
    bench.close()
    (tmp_path / "plain").mkdir()
    plain = FakedBench(tmp_path / "plain", profile="generic").known()
    assert "reset" not in plain.board.offers
    with pytest.raises(MisuseError, match=r"by ''; ways: none: no console in bench.toml, no http.reset in its profile"):
        plain.board.reset()
    plain.close()


def test_a_reset_of_the_port_or_the_supply_is_named_for_what_it_is(bench: FakedBench) -> None:
    """They are other actions."""
    assert bench.board.reset("port").action == "usb_reset"
    assert bench.board.reset("power").action == "unplug"
