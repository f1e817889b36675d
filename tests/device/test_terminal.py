"""Somebody at the board's serial port, or nobody."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hil.clock import to_ns
from hil.device.actions import Actions
from hil.device.terminal import OPEN_S, Terminal
from hil.device.witness import Witness
from hil.errors import BoardFailure
from hil.testing.fake_capture import OPENED_S, FakeCapture
from hil.testing.fake_clock import FakeClock
from hil.timeline.events import Acted


class Bench:
    """A terminal on a fake capture."""

    def __init__(self, directory: Path) -> None:
        self.clock = FakeClock(1_000_000_000)
        self.capture = FakeCapture(directory, self.clock)
        self.witness = Witness(self.capture, self.clock)
        self.attached = True
        actions = Actions("s3-a", self.capture.record)
        self.terminal = Terminal(self.capture, self.witness, actions, lambda: self.attached, self.clock)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A terminal that is open, as every test finds it."""
    made = Bench(tmp_path)
    yield made
    made.witness.close()


def watched(dtr: bool) -> tuple[object, ...]:
    return ("watch_tty", "s3-a", "usb", dtr, True)


RELEASED = ("release_tty", "s3-a", "usb")


def test_opening_takes_effect_between_the_order_and_the_open_port(bench: Bench) -> None:
    """The instant and its error enclose both; the action says the level."""
    began_ns = bench.clock.now_ns()
    acted = bench.terminal.open(dtr=False)
    assert bench.capture.calls == [RELEASED, watched(False)]
    assert (acted.action, acted.sees, acted.detail) == ("open_terminal", "traffic", "DTR low")
    assert acted.t_ns - acted.t_err_ns <= began_ns
    assert acted.t_ns + acted.t_err_ns >= began_ns + to_ns(OPENED_S)
    assert acted.t_err_ns < to_ns(OPENED_S)


def test_a_port_is_lowered_before_it_is_closed(bench: Bench) -> None:
    """The port that a bench opens first keeps DTR when it is closed; reopened with hang-up it does not."""
    bench.terminal.close()
    assert bench.capture.calls == [RELEASED, watched(False), RELEASED]


def test_a_closed_terminal_is_closed_once(bench: Bench) -> None:
    """Nothing is left to be released."""
    bench.terminal.close()
    bench.capture.calls.clear()
    bench.terminal.close()
    assert bench.capture.calls == []


def test_a_board_that_is_off_the_bus_is_not_waited_for(bench: Bench) -> None:
    """Its port will be opened when it comes, or not at all."""
    bench.attached = bench.capture.opens_ttys = False
    bench.terminal.close()
    bench.terminal.open()
    assert bench.capture.calls == [RELEASED, watched(True)]


def test_a_board_without_a_port_has_failed(bench: Bench) -> None:
    """It is on the bus, and the wait has an end."""
    bench.capture.opens_ttys = False
    with pytest.raises(BoardFailure, match=rf"is on the bus and no serial port of it opened within {OPEN_S:g} s"):
        bench.terminal.open()


@pytest.mark.parametrize("dtr", [False, None], ids=["low", "closed"])
def test_every_test_finds_the_terminal_open_with_dtr_high(bench: Bench, dtr: bool | None) -> None:
    """What a test left is undone; what it did not touch is not touched."""
    bench.terminal.restore()
    assert bench.capture.calls == []
    if dtr is None:
        bench.terminal.close()
    else:
        bench.terminal.open(dtr)
    bench.terminal.restore()
    assert bench.capture.calls[-1] == watched(True)
    bench.witness.refresh()
    assert bench.witness.timeline.last(Acted(action="open_terminal", detail="DTR high")) is not None
