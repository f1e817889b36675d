"""A board's beginning in a test: brought back where it had been well, left alone where it had not."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hil.agent.replies import Done, PortHeld
from hil.board.identity import Identity
from hil.device.recovery import COMES_S, Recovered
from hil.errors import BoardDead, BoardVanished
from hil.testing.fake_agent import PID, VID
from hil.testing.faked_bench import CONSOLE, FakedBench
from hil.timeline.events import LoaderAsked, Started


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[FakedBench]:
    """A board with a bridge, that was well in the test before."""
    made = FakedBench(tmp_path, console=CONSOLE).known()
    made.board.make_ready()
    yield made
    made.close()


def lost(bench: FakedBench) -> None:
    """It has left the bus, and the journal has it."""
    bench.agent.detach()
    bench.clock.advance(0.1)
    bench.capture.catch_up()


def told(bench: FakedBench) -> list[Recovered]:
    found: list[Recovered] = []
    bench.board.readiness.on_recovered = found.append
    return found


@pytest.mark.parametrize("pid", [0x1001, 0x0009])
def test_a_board_that_the_last_test_left_in_its_loader_is_led_out(bench: FakedBench, pid: int) -> None:
    """By the bridge's EN, and whoever asks is told."""
    recovered = told(bench)
    bench.agent.become(VID, pid)
    bench.clock.advance(1.0)
    bench.capture.catch_up()
    bench.board.make_ready()
    assert [each.rungs for each in recovered] == [("leave_loader",)]
    assert bench.board.identity is Identity.APPLICATION


def test_a_test_that_ends_in_the_loader_leaves_the_board_as_it_found_it(bench: FakedBench) -> None:
    """The last one of a session too."""
    bench.agent.become(VID, 0x1001)
    bench.clock.advance(1.0)
    bench.capture.catch_up()
    bench.board.leave()
    assert bench.board.identity is Identity.APPLICATION


def test_a_loader_that_does_not_let_go_is_for_the_next_test(bench: FakedBench) -> None:
    """The end of a test tries one rung; no board is dead for that."""
    recovered = told(bench)
    bench.agent.become(VID, 0x1001)
    bench.clock.advance(1.0)
    bench.capture.catch_up()
    bench.agent.lines_reset = False
    bench.board.leave()
    assert (recovered, bench.board.readiness.dead) == ([], "")
    assert ("ActionFailed", "leave_bootloader") in bench.actions()


def test_a_board_that_was_well_and_is_gone_is_brought_back(bench: FakedBench) -> None:
    """Waiting does not help, EN does."""
    recovered = told(bench)
    lost(bench)
    bench.board.make_ready()
    assert [each.rungs for each in recovered] == [("wait", "reset")]


def test_waiting_takes_no_longer_than_a_look(bench: FakedBench) -> None:
    """The one after each rung, of 15 s."""
    lost(bench)
    began_ns = bench.clock.now_ns()
    assert bench.board.recover().rungs == ("wait", "reset")
    bench.witness.refresh()
    started = (event for event in bench.witness.timeline if isinstance(event, Started))
    reset_ns = next(event.t_ns for event in started if event.action == "recover_reset")
    assert COMES_S <= (reset_ns - began_ns) / 1e9 < COMES_S + 1.0


def test_a_board_that_never_came_is_not_hidden(tmp_path: Path) -> None:
    """That it does not come up is the firmware's failure, and for the first test to tell."""
    bench = FakedBench(tmp_path, console=CONSOLE).known()
    lost(bench)
    for _ in range(2):
        with pytest.raises(BoardVanished, match=r"board s3-a is not on the bus at 1-1\.2 after 15 s"):
            bench.board.make_ready()
    assert not any(name.startswith("recover") for _, name in bench.actions())
    bench.close()


def test_a_board_that_was_dead_before_the_run_is_brought_back(tmp_path: Path) -> None:
    """A real board, which this run has not plugged in."""
    bench = FakedBench(tmp_path, console=CONSOLE)
    bench.agent.present = False
    bench.board.readiness.inherit()
    recovered = told(bench)
    bench.board.make_ready()
    assert [each.rungs for each in recovered] == [("wait", "reset")]
    bench.close()


def test_a_board_that_was_not_there_is_dead_with_what_was_there_instead(tmp_path: Path) -> None:
    """The path may be a wrong one; what its port held when it was well is of no interest later."""
    bench = FakedBench(tmp_path)
    bench.agent.present = bench.agent.has_port_switch = False
    bench.power.comes_back_s = None
    instead = "board s3-a: usb is '1-1.2': nothing is attached there; attached: 1-1.3 (0781:5581 Ultra)"
    bench.board.readiness.inherit(instead)
    with pytest.raises(BoardDead, match=r"tried: wait, power_cycle(.|\n)*\n  board s3-a: usb is '1-1\.2': nothing"):
        bench.board.make_ready()
    bench.agent.attach()
    bench.board.recover()
    bench.agent.detach()
    with pytest.raises(BoardDead) as later:
        bench.board.recover()
    assert instead not in str(later.value)
    bench.close()


def test_a_board_that_stays_dead_is_not_tried_again(bench: FakedBench) -> None:
    """The tests that remain are told so at once, as an error of the bench."""
    lost(bench)
    bench.agent.lines_reset = False
    bench.agent.has_port_switch = False
    bench.power.comes_back_s = None
    with pytest.raises(
        BoardDead, match="s3-a is not on the bus, and nothing brings it back; tried: wait, reset, power"
    ):
        bench.board.make_ready()
    began_ns, done = bench.clock.now_ns(), len(bench.actions())
    with pytest.raises(BoardDead, match=r"nothing brings it back(.|\n)*not tried again since$"):
        bench.board.make_ready()
    assert (bench.clock.now_ns(), len(bench.actions())) == (began_ns, done)


def test_a_board_whose_port_is_held_is_not_dead(tmp_path: Path) -> None:
    """The next test tries again, and finds the port free."""
    bench = FakedBench(tmp_path).known()
    bench.board.make_ready()
    bench.agent.become(VID, 0x1001)
    bench.clock.advance(1.0)
    bench.capture.catch_up()
    with pytest.raises(PortHeld, match=r"held by screen \(process 77\); end that, or let go of it"):
        bench.board.make_ready()
    assert bench.board.readiness.dead == ""
    assert bench.power.done == []
    bench.agent.become(VID, PID)
    bench.clock.advance(1.0)
    bench.capture.catch_up()
    bench.board.make_ready()
    bench.close()


def test_asking_again_by_name_is_a_new_attempt(bench: FakedBench) -> None:
    """Somebody has put the cable back meanwhile."""
    lost(bench)
    bench.agent.lines_reset = bench.agent.has_port_switch = False
    bench.power.comes_back_s = None
    with pytest.raises(BoardDead):
        bench.board.recover()
    bench.agent.attach()
    assert bench.board.recover() == Recovered()
    bench.board.make_ready()


def test_a_pulled_cable_is_put_back_first(bench: FakedBench) -> None:
    """By whoever pulled it."""
    bench.board.unplug()
    assert bench.board.recover().rungs == ("plug",)


def test_a_board_that_nothing_else_brings_back_is_flashed(bench: FakedBench) -> None:
    """Its image does not run, and the bench knows one that does."""

    def flash() -> Done:
        bench.agent.become(VID, PID)
        return Done(bench.clock.now_ns(), 0)

    lost(bench)
    bench.agent.lines_reset = bench.agent.has_port_switch = False
    bench.power.comes_back_s = None
    bench.board.readiness.flash = flash
    assert bench.board.recover().rungs == ("wait", "reset", "power_cycle", "flash")


def test_a_flash_that_did_not_end_is_repeated_soon(bench: FakedBench) -> None:
    """Leaving the loader in vain, then the known build: no power is cut on what cannot run."""

    def flash() -> Done:
        bench.agent.become(VID, PID)
        bench.board.flashing.unfinished = False
        return Done(bench.clock.now_ns(), 0)

    lost(bench)
    bench.agent.lines_reset = False
    bench.board.flashing.unfinished = True
    bench.board.readiness.flash = flash
    assert bench.board.recover().rungs == ("leave_loader", "flash")


def test_what_runs_after_a_flash_that_did_not_end_is_not_the_known_firmware(bench: FakedBench) -> None:
    """It may be the old one, or half of the new one: it is flashed, where there is something to flash."""
    flashing = bench.board.flashing
    flashing.unfinished = True
    assert bench.board.recover().rungs == ()

    def flash() -> Done:
        flashing.unfinished = False
        return Done(bench.clock.now_ns(), 0)

    bench.board.readiness.flash = flash
    recovered = bench.board.recover()
    assert str(recovered) == (
        "runs its application; it ran something although a flash of it did not end, and came back by flash"
    )
    assert bench.board.recover().rungs == ()


def test_what_is_done_follows_from_the_bench(tmp_path: Path) -> None:
    """A self-powered board without bridge, switch and fallback can only be waited for and asked over USB."""
    bench = FakedBench(tmp_path, supply="own").known()
    bench.agent.has_port_switch = False
    assert set(bench.board.readiness.rungs()) == {"wait", "plug", "resume", "leave_loader", "usb_reset"}
    bench.close()
    rich = FakedBench(tmp_path, console=CONSOLE, fallback="192.0.2.7").known()
    assert {"reset", "http_reset", "port_cycle", "power_cycle"} <= set(rich.board.readiness.rungs())
    rich.close()


JTAG = 0x1001


class SerialJtag:
    """A board whose application leaves USB to USB-Serial/JTAG, on which its ROM answers as well."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        profile = directory / "jtag.toml"
        profile.write_text('name = "jtag"\n\n[log]\nserial_jtag = true\n')
        self.bench = FakedBench(directory, str(profile), console=CONSOLE).known()
        self.board = self.bench.board
        self.in_rom = False
        self.asked = 0
        monkeypatch.setattr(self.board.chip.bootloader, "listens", self.listens)
        monkeypatch.setattr(self.bench.agent, "starts", self.starts)
        self.starts(download=False)
        self.passes()

    def listens(self, port: str = "usb") -> bool:
        self.asked += 1
        self.bench.capture.record(LoaderAsked(port, self.in_rom, board="s3-a", source="action"))
        return self.in_rom

    def starts(self, download: bool) -> None:
        """Its device comes anew, under the same name whatever runs."""
        self.in_rom = download
        self.bench.agent.become(VID, JTAG, 0.3)

    def passes(self) -> None:
        for _ in range(6):
            self.bench.clock.advance(0.1)
            self.bench.capture.catch_up()
        self.bench.witness.refresh()


@pytest.fixture
def jtag(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SerialJtag]:
    made = SerialJtag(tmp_path, monkeypatch)
    yield made
    made.bench.close()


def test_a_loader_behind_an_applications_name_is_found_by_its_answer(jtag: SerialJtag) -> None:
    """Recovery asks for it, and leads it out; an application there is well."""
    assert jtag.board.recover() == Recovered()
    jtag.starts(download=True)
    jtag.passes()
    assert jtag.board.recover().rungs == ("leave_loader",)
    assert not jtag.in_rom


@pytest.mark.parametrize("ends", ["make_ready", "leave"])
def test_a_loader_that_a_test_spoke_to_is_led_out_of_an_applications_name(jtag: SerialJtag, ends: str) -> None:
    """By what it answered last; an application is asked nothing, for it would take SYNC for its input."""
    getattr(jtag.board, ends)()
    assert jtag.asked == 0
    jtag.starts(download=True)
    jtag.passes()
    assert jtag.board.chip.bootloader.listens()
    getattr(jtag.board, ends)()
    assert not jtag.in_rom
    jtag.passes()
    asked = jtag.asked
    getattr(jtag.board, ends)()
    assert jtag.asked == asked


def test_what_was_there_before_the_run_is_asked_once(jtag: SerialJtag) -> None:
    """It may have been left in its loader; a board that is well is not told to have come back."""
    recovered = told(jtag.bench)
    jtag.board.readiness.inherit()
    jtag.board.make_ready()
    jtag.board.make_ready()
    assert (jtag.asked, recovered) == (1, [])
