"""What a board does when a test asks for it, and what is said when it does not."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hil.agent.replies import ConnectFailed
from hil.clock import to_ns
from hil.device.bus_sleep import SUSPEND_S
from hil.device.readiness import ENUMERATION_S, QUIET_S
from hil.device.usb_board import DETACH_S, UsbBoard
from hil.errors import AgentError, BoardFailure, BoardVanished, HarnessError, MisuseError
from hil.testing.fake_agent import PATH
from hil.testing.faked_bench import FakedBench
from hil.testing.scripted_http import ScriptedHttp, reply
from hil.timeline.events import HttpFailed, UsbAttached, UsbControl, UsbDetached, UsbSuspended


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[FakedBench]:
    """A bus-powered board that the timeline knows."""
    made = FakedBench(tmp_path).known()
    yield made
    made.close()


@pytest.fixture
def self_powered(tmp_path: Path) -> Iterator[FakedBench]:
    """A board with a supply of its own."""
    made = FakedBench(tmp_path, supply="own").known()
    yield made
    made.close()


@pytest.fixture
def unheard(tmp_path: Path) -> Iterator[FakedBench]:
    """A board that was plugged in before the capture began: the timeline knows nothing of it."""
    made = FakedBench(tmp_path)
    yield made
    made.close()


def test_a_board_is_ready_once_the_drivers_have_left_it_alone(bench: FakedBench) -> None:
    """A control request of a moment ago is waited out: in the middle of one the kernel holds a disconnect up."""
    asked = bench.capture.record(
        UsbControl("SET_ETHERNET_PACKET_FILTER", 14, 2, 0, 0, "", board="s3-a", source="usbmon")
    )
    bench.board.make_ready()
    assert bench.clock.now_ns() - asked.t_ns > to_ns(QUIET_S)


# ---- cable --------------------------------------------------------------------------------------


def test_replug_pulls_waits_and_puts_back(bench: FakedBench) -> None:
    """The instant is that of the pull; the plug comes after the detach was seen and the pause was over."""
    pulled = bench.board.replug(off_s=1.0)
    assert bench.actions() == [("Started", "unplug"), ("Acted", "unplug"), ("Started", "plug"), ("Acted", "plug")]
    gone = bench.witness.find(UsbDetached(), 0, 0.0)
    assert gone is not None
    assert pulled.t_ns < gone.t_ns
    assert bench.clock.now_ns() == gone.t_ns + to_ns(1.0)
    assert bench.power.done == ["off", "on"]
    assert pulled.sees == "vbus_off"


def test_a_board_that_never_detaches_is_the_benchs_fault(bench: FakedBench) -> None:
    """No firmware can stay on the bus without its cable; the action fails after its deadline, and has not acted."""
    bench.power.detaches = False
    began_ns = bench.clock.now_ns()
    with pytest.raises(HarnessError, match=r"s3-a is still on the bus 10 s after .*: the kernel has it at 1-1\.2; is"):
        bench.board.unplug()
    assert bench.clock.now_ns() - began_ns == to_ns(DETACH_S)
    assert bench.actions() == [("Started", "unplug"), ("ActionFailed", "unplug")]


def test_pulling_a_board_that_is_away_does_not_wait(bench: FakedBench) -> None:
    """There is nothing to wait for."""
    bench.agent.detach()
    assert bench.witness.find(UsbDetached(), 0, 1.0)
    began_ns = bench.clock.now_ns()
    bench.board.unplug()
    assert bench.clock.now_ns() == began_ns
    assert bench.actions()[-1] == ("Acted", "unplug")


def test_a_board_that_was_there_before_the_run_is_waited_for(unheard: FakedBench) -> None:
    """No uevent told of its coming; the kernel is asked instead."""
    unheard.board.unplug()
    assert unheard.agent.calls[0] == ("read_attribute", "s3-a", "runtime_status")
    assert not unheard.agent.present


def test_a_board_that_leaves_without_a_uevent_is_gone_for_the_kernel(bench: FakedBench) -> None:
    """A device that is pulled before it was enumerated is never told of; nor must its ghost count as the next one."""
    bench.agent.tells = False
    pulled = bench.board.unplug()
    assert bench.clock.now_ns() - pulled.t_ns < to_ns(DETACH_S)
    assert bench.witness.attached(PATH)
    bench.power.comes_back_s = None
    with pytest.raises(BoardVanished):
        bench.board.make_ready()


def test_a_board_that_came_back_without_a_uevent_is_there_for_the_kernel(bench: FakedBench) -> None:
    """Once the two have disagreed, the kernel is asked."""
    bench.agent.tells = False
    bench.board.replug()
    bench.capture.wait(1.0)
    bench.board.make_ready()
    assert bench.agent.present


def test_a_board_that_drops_off_by_itself_while_it_is_pulled_is_gone(bench: FakedBench) -> None:
    """Its own recovery and the pull in the same moment: one uevent for the two of them is enough."""
    bench.agent.detach()
    bench.agent.attach()
    bench.agent.tells = False
    bench.board.unplug()
    assert bench.actions()[-1] == ("Acted", "unplug")


def test_a_driver_that_fails_leaves_the_cable_as_it_was(bench: FakedBench) -> None:
    """The bench's error is recorded and raised, and the next test does not plug what was never pulled."""
    bench.power.broken = HarnessError("the relay does not answer")
    with pytest.raises(HarnessError, match="the relay does not answer"):
        bench.board.unplug()
    assert bench.actions() == [("Started", "unplug"), ("ActionFailed", "unplug")]
    bench.power.broken = None
    bench.board.make_ready()
    assert bench.power.done == []


def test_a_plug_that_fails_is_tried_again_by_the_next_test(bench: FakedBench) -> None:
    """The board counts as unplugged until the driver has put it back."""
    bench.board.unplug()
    bench.power.broken = HarnessError("the relay does not answer")
    with pytest.raises(HarnessError):
        bench.board.plug()
    bench.power.broken = None
    bench.board.make_ready()
    assert bench.power.done == ["off", "on"]


def test_a_self_powered_board_sees_only_suspend_when_its_cable_is_pulled(self_powered: FakedBench) -> None:
    """It is neither offered nor recorded as more, and cannot be power-cycled."""
    assert self_powered.board.offers == {"suspend", "reconfigure", "bus_reset", "reset"}
    with pytest.raises(MisuseError, match=r"it sees only suspend when .*needs='vbus_off'"):
        self_powered.board.power_cycle()
    assert self_powered.board.unplug().sees == "suspend"


def test_a_bus_powered_board_can_be_power_cycled(bench: FakedBench) -> None:
    """Pulling its cable takes its supply."""
    assert bench.board.offers == {"suspend", "vbus_off", "disconnect", "reconfigure", "bus_reset", "reset"}
    assert bench.board.power_cycle().sees == "vbus_off"


# ---- sleep --------------------------------------------------------------------------------------


def test_suspend_returns_when_the_bus_slept(bench: FakedBench) -> None:
    """The instant is that of the kernel's own attribute, within its error, and not of the request."""
    asleep = bench.board.suspend()
    seen = bench.witness.find(UsbSuspended(), 0, 0.0)
    assert seen is not None
    assert abs(asleep.t_ns - seen.t_ns) <= asleep.t_err_ns
    assert asleep.t_err_ns < to_ns(0.01)
    assert ("write_attribute", "s3-a", "control", "auto") in bench.agent.calls
    assert bench.actions() == [("Started", "suspend"), ("Acted", "suspend")]


def test_resume_keeps_the_bus_awake(bench: FakedBench) -> None:
    """A negative delay is written before control."""
    bench.board.suspend()
    del bench.agent.calls[:]
    bench.board.resume()
    assert bench.agent.calls[:2] == [
        ("write_attribute", "s3-a", "autosuspend_delay_ms", "-1"),
        ("write_attribute", "s3-a", "control", "on"),
    ]
    assert bench.agent.attributes["runtime_status"] == "active"


def test_doze_lasts_as_long_as_asked(bench: FakedBench) -> None:
    """From the suspend to the resume pass ``asleep_s``."""
    asleep, awake = bench.board.doze(2.5)
    assert abs(awake.t_ns - asleep.t_ns - to_ns(2.5)) <= asleep.t_err_ns


def test_a_board_that_does_not_suspend_is_a_failure_with_its_state(bench: FakedBench) -> None:
    """After the deadline the message says what the kernel says, and the next test finds the bus kept awake."""
    bench.agent.suspends = False
    began_ns = bench.clock.now_ns()
    with pytest.raises(BoardFailure, match=r"did not suspend within 5 s: runtime_status is 'active'; a driver in use"):
        bench.board.suspend()
    assert to_ns(SUSPEND_S) <= bench.clock.now_ns() - began_ns < to_ns(SUSPEND_S + 0.1)
    assert bench.actions() == [("Started", "suspend"), ("ActionFailed", "suspend")]
    bench.board.leave()
    assert bench.agent.attributes["control"] == "on"


def test_a_board_that_does_not_resume_is_a_failure(bench: FakedBench) -> None:
    """The kernel says that it still sleeps."""
    bench.board.suspend()
    bench.agent.resumes = False
    with pytest.raises(BoardFailure, match="s3-a did not resume: runtime_status is 'suspended'"):
        bench.board.resume()
    assert bench.actions()[-1] == ("ActionFailed", "resume")


def test_suspending_twice_is_an_error_of_the_test(bench: FakedBench) -> None:
    """A bus that sleeps cannot go to sleep; waiting for it would blame the board."""
    bench.board.suspend()
    with pytest.raises(MisuseError, match="s3-a is suspended already"):
        bench.board.suspend()


# ---- a board that vanishes ----------------------------------------------------------------------

SUSPEND_CALLS = [
    ("read_attribute", "s3-a", "runtime_status"),
    ("write_attribute", "s3-a", "autosuspend_delay_ms", "500"),
    ("write_attribute", "s3-a", "control", "auto"),
]
RESUME_CALLS = [
    ("write_attribute", "s3-a", "autosuspend_delay_ms", "-1"),
    ("write_attribute", "s3-a", "control", "on"),
    ("read_attribute", "s3-a", "runtime_status"),
]


@pytest.mark.parametrize("call", SUSPEND_CALLS)
def test_a_board_that_vanishes_as_it_is_suspended_is_the_boards_failure(
    bench: FakedBench, call: tuple[str, ...]
) -> None:
    """At whichever call it goes: the agent could not reach it because it is gone, and that is no error of the bench."""
    bench.agent.vanish_on = call
    with pytest.raises(BoardVanished, match=r"s3-a is not on the bus at 1-1\.2: no USB device"):
        bench.board.suspend()
    assert bench.actions() == [("Started", "suspend"), ("ActionFailed", "suspend")]


@pytest.mark.parametrize("call", RESUME_CALLS)
def test_a_board_that_vanishes_as_it_is_resumed_is_the_boards_failure(bench: FakedBench, call: tuple[str, ...]) -> None:
    """The same on the way back."""
    bench.board.suspend()
    bench.agent.vanish_on = call
    with pytest.raises(BoardVanished):
        bench.board.resume()
    assert bench.actions()[-1] == ("ActionFailed", "resume")


def test_a_board_that_vanishes_in_its_sleep_is_found_out_by_the_resume(bench: FakedBench) -> None:
    """doze() ends with the board's failure."""
    bench.capture.after(1.0, lambda: None)
    asleep = bench.board.suspend()
    bench.agent.detach()
    with pytest.raises(BoardVanished):
        bench.board.resume()
    assert bench.witness.find(UsbDetached(), asleep.t_ns, 0.0)


def test_a_board_that_goes_instead_of_sleeping_has_vanished(bench: FakedBench) -> None:
    """It leaves after the last write and before it would have slept."""
    bench.agent.suspends = False
    bench.capture.after(0.5, bench.agent.detach)
    with pytest.raises(BoardVanished):
        bench.board.suspend()


@pytest.mark.parametrize("action", ["suspend", "resume"])
def test_an_action_on_a_board_that_is_away_says_so(bench: FakedBench, action: str) -> None:
    """It had gone before."""
    bench.agent.detach()
    assert bench.witness.find(UsbDetached(), 0, 1.0)
    with pytest.raises(BoardVanished, match="is not on the bus"):
        getattr(bench.board, action)()


@pytest.mark.parametrize("action", ["suspend", "resume"])
def test_an_agent_that_is_gone_is_not_the_boards_fault(bench: FakedBench, action: str) -> None:
    """Whatever the board does, the error is the harness's."""
    bench.agent.alive = False
    with pytest.raises(AgentError, match="the agent is gone"):
        getattr(bench.board, action)()
    assert bench.actions() == [("Started", action), ("ActionFailed", action)]


def test_an_agent_that_is_gone_says_nothing_about_a_board_that_is_away(bench: FakedBench) -> None:
    """That the board has left too does not make it the reason."""
    bench.agent.detach()
    assert bench.witness.find(UsbDetached(), 0, 1.0)
    bench.agent.alive = False
    with pytest.raises(AgentError, match="the agent is gone"):
        bench.board.resume()


def test_an_agent_that_fails_with_the_board_there_is_not_the_boards_fault(bench: FakedBench) -> None:
    """The kernel refused a write and the board did not leave: the agent's own error stays."""
    bench.agent.refuses = SUSPEND_CALLS[1]
    with pytest.raises(AgentError, match="Input/output error"):
        bench.board.suspend()


# ---- a test's beginning and end -----------------------------------------------------------------


def test_a_board_that_is_there_is_ready_at_once(bench: FakedBench) -> None:
    """Nothing is done to it."""
    began_ns = bench.clock.now_ns()
    bench.board.make_ready()
    assert bench.clock.now_ns() == began_ns
    assert bench.actions() == []


def test_a_board_that_was_there_before_the_run_is_ready(unheard: FakedBench) -> None:
    """A real board is plugged in when the run begins, and no uevent tells of it."""
    unheard.board.make_ready()
    assert unheard.actions() == []


def test_an_assertion_names_the_board(bench: FakedBench) -> None:
    assert repr(bench.board) == f"board {bench.board.name}"


def test_a_board_that_the_last_test_left_unplugged_is_plugged_in(bench: FakedBench) -> None:
    """And waited for, until it is on the bus."""
    bench.board.unplug()
    bench.board.make_ready()
    assert bench.agent.present
    assert bench.witness.attached(PATH)


def test_a_board_that_comes_while_the_plug_is_written_is_not_missed(bench: FakedBench) -> None:
    """It attaches before plug() has returned: what counts is that it is there, not when the wait began."""
    bench.board.unplug()
    bench.power.comes_back_s = None
    bench.capture.hold(UsbAttached(PATH, 1, 2))
    bench.clock.advance(0.001)
    bench.board.make_ready()
    assert bench.witness.attached(PATH)


def test_a_board_that_does_not_come_back_has_vanished(bench: FakedBench) -> None:
    """After the time that enumeration may take."""
    bench.board.unplug()
    bench.power.comes_back_s = None
    began_ns = bench.clock.now_ns()
    with pytest.raises(BoardVanished, match=r"s3-a is not on the bus at 1-1\.2 after 15 s"):
        bench.board.make_ready()
    assert bench.clock.now_ns() - began_ns == to_ns(ENUMERATION_S)


def test_a_test_that_leaves_the_bus_asleep_is_cleaned_up(bench: FakedBench) -> None:
    """leave() wakes it."""
    bench.board.suspend()
    bench.board.leave()
    assert bench.agent.attributes["runtime_status"] == "active"
    del bench.agent.calls[:]
    bench.board.leave()
    assert {call[0] for call in bench.agent.calls} == {"read_attribute"}


def test_a_board_that_was_pulled_in_its_sleep_comes_back_awake(bench: FakedBench) -> None:
    """It is a new device to the kernel: nothing is left to undo."""
    bench.board.suspend()
    bench.board.unplug()
    bench.board.make_ready()
    assert bench.actions()[-1] == ("Acted", "plug")


def test_leaving_a_sleeping_board_that_has_gone_is_no_error(bench: FakedBench) -> None:
    """There is nothing to wake."""
    bench.board.suspend()
    bench.agent.detach()
    assert bench.witness.find(UsbDetached(), 0, 1.0)
    bench.board.leave()
    assert bench.actions()[-1] == ("Acted", "suspend")


ACTIONS: list[Callable[[UsbBoard], object]] = [
    lambda board: board.unplug(),
    lambda board: board.replug(),
    lambda board: board.power_cycle(),
    lambda board: board.doze(1.0),
]


@pytest.mark.parametrize("act", ACTIONS, ids=["unplug", "replug", "power_cycle", "doze"])
@pytest.mark.parametrize("gone_after_s", [0.0, 0.005, 0.04, 0.3])
def test_every_start_has_one_end(bench: FakedBench, act: Callable[[UsbBoard], object], gone_after_s: float) -> None:
    """Whenever the board goes by itself, each Started is followed by an Acted or an ActionFailed of its name."""
    bench.capture.after(gone_after_s, bench.agent.detach)
    try:
        act(bench.board)
    except BoardVanished:
        assert bench.actions()[-1][0] == "ActionFailed"
    actions = bench.actions()
    assert actions
    for (start, name), (end, ended) in zip(actions[::2], actions[1::2], strict=True):
        assert (start, name) == ("Started", ended)
        assert end in ("Acted", "ActionFailed")


def test_a_server_that_starts_to_listen_is_asked_again_until_it_does(bench: FakedBench) -> None:
    """A refused connection says that it does not yet; anything else is the answer."""
    with ScriptedHttp() as http:
        refused = ConnectFailed("refused", "192.168.7.1:80: no")
        bench.agent.answers += [refused, refused, http.says(reply(b"{}"))]
        reading = bench.board.first_answer("/status")
    assert reading.answered
    assert reading.body == b"{}"
    assert bench.actions().count(("Acted", "http_get")) == 3


def test_a_server_that_never_listens_is_not_asked_for_ever(bench: FakedBench) -> None:
    """The last refusal is what the test gets; a connection that hangs is not tried again."""
    bench.agent.answers += [ConnectFailed("refused", "no")] * 100
    reading = bench.board.first_answer("/status", within_s=1.0)
    assert isinstance(reading.reply, HttpFailed)
    assert 10 < len(bench.actions()) // 2 < 30
    bench.agent.answers = [ConnectFailed("timeout", "nothing came")]
    assert not bench.board.first_answer("/status").answered
