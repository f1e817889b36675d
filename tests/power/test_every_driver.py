"""What every power driver does, whichever it is."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from hil.agent.client import Agent
from hil.bench import Power
from hil.board.interfaces import PowerDriver
from hil.board.sight import NEEDS
from hil.power.hub_port import HubPort
from hil.power.manual import Manual
from hil.power.switched import Switched
from hil.power.virtual import VirtualCable
from hil.power.virtual_control import Answer, VirtualControl
from hil.testing.fake_power import FakePower
from hil.testing.faked_bench import FakedBench


class Control:
    """The virtual board's control socket, as far as its cable needs it."""

    def __init__(self, bench: FakedBench) -> None:
        self.asked: list[str] = []
        self._bench = bench

    def do(self, what: str, **arguments: Any) -> Answer:
        self.asked.append(what)
        return Answer(self._bench.clock.now_ns(), 0)


DRIVERS: dict[str, Callable[[FakedBench], PowerDriver]] = {
    "uhubctl": lambda bench: Switched(bench.agent, "s3-a", Power("uhubctl", hub="1-1", port=2)),
    "relay": lambda bench: Switched(bench.agent, "s3-a", Power("relay", name="lab-1")),
    "manual": lambda bench: Manual("s3-a", lambda line: True, bench.clock),
    "none": lambda bench: HubPort(cast(Agent, bench.agent), "s3-a"),
    "virtual": lambda bench: VirtualCable(cast(VirtualControl, Control(bench))),
    "fake": lambda bench: FakePower(bench.agent),
}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[FakedBench]:
    """A board and an agent for the drivers that need them."""
    made = FakedBench(tmp_path).known()
    yield made
    made.close()


@pytest.mark.parametrize("name", DRIVERS)
def test_off_and_on_have_instants(bench: FakedBench, name: str) -> None:
    """Both are dated within their error, in the order in which they were asked for, and may be repeated."""
    driver = DRIVERS[name](bench)
    for _ in range(2):
        before_ns = bench.clock.now_ns()
        off = driver.off()
        bench.clock.advance(1.0)
        on = driver.on()
        assert before_ns <= off.t_ns + off.t_err_ns
        assert off.t_ns < on.t_ns <= bench.clock.now_ns() + on.t_err_ns


@pytest.mark.parametrize("name", DRIVERS)
def test_what_a_board_sees_of_it_can_be_needed(bench: FakedBench, name: str) -> None:
    """A test's marker can name it."""
    assert DRIVERS[name](bench).sees in NEEDS
