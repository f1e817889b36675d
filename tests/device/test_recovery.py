"""Where a board is, and how it comes back."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hil.agent.replies import Done, PortHeld
from hil.clock import to_ns
from hil.device.actions import Actions
from hil.device.ladder import State
from hil.device.mode import Modes
from hil.device.recovery import HELD_S, STEADY_S, Eyes, Recovered, Recovery
from hil.errors import BoardDead, BoardFailure, BuildError, FlashRefused, HilError
from hil.testing.fake_agent import PATH
from hil.testing.faked_bench import FakedBench
from hil.timeline.events import BootMessage, EnumerationFailed


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[FakedBench]:
    made = FakedBench(tmp_path).known()
    made.clock.advance(0.1)
    yield made
    made.close()


@pytest.fixture
def eyes(bench: FakedBench) -> Eyes:
    spec = bench.board.spec
    return Eyes(spec, bench.agent, Modes(spec, bench.agent, bench.witness), bench.witness, bench.clock)


# ---- where it is --------------------------------------------------------------------------------


def test_an_application_that_stays_is_well(bench: FakedBench, eyes: Eyes) -> None:
    """It is watched for a second."""
    began_ns = bench.clock.now_ns()
    assert eyes.look() is State.WELL
    assert bench.clock.now_ns() - began_ns >= to_ns(STEADY_S)


def test_an_application_that_goes_again_and_again_is_not(bench: FakedBench, eyes: Eyes) -> None:
    """A panic half a second after each start."""
    for number in range(5):
        bench.capture.after(0.5 + number, bench.agent.restart)
    assert eyes.look() is State.RESTARTING


def test_an_application_that_leaves_once_and_stays_then_is_well(bench: FakedBench, eyes: Eyes) -> None:
    """A firmware that nobody has spoken to lets go of the bus for a moment, to be heard."""
    bench.capture.after(0.5, bench.agent.restart)
    assert eyes.look() is State.WELL


def test_an_application_that_goes_for_good_is_not(bench: FakedBench, eyes: Eyes) -> None:
    """It was the last that was seen of it."""
    bench.capture.after(0.5, bench.agent.detach)
    assert eyes.look() is State.RESTARTING


@pytest.mark.parametrize("pid", [0x1001, 0x0009])
def test_a_loader_is_seen_by_its_identity(bench: FakedBench, eyes: Eyes, pid: int) -> None:
    bench.agent.become(0x303A, pid)
    bench.capture.catch_up()
    assert eyes.look() is State.LOADER


def test_an_application_may_leave_usb_to_serial_jtag(bench: FakedBench) -> None:
    """Where the profile says so, 303a:1001 is no loader by itself; 303a:0009 is one all the same."""
    spec = bench.board.spec
    modes = Modes(spec, bench.agent, bench.witness, serial_jtag=True)
    eyes = Eyes(spec, bench.agent, modes, bench.witness, bench.clock)
    states = []
    for pid in (0x1001, 0x0009):
        bench.agent.become(0x303A, pid)
        for _ in range(3):
            bench.capture.catch_up()
            bench.clock.advance(0.1)
        states.append(eyes.look())
    assert states == [State.WELL, State.LOADER]


def test_a_bus_that_sleeps(bench: FakedBench, eyes: Eyes) -> None:
    bench.agent.suspend()
    assert eyes.look() is State.SUSPENDED


def test_a_foreign_device_is_not_the_board(bench: FakedBench, eyes: Eyes) -> None:
    """Nothing may be done to it."""
    bench.agent.become(0x10C4, 0xEA60)
    bench.capture.catch_up()
    assert eyes.look(5.0) is State.FOREIGN


def test_an_empty_port(bench: FakedBench, eyes: Eyes) -> None:
    bench.agent.detach()
    assert eyes.look() is State.NOTHING


def test_something_that_cannot_be_enumerated(bench: FakedBench, eyes: Eyes) -> None:
    """The kernel log says so, once; that holds until something comes and goes."""
    bench.agent.detach()
    pass_by(bench)
    bench.capture.record(EnumerationFailed(PATH, "given_up", 0, board="s3-a", source="kmsg"))
    bench.clock.advance(60.0)
    bench.witness.refresh()
    assert eyes.look() is State.BROKEN
    bench.agent.attach()
    pass_by(bench)
    bench.agent.detach()
    pass_by(bench)
    assert eyes.look() is State.NOTHING


def pass_by(bench: FakedBench) -> None:
    """Let what is under way be told."""
    bench.clock.advance(0.1)
    bench.capture.catch_up()
    bench.clock.advance(0.1)
    bench.witness.refresh()


def test_three_boots_in_ten_seconds_are_a_loop(bench: FakedBench, eyes: Eyes) -> None:
    """Heard on the console, while USB shows nothing; boots of long ago are none."""
    bench.agent.detach()
    for _ in range(3):
        bench.capture.record(BootMessage("rom", "rst:0x3", "", board="s3-a", source="console"))
    bench.witness.refresh()
    assert eyes.look() is State.RESTARTING
    bench.clock.advance(11.0)
    assert eyes.look() is State.NOTHING


# ---- how it comes back --------------------------------------------------------------------------


class Board:
    """A board that goes from state to state by the rungs that a test lays down."""

    def __init__(self, bench: FakedBench, state: State, **leads_to: State | str | HilError) -> None:
        self.state = state
        self.bench = bench
        self._leads_to = leads_to
        self.done: list[str] = []

    def recovery(self, within_s: float = 300.0) -> Recovered:
        actions = Actions("s3-a", self.bench.capture.record)
        recovery = Recovery(actions, lambda within_s: self.state, self.bench.clock, within_s)
        return recovery.climb({name: self._deed(name) for name in self._leads_to})

    def _deed(self, name: str) -> Callable[[], Done]:
        def do() -> Done:
            self.done.append(name)
            self.bench.clock.advance(10.0)
            leads_to = self._leads_to[name]
            if isinstance(leads_to, str):
                raise BoardFailure(leads_to)
            if isinstance(leads_to, HilError):
                raise leads_to
            self.state = leads_to
            return Done(self.bench.clock.now_ns(), 0)

        return do


def test_a_board_that_is_well_is_left_alone(bench: FakedBench) -> None:
    """Nothing is done and nothing is recorded."""
    recovered = Board(bench, State.WELL, wait=State.WELL).recovery()
    assert recovered == Recovered()
    assert str(recovered) == "runs its application; nothing was done"
    assert bench.actions() == []


def test_the_first_rung_that_works_ends_the_climb(bench: FakedBench) -> None:
    """Each rung is an action of the timeline, with where the board was."""
    board = Board(bench, State.NOTHING, wait=State.NOTHING, port_cycle=State.WELL, power_cycle=State.WELL)
    recovered = board.recovery()
    assert recovered == Recovered(("wait", "port_cycle"), State.NOTHING)
    assert str(recovered) == "runs its application; it was not on the bus, and came back by wait, port_cycle"
    assert bench.acted() == [("recover_wait", "nothing"), ("recover_port_cycle", "nothing")]


def test_a_rung_that_fails_is_not_the_end(bench: FakedBench) -> None:
    """Out of a loader whose order to stay cannot be cleared leads the power."""
    board = Board(bench, State.LOADER, leave_loader="download-bit-never-cleared: …", power_cycle=State.WELL)
    assert board.recovery().rungs == ("leave_loader", "power_cycle")


def test_a_half_flashed_board_is_flashed_with_the_known_build(bench: FakedBench) -> None:
    """It loops; a reset does not help."""
    board = Board(bench, State.RESTARTING, wait=State.RESTARTING, reset=State.RESTARTING, flash=State.WELL)
    assert board.recovery().rungs == ("wait", "reset", "flash")


@pytest.mark.parametrize("refusal", [FlashRefused("secure boot is on"), BuildError("no build in build/")])
def test_a_flash_that_is_refused_is_not_tried_again(bench: FakedBench, refusal: HilError) -> None:
    """One that failed is: a contact was lost."""
    board = Board(bench, State.LOADER, flash="the loader has not answered")
    with pytest.raises(BoardDead, match="tried: flash, flash"):
        board.recovery()
    board = Board(bench, State.LOADER, flash=refusal, leave_loader=State.LOADER)
    with pytest.raises(BoardDead, match=rf"tried: leave_loader, flash, leave_loader\n  flash: {refusal}$"):
        board.recovery()


HELD = PortHeld("/dev/ttyACM0 of 1-1.2 is held by ModemManager (process 412); it probes each new port for a modem")


def test_a_port_that_is_held_ends_the_climb(bench: FakedBench) -> None:
    """Whoever has it is named with the remedy; no power is cut from under a process that uses the board."""
    board = Board(bench, State.LOADER, leave_loader=HELD, power_cycle=State.WELL, flash=State.WELL)
    began_ns = bench.clock.now_ns()
    with pytest.raises(PortHeld, match=r"held by ModemManager \(process 412\); it probes"):
        board.recovery()
    assert set(board.done) == {"leave_loader"}
    assert HELD_S <= (bench.clock.now_ns() - began_ns) / 1e9 < 2 * HELD_S
    assert bench.actions()[-1] == ("ActionFailed", "recover_leave_loader")


def test_a_port_that_is_held_for_a_moment_is_waited_for(bench: FakedBench) -> None:
    """What probes each new port lets go of it again."""
    board, tries = Board(bench, State.LOADER), []

    def leave() -> Done:
        tries.append(bench.clock.now_ns())
        if len(tries) < 5:
            raise HELD
        board.state = State.WELL
        return Done(tries[-1], 0)

    recovery = Recovery(Actions("s3-a", bench.capture.record), lambda within_s: board.state, bench.clock)
    assert recovery.climb({"leave_loader": leave, "power_cycle": leave}).rungs == ("leave_loader",)
    assert (tries[-1] - tries[0]) / 1e9 < HELD_S


def test_a_board_that_stays_dead_is_told_with_all_that_was_tried(bench: FakedBench) -> None:
    """And what each rung said."""
    board = Board(bench, State.NOTHING, wait=State.NOTHING, power_cycle="hub 1-1 has no port 2")
    with pytest.raises(BoardDead) as error:
        board.recovery()
    assert str(error.value) == (
        "board s3-a is not on the bus, and nothing brings it back; tried: wait, power_cycle\n"
        "  power_cycle: hub 1-1 has no port 2"
    )


def test_a_bench_that_can_do_nothing_says_so(bench: FakedBench) -> None:
    """A foreign device at the board's port is not touched."""
    board = Board(bench, State.FOREIGN, wait=State.WELL, power_cycle=State.WELL)
    with pytest.raises(BoardDead, match="s3-a is not what hangs at its port, and nothing brings it back; tried: noth"):
        board.recovery()
    assert board.done == []


def test_a_climb_has_a_deadline(bench: FakedBench) -> None:
    """The rung that is being tried ends; no further one begins."""
    board = Board(bench, State.NOTHING, wait=State.NOTHING, reset=State.NOTHING, power_cycle=State.WELL)
    with pytest.raises(BoardDead, match=r"nothing brings it back within 15 s; tried: wait, reset$"):
        board.recovery(within_s=15.0)
