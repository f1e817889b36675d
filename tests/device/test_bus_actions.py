"""What is done to a board on its bus with its cable in."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hil.bench import Power
from hil.clock import to_ns
from hil.device.usb_board import UsbBoard
from hil.errors import AgentError, BoardVanished, MisuseError
from hil.testing.faked_bench import FakedBench
from hil.timeline.events import Acted


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[FakedBench]:
    """A bus-powered board that the timeline knows."""
    made = FakedBench(tmp_path).known()
    yield made
    made.close()


def written(bench: FakedBench) -> list[tuple[str, ...]]:
    """Attributes that were written, with their values."""
    return [call[2:] for call in bench.agent.calls if call[0] == "write_attribute"]


CYCLES: list[tuple[Callable[[UsbBoard], Acted], tuple[str, str], str, list[tuple[str, str]]]] = [
    (
        lambda board: board.authorize_cycle(0.5),
        ("deauthorize", "authorize"),
        "reconfigure",
        [("authorized", "0"), ("authorized", "1")],
    ),
    (
        lambda board: board.port_disable(0.5),
        ("port_disable", "port_enable"),
        "disconnect",
        [("port_disable", "1"), ("port_disable", "0")],
    ),
    (lambda board: board.rebind(off_s=0.5), ("unbind", "bind"), "reconfigure", [("bound", "0"), ("bound", "1")]),
    (
        lambda board: board.rebind("cdc_ncm", off_s=0.5),
        ("unbind", "bind"),
        "traffic",
        [("bound_ncm", "0"), ("bound_ncm", "1")],
    ),
]


@pytest.mark.parametrize(
    ("act", "names", "sees", "attributes"), CYCLES, ids=["authorize", "port", "rebind", "rebind-ncm"]
)
def test_a_cycle_takes_away_waits_and_gives_back(
    bench: FakedBench,
    act: Callable[[UsbBoard], Acted],
    names: tuple[str, str],
    sees: str,
    attributes: list[tuple[str, str]],
) -> None:
    """Two actions, both with what the board sees of them; the instant is that of the first."""
    taken = act(bench.board)
    assert written(bench) == attributes
    assert bench.acted() == [(names[0], sees), (names[1], sees)]
    assert bench.clock.now_ns() == taken.t_ns + to_ns(0.5)


def test_a_usb_reset_is_one_action(bench: FakedBench) -> None:
    """USBDEVFS_RESET, at the agent's instant."""
    done = bench.board.usb_reset()
    assert bench.acted() == [("usb_reset", "bus_reset")]
    assert (done.t_ns, done.t_err_ns) == (bench.clock.now_ns(), 1000)
    assert ("reset_device", "s3-a") in bench.agent.calls


@pytest.mark.parametrize("act", [lambda board: board.usb_reset(), lambda board: board.authorize_cycle()])
def test_a_board_that_goes_meanwhile_has_vanished(bench: FakedBench, act: Callable[[UsbBoard], object]) -> None:
    """That the kernel cannot do it is then the board's failure."""
    bench.agent.detach()
    with pytest.raises(BoardVanished, match=r"s3-a is not on the bus at 1-1\.2"):
        act(bench.board)
    assert bench.actions()[-1][0] == "ActionFailed"


def test_a_kernel_that_refuses_is_not_the_boards_fault(bench: FakedBench) -> None:
    """The device is still there; the agent's own words stay."""
    bench.agent.refuses = ("write_attribute", "s3-a", "authorized", "0")
    with pytest.raises(AgentError, match="authorized 0: Input/output error"):
        bench.board.authorize_cycle()


def test_an_unknown_driver_lists_the_known_ones(bench: FakedBench) -> None:
    """Before anything is written."""
    with pytest.raises(MisuseError, match="driver 'cdc_ether' is not known; known: 'usb', 'cdc_ncm'"):
        bench.board.rebind("cdc_ether")
    assert bench.actions() == []


@pytest.mark.parametrize(
    ("act", "attribute", "given"),
    [
        (lambda board: board.authorize_cycle(), "authorized", "1"),
        (lambda board: board.port_disable(), "port_disable", "0"),
        (lambda board: board.rebind(), "bound", "1"),
    ],
)
def test_what_an_interrupted_test_took_away_the_next_one_gets_back(
    bench: FakedBench, act: Callable[[UsbBoard], object], attribute: str, given: str
) -> None:
    """Ctrl-C or a test's time limit in the middle of a cycle; the board is then waited for."""
    bench.clock.interrupt_next_sleep = True
    with pytest.raises(KeyboardInterrupt):
        act(bench.board)
    assert bench.agent.attributes[attribute] != given
    bench.board.make_ready()
    assert bench.agent.attributes[attribute] == given
    del bench.agent.calls[:]
    bench.board.make_ready()
    assert written(bench) == []


def test_what_was_taken_from_a_device_that_has_gone_went_with_it(bench: FakedBench) -> None:
    """A board that was replugged is authorized again by itself."""
    bench.clock.interrupt_next_sleep = True
    with pytest.raises(KeyboardInterrupt):
        bench.board.authorize_cycle()
    bench.board.unplug()
    bench.board.make_ready()
    assert ("authorized", "1") not in written(bench)


def test_a_kernel_without_port_switch_offers_no_disconnect(bench: FakedBench) -> None:
    """Kernels before 6.0; a test that needs it is skipped by that name."""
    bench.agent.has_port_switch = False
    assert bench.board.offers == {"suspend", "vbus_off", "reconfigure", "bus_reset", "reset"}


def test_without_a_driver_and_a_port_switch_nothing_can_be_unplugged(tmp_path: Path) -> None:
    """The driver 'none' is that switch."""
    bench = FakedBench(tmp_path, power=Power("none")).known()
    bench.power.sees = "disconnect"
    with_switch = bench.board.offers
    bench.agent.has_port_switch = False
    assert (with_switch - bench.board.offers) == {"disconnect"}
    bench.close()


def test_a_board_with_its_own_supply_sees_only_silence_of_a_disabled_port(tmp_path: Path) -> None:
    """As when its cable is pulled."""
    bench = FakedBench(tmp_path, supply="own").known()
    assert bench.board.port_disable().sees == "suspend"
    bench.close()
