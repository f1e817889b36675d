"""The person as a power driver."""

import pytest

from hil.errors import SetupError
from hil.power.manual import Manual
from hil.power.virtual_control import Answer


def test_the_person_is_asked_and_the_answer_dates_the_action() -> None:
    """Both directions name the board, and return the instant of the confirmation."""
    asked: list[str] = []

    def ask(line: str) -> bool:
        asked.append(line)
        return True

    driver = Manual("s3-a", ask, now=lambda: Answer(t_ns=5, t_err_ns=1))
    assert driver.off().t_ns == 5
    assert driver.on().t_err_ns == 1
    assert [line.split(",")[0] for line in asked] == ["pull the cable of s3-a", "put the cable of s3-a back"]


def test_nobody_there_is_an_error_of_the_bench() -> None:
    """Without a terminal the driver says what is missing."""
    driver = Manual("s3-a", ask=lambda line: False, now=lambda: Answer(0, 0))
    with pytest.raises(SetupError, match=r"board s3-a: power\.driver is 'manual' and nobody can answer"):
        driver.off()
