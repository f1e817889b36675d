"""When a session flashes a board, and what it shows of it."""

import pytest

from hil.agent.replies import PortHeld
from hil.bench import Board
from hil.errors import BenchError, FlashFailed, HarnessError
from hil.flash.build import Build, Region
from hil.flash.progress import OnProgress, Progress
from hil.plugin.flashing import SessionFlash
from hil.wire.esp_image import AppDescription

BUILD = Build(
    "fw", (Region(0, b"x", "x"),), app=AppDescription("hello", "1.0", "ab" * 32), left_out=("nvs: NVS stays",)
)


class FakeFlashing:
    """Implements :class:`hil.plugin.flashing.Flashing`."""

    def __init__(self) -> None:
        self.on_progress: OnProgress = lambda step: None
        self.known: bool | None = None
        self.fails = ""
        self.asked: list[str | None] = []
        self.flashed = 0
        self.unfinished = False
        self.holds: Build | None = None
        self.held_by = ""

    def build(self, what: str | None) -> Build:
        self.asked.append(what)
        return BUILD

    def runs(self, build: Build) -> bool | None:
        return self.known

    def flash(self, what: Build | None = None) -> None:
        self.flashed += 1
        if self.held_by:
            raise PortHeld(self.held_by)
        if self.fails:
            raise FlashFailed(self.fails)
        self.holds, self.unfinished = what, False
        for step in (
            Progress("connecting"),
            *(Progress("writing", each) for each in range(0, 101, 5)),
            Progress("done", 100),
        ):
            self.on_progress(step)


class FakeBoard:
    def __init__(self, firmware: str = "fw") -> None:
        self.spec = Board("s3-a", "1-1.2", firmware=firmware)
        self.flashing = FakeFlashing()


def see_to(board: FakeBoard, when: str) -> list[str]:
    said: list[str] = []
    SessionFlash(when, said.append).see_to(board)
    return said


@pytest.mark.parametrize(("known", "flashed"), [(None, 1), (False, 1), (True, 0)])
def test_auto_flashes_unless_the_board_runs_it(known: bool | None, flashed: int) -> None:
    """By the board's own word; without one its flash is compared."""
    board = FakeBoard()
    board.flashing.known = known
    said = see_to(board, "auto")
    assert (board.flashing.flashed, board.flashing.asked) == (flashed, ["fw"])
    if known:
        assert said == ["hil: board s3-a: runs hello 1.0 from fw already"]
    else:
        assert said == [
            "hil: board s3-a: connecting",
            *(f"hil: board s3-a: writing {percent} %" for percent in (0, 25, 50, 75, 100)),
            "hil: board s3-a: done",
        ]


def test_never_and_nothing_to_flash() -> None:
    """Without `firmware` auto does nothing; always says what is missing, and does not ask the board."""
    assert see_to(FakeBoard(), "never") == see_to(FakeBoard(""), "auto") == []
    with pytest.raises(BenchError) as wrong:
        see_to(FakeBoard(""), "always")
    assert str(wrong.value) == "--hil-flash=always: board s3-a has no firmware in bench.toml"
    board = FakeBoard()
    board.flashing.known = True
    assert see_to(board, "always")[-1] == "hil: board s3-a: done"


def test_each_board_is_seen_to_once() -> None:
    """And one that could not be flashed is no board to judge a firmware by."""
    board, session = FakeBoard(), SessionFlash("always", lambda line: None)
    session.see_to(board)
    session.see_to(board)
    assert board.flashing.flashed == 1
    broken, session = FakeBoard(), SessionFlash("auto", lambda line: None)
    broken.flashing.fails = "wrong MD5"
    with pytest.raises(FlashFailed):
        session.see_to(broken)
    with pytest.raises(HarnessError) as again:
        session.see_to(broken)
    assert str(again.value) == "board s3-a was not flashed at the start of the session: wrong MD5"
    assert broken.flashing.flashed == 1


OTHER = Build("other", (Region(0, b"y", "y"),), app=AppDescription("hello", "2.0", "cd" * 32))


@pytest.mark.parametrize("known", [True, None])
def test_what_a_test_has_flashed_does_not_stay(known: bool | None) -> None:
    """Whether the board ran its firmware from the start or was given it: the next test has the session's again."""
    said: list[str] = []
    board, session = FakeBoard(), SessionFlash("auto", said.append)
    board.flashing.known = known
    session.see_to(board)
    before, board.flashing.holds = board.flashing.flashed, OTHER
    said.clear()
    session.see_to(board)
    session.see_to(board)
    assert (board.flashing.flashed - before, board.flashing.holds) == (1, BUILD)
    assert said[0] == "hil: board s3-a: a test has left hello 2.0 from other; back to hello 1.0 from fw"
    assert board.flashing.asked == ["fw"]


def test_a_flash_that_a_test_has_left_in_the_middle_is_made_good() -> None:
    """Something may run all the same; which firmware, nobody knows."""
    said: list[str] = []
    board, session = FakeBoard(), SessionFlash("auto", said.append)
    session.see_to(board)
    board.flashing.holds, board.flashing.unfinished = None, True
    session.see_to(board)
    assert "hil: board s3-a: a test has left a flash that did not end; back to hello 1.0 from fw" in said
    assert (board.flashing.flashed, board.flashing.unfinished) == (2, False)


def test_the_same_bytes_under_another_name_stay() -> None:
    """A test may flash the session's firmware from elsewhere."""
    board, session = FakeBoard(), SessionFlash("auto", lambda line: None)
    session.see_to(board)
    board.flashing.holds = Build("copy", (Region(0, b"x", "copy.bin"),))
    session.see_to(board)
    assert board.flashing.flashed == 1


@pytest.mark.parametrize(("when", "firmware"), [("never", "fw"), ("auto", "")])
def test_a_session_without_a_firmware_of_its_own_leaves_what_is_there(when: str, firmware: str) -> None:
    """Nobody has said what would be right."""
    board, session = FakeBoard(firmware), SessionFlash(when, lambda line: None)
    session.see_to(board)
    board.flashing.holds, board.flashing.unfinished = OTHER, True
    session.see_to(board)
    assert board.flashing.flashed == 0


def test_a_port_that_was_held_is_tried_again_before_the_next_test() -> None:
    """Whoever probes it lets go of it."""
    board, session = FakeBoard(), SessionFlash("auto", lambda line: None)
    board.flashing.held_by = "/dev/ttyACM0 is held by ModemManager (process 412)"
    with pytest.raises(PortHeld):
        session.see_to(board)
    board.flashing.held_by = ""
    session.see_to(board)
    assert board.flashing.holds is BUILD
