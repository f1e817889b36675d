"""A board that is brought back between tests, and one that stays dead."""

from pathlib import Path

import pytest

from hil.plugin import on_bench, run
from hil.testing.faked_bench import CONSOLE, FakedBench
from hil.timeline.events import Event

LOADED = (on_bench, run)
"""Imported once: each run inside a test would import them anew, and keep its run under a key of its own."""
TESTS = """
import pytest

@pytest.mark.hil
def test_first(board):
    pass

@pytest.mark.hil
def test_loses_it(board, bench):
    bench.{loses}()

@pytest.mark.hil
def test_next(board):
    pass

@pytest.mark.hil
def test_last(board):
    pass
"""
LAST = """
import pytest

@pytest.mark.hil
def test_loses_it(board, bench):
    bench.{loses}()
"""
DEAD = "board s3-a is not on the bus, and nothing brings it back; tried: wait, reset, power_cycle"
BROUGHT_BACK = "board s3-a runs its application; it was not on the bus, and came back by wait, reset"
HELD = "board s3-a was not brought back after the last test: /dev/ttyACM0 is held by screen (process 77); end *"


class Bench:
    """Stands for an opened bench: one board on fakes."""

    name = "fakes"

    def __init__(self, directory: Path) -> None:
        self.faked = FakedBench(directory, console=CONSOLE).known()
        self.witness = self.faked.witness
        self.lacking = ""
        """What a virtual board holds and cannot run."""

    def board(self, name: str = "") -> object:
        return self.faked.board

    def without_build(self, board: object) -> str:
        return self.lacking

    def record(self, event: Event) -> Event:
        return self.faked.capture.record(event)

    def to_loader(self) -> None:
        """As an aborted flash leaves it."""
        self.faked.agent.become(0x303A, 0x1001)
        self._passes()

    def takes_an_alien(self) -> None:
        """A firmware that no virtual board runs."""
        self.to_loader()
        self.lacking = "no virtual build of alien 1.0"

    def goes(self) -> None:
        """The board leaves the bus, and comes back by EN."""
        self.faked.agent.detach()
        self._passes()

    def to_loader_for_good(self) -> None:
        """Its EN is not wired, and another process has the loader's port."""
        self.faked.agent.lines_reset = False
        self.to_loader()

    def dies(self) -> None:
        """The board leaves the bus for good."""
        agent = self.faked.agent
        agent.lines_reset = agent.has_port_switch = False
        self.faked.power.comes_back_s = None
        agent.detach()
        self._passes()

    def _passes(self) -> None:
        self.faked.clock.advance(1.0)
        self.faked.capture.catch_up()

    def close(self) -> None:
        self.faked.close()


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.Pytester:
    """Tests on that bench."""
    monkeypatch.setenv("HIL_BENCH_HOST", "tcg")
    monkeypatch.setattr("hil.plugin.run.Run._open", lambda self: Bench(tmp_path))
    return pytester


def test_a_board_that_is_left_in_its_loader_is_back_for_the_next_test(project: pytest.Pytester) -> None:
    """All pass, and the summary says that somebody had to."""
    project.makepyfile(TESTS.format(loses="to_loader"))
    result = project.runpytest_inprocess("-m", "hil")
    result.assert_outcomes(passed=4)
    wanted = "board s3-a runs its application; it was in its loader, and came back by leave_loader"
    result.stdout.fnmatch_lines([f"hil: *::test_loses_it: {wanted}"])


def test_what_remains_on_a_dead_board_is_an_error_of_the_bench(project: pytest.Pytester) -> None:
    """Not a failure of the firmware; the first says what was tried, the others that nothing was since."""
    project.makepyfile(TESTS.format(loses="dies"))
    result = project.runpytest_inprocess("-m", "hil", "-rE")
    result.assert_outcomes(passed=2, errors=2)
    result.stdout.fnmatch_lines(
        [f"*BoardDead: {DEAD}", f"*BoardDead: {DEAD}", "*not tried again since", f"hil: {DEAD}", "*ERROR *test_next*"]
    )


def test_a_firmware_without_a_virtual_build_is_no_verdict(project: pytest.Pytester, tmp_path: Path) -> None:
    """What cannot run here is skipped and says why; nobody tries to bring the board back, and each test has its end."""
    project.makepyfile(TESTS.format(loses="takes_an_alien"))
    result = project.runpytest_inprocess("-m", "hil", "-rs")
    result.assert_outcomes(passed=2, skipped=2)
    result.stdout.fnmatch_lines(["SKIPPED *: no virtual build of alien 1.0"])
    result.stdout.no_fnmatch_line("*came back by reset*")
    ends = [line for line in (tmp_path / "timeline.jsonl").read_text().splitlines() if "TestEnded" in line]
    assert [line.count('"skipped"') for line in ends] == [0, 0, 1, 1]


@pytest.mark.parametrize(
    ("loses", "told"),
    [
        ("goes", f"hil: *::test_loses_it: {BROUGHT_BACK}"),
        ("dies", f"hil: {DEAD}"),
        ("to_loader_for_good", f"hil: {HELD}"),
    ],
    ids=["back", "dead", "held"],
)
def test_what_the_last_test_has_left_elsewhere_is_brought_back(project: pytest.Pytester, loses: str, told: str) -> None:
    """On a real bench, which somebody else uses next; each rung is told as it is tried, and no test fails for it."""
    (project.path / "bench.toml").write_text('[bench]\nname = "b"\n[[board]]\nname = "s3-a"\nusb = "1-1.2"\n')
    project.makepyfile(LAST.format(loses=loses))
    result = project.runpytest_inprocess("-m", "hil", "--hil-bench", "bench.toml")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["hil: board s3-a is *; trying: *", told])


def test_a_virtual_board_ends_with_its_session(project: pytest.Pytester) -> None:
    """Nobody waits for it to be brought back."""
    project.makepyfile(LAST.format(loses="goes"))
    result = project.runpytest_inprocess("-m", "hil")
    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("hil: *trying: *")
