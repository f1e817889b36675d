"""The person as a power driver."""

import pytest

from hil.errors import SetupError
from hil.power.manual import Manual
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
    with pytest.raises(SetupError, match=r"board s3-a: power\.driver is 'manual' and nobody can answer"):
        driver.off()
