"""When a session flashes a board, and what it shows of it."""

import pytest

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

    def build(self, what: str | None) -> Build:
        self.asked.append(what)
        return BUILD

    def runs(self, build: Build) -> bool | None:
        return self.known

    def flash(self, what: Build | None = None) -> None:
        self.flashed += 1
        if self.fails:
            raise FlashFailed(self.fails)
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
            "hil: board s3-a: left alone: nvs: NVS stays",
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
