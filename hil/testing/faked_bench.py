"""One board on fakes all around, its device on the bus and awake."""

from pathlib import Path
from typing import Any, Self

from hil.bench import Board, Power
from hil.device.usb_board import UsbBoard
from hil.device.witness import Witness
from hil.profiles import load
from hil.testing.fake_agent import PATH, FakeAgent
from hil.testing.fake_capture import FakeCapture
from hil.testing.fake_clock import FakeClock
from hil.testing.fake_power import FakePower
from hil.timeline.events import Acted, ActionFailed, Started, UsbAttached

CONSOLE = "1-1.3"


class FakedBench:
    """Time passes only where the board or its test waits.

    Args:
        directory: where the timeline is written.
        profile: of the board's firmware.
        start_ns: what the clock says at first.
        spec: fields of the board in bench.toml, but its name and path.
    """

    def __init__(self, directory: Path, profile: str = "reference", start_ns: int = 1_000_000_000, **spec: Any) -> None:
        self.clock = FakeClock(start_ns)
        self.capture = FakeCapture(directory, self.clock)
        self.agent = FakeAgent(self.capture)
        self.power = FakePower(self.agent)
        self.witness = Witness(self.capture, self.clock)
        board = Board("s3-a", PATH, **{"power": Power("virtual"), **spec})
        self.board = UsbBoard(board, load(profile), self.agent, self.power, self.witness, self.capture, self.clock)

    def known(self) -> Self:
        """The timeline has told of the device."""
        self.agent.attach()
        assert self.witness.find(UsbAttached(), 0, 1.0)
        return self

    def actions(self) -> list[tuple[str, str]]:
        """What the timeline says of actions: kind and name."""
        self.witness.refresh()
        kinds = (Started, Acted, ActionFailed)
        return [(type(e).__name__, e.action) for e in self.witness.timeline if isinstance(e, kinds)]

    def acted(self) -> list[tuple[str, str]]:
        """What took effect: its name, and what the board sees of it."""
        self.witness.refresh()
        return [(event.action, event.sees) for event in self.witness.timeline if isinstance(event, Acted)]

    def close(self) -> None:
        self.witness.close()
