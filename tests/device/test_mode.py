"""What is at a board's topology path, and waiting for it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hil.board.identity import LOADERS, Identity
from hil.clock import to_ns
from hil.device.mode import Modes
from hil.errors import AgentError, BoardFailure
from hil.testing.fake_agent import PATH
from hil.testing.faked_bench import FakedBench
from hil.timeline.events import TtyAppeared, UsbAttached


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[FakedBench]:
    """A board whose application runs."""
    made = FakedBench(tmp_path).known()
    yield made
    made.close()


@pytest.fixture
def modes(bench: FakedBench) -> Modes:
    return Modes(bench.board.spec, bench.agent, bench.witness)


def test_the_kernel_says_what_is_there(bench: FakedBench, modes: Modes) -> None:
    """An application, the loader's two identities, and an empty port."""
    seen = [modes.now()]
    for pid in (0x1001, 0x0009):
        bench.agent.become(0x303A, pid)
        bench.capture.catch_up()
        seen.append(modes.now())
    bench.agent.detach()
    seen.append(modes.now())
    assert seen == [Identity.APPLICATION, Identity.SERIAL_JTAG, Identity.USB_OTG, Identity.NOTHING]


def test_an_agent_that_is_gone_is_no_empty_port(bench: FakedBench, modes: Modes) -> None:
    """What cannot be asked is not answered."""
    bench.agent.alive = False
    with pytest.raises(AgentError, match="the agent is gone"):
        modes.now()


def test_a_wait_ends_when_it_comes(bench: FakedBench, modes: Modes) -> None:
    """Two seconds later the loader is there, and no time is spent beyond that."""
    bench.agent.become(0x303A, 0x1001, after_s=2.0)
    began_ns = bench.clock.now_ns()
    assert modes.wait(LOADERS, 8.0) is Identity.SERIAL_JTAG
    assert to_ns(2.0) <= bench.clock.now_ns() - began_ns < to_ns(2.5)


def test_a_wait_that_ends_in_vain_says_what_there_is(bench: FakedBench, modes: Modes) -> None:
    """The caller judges."""
    assert modes.wait(LOADERS, 3.0) is Identity.APPLICATION


def test_an_arrival_is_dated_by_its_uevent(bench: FakedBench, modes: Modes) -> None:
    """And is none while it is what was there before."""
    bench.clock.advance(0.1)
    since_ns = bench.clock.now_ns()
    assert modes.came({Identity.APPLICATION}, since_ns, 1.0) is None
    bench.agent.become(0x303A, 0x0009, after_s=1.0)
    arrival = modes.came(LOADERS, since_ns, 5.0)
    assert arrival is not None
    assert arrival.identity is Identity.USB_OTG
    assert arrival.t_ns - since_ns >= to_ns(2.0)


def test_a_device_that_came_and_went_has_not_arrived(bench: FakedBench, modes: Modes) -> None:
    """A PHY that is switched before the restart shows its other identity for a moment."""
    since_ns = bench.clock.now_ns()
    bench.agent.become(0x303A, 0x1001)
    bench.clock.advance(0.1)
    bench.capture.catch_up()
    bench.agent.detach()
    bench.clock.advance(0.1)
    bench.capture.catch_up()
    assert modes.came(LOADERS, since_ns, 1.0) is None
    assert bench.witness.timeline.last(UsbAttached(path=PATH)) is not None


def test_the_serial_port_is_found_by_the_path(bench: FakedBench, modes: Modes) -> None:
    """Whatever its name is this time; a driver that is still probing is waited for."""
    bench.agent.ttys.clear()
    bench.capture.after(0.3, lambda: bench.agent.ttys.update(usb="/dev/ttyACM7"))
    assert modes.tty() == "/dev/ttyACM7"


def test_a_serial_port_that_the_timeline_tells_of_is_not_asked_for(bench: FakedBench, modes: Modes) -> None:
    """Until the device that it belonged to has gone."""
    bench.agent.become(0x303A, 0x1001)
    bench.capture.record_after(0.1, TtyAppeared(PATH, "/dev/ttyACM4", source="uevent"))
    bench.capture.record_after(0.1, TtyAppeared("1-4", "/dev/ttyACM5", source="uevent"))
    bench.clock.advance(0.2)
    bench.capture.catch_up()
    bench.witness.refresh()
    assert modes.tty() == "/dev/ttyACM4"
    bench.agent.become(0x303A, 0x4001)
    bench.clock.advance(0.1)
    bench.capture.catch_up()
    bench.witness.refresh()
    assert modes.tty() == bench.agent.ttys["usb"]


def test_no_serial_port_is_said_with_what_there_is(bench: FakedBench, modes: Modes) -> None:
    """Board, path, port and identity."""
    bench.agent.ttys.clear()
    with pytest.raises(BoardFailure, match=r"s3-a has no serial port at 1-1.2 \(usb\) after 5 s; there is an appl"):
        modes.tty()
