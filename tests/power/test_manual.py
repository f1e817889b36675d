"""The person as a power driver."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from hil.errors import SetupError
from hil.power.manual import Manual, ask_terminal
from hil.testing.fake_clock import FakeClock


def test_the_person_is_asked_and_the_action_lies_between_question_and_answer() -> None:
    """Both directions name the board; the instant covers the time that the person took."""
    asked: list[str] = []
    clock = FakeClock(1_000)

    def ask(line: str) -> bool:
        asked.append(line)
        clock.advance(4.0)
        return True

    driver = Manual("s3-a", ask, clock)
    pulled = driver.off()
    assert pulled.t_ns - pulled.t_err_ns <= 1_000
    assert pulled.t_ns + pulled.t_err_ns >= 4_000_001_000
    driver.on()
    assert [line.split(",")[0] for line in asked] == ["pull the cable of s3-a", "put the cable of s3-a back"]


def test_nobody_there_is_an_error_of_the_bench() -> None:
    """Without a terminal the driver says what is missing."""
    driver = Manual("s3-a", lambda line: False, FakeClock())
    with pytest.raises(SetupError, match=r"board s3-a: power\.driver is 'manual' and nobody answered: this run has"):
        driver.off()


@pytest.fixture
def terminal() -> Iterator[tuple[int, Path]]:
    """The keyboard's end of a terminal, and the terminal."""
    keyboard, other = os.openpty()
    yield keyboard, Path(os.ttyname(other))
    os.close(keyboard)
    os.close(other)


def test_enter_is_an_answer(terminal: tuple[int, Path]) -> None:
    """The line is shown before."""
    keyboard, place = terminal
    os.write(keyboard, b"\n")
    assert ask_terminal("pull the cable", place)
    shown = b""
    while b"hil: pull the cable: " not in shown:
        shown += os.read(keyboard, 4096)


def test_a_person_who_does_not_answer_is_not_waited_for_for_ever(terminal: tuple[int, Path], tmp_path: Path) -> None:
    """Nor is one whom nobody can ask."""
    assert not ask_terminal("pull the cable", terminal[1], within_s=0.01)
    assert not ask_terminal("pull the cable", tmp_path / "none" / "tty")
