"""A board on fakes whose chip can be sent into its loader."""

from collections.abc import Callable
from pathlib import Path

import pytest

from hil.agent.replies import Done
from hil.clock import Clock, now_ns
from hil.device.actions import Actions
from hil.device.bootloader import Bootloader
from hil.device.held_boot import PowerWithBoot
from hil.device.lent_port import Port
from hil.device.loader_ways import Ways
from hil.device.mode import Modes
from hil.device.readings import Readings
from hil.errors import LoaderFailure
from hil.profiles import Profile
from hil.profiles.http import Http
from hil.profiles.loader import Loader
from hil.testing.fake_port import FakeLoader, FakePort
from hil.testing.faked_bench import FakedBench
from hil.timeline.events import BootMessage

JTAG, OTG, APPLICATION = 0x1001, 0x0009, 0x4001
SOON_S = 2.0
"""The board's own doings are dated by a fake clock, its replies by the real one: this is longer than a reply takes."""


class Chip:
    """A board on fakes, and its Bootloader; ``rom`` answers at its ports."""

    def __init__(self, directory: Path, loader: Loader, http: Http, button: bool = False, **spec: str) -> None:
        self.bench = FakedBench(directory, start_ns=now_ns(), **spec).known()
        self.bench.clock.advance(0.1)
        self.held: list[bool] = []
        """What was done to BOOT."""
        self.wired = True
        """Whether BOOT is wired to IO0."""
        self.rom = FakeLoader()
        self.port = FakePort(self.bench.clock, self.rom.answer)
        self.bench.agent.ttys["console"] = "/dev/ttyUSB0"
        self.tells: Callable[[Port, str, str, Clock], str] = lambda port, board, statement, clock: ""
        board = self.bench.board.spec
        profile = Profile("mine", loader=loader, http=http, network=self.bench.board.profile.network)
        actions = Actions(board.name, self.bench.capture.record)
        agent, witness, clock = self.bench.agent, self.bench.witness, self.bench.clock
        modes, lend = Modes(board, agent, witness), self.port.lend
        ways = Ways(
            board,
            profile,
            agent=agent,
            modes=modes,
            readings=Readings(board, profile, agent, actions),
            witness=witness,
            lend=lend,
            clock=clock,
            power=PowerWithBoot(self._pull, self._put_back, self, clock.sleep) if button else None,
            tell=self._tell,
        )
        self.bootloader = Bootloader(
            board, profile, ways, agent=agent, actions=actions, modes=modes, witness=witness, lend=lend, clock=clock
        )

    def hold(self) -> Done:
        self.held.append(True)
        return Done(self.bench.clock.now_ns(), 0)

    def let_go(self) -> Done:
        self.held.append(False)
        return Done(self.bench.clock.now_ns(), 0)

    def _pull(self) -> Done:
        self.bench.agent.detach()
        return Done(self.bench.clock.now_ns(), 0)

    def _put_back(self) -> Done:
        """IO0 is looked at now."""
        self.bench.agent.starts(download=self.wired and self.held[-1:] == [True])
        return Done(self.bench.clock.now_ns(), 0)

    def _tell(self, port: Port, board: str, statement: str, clock: Clock) -> str:
        return self.tells(port, board, statement, clock)

    def goes_to(self, pid: int, within_s: float = 0.5) -> None:
        """The device goes, and another one comes."""
        self.bench.agent.become(0x303A, pid, within_s)

    def obeys(self, pid: int, says: bytes = b"") -> None:
        """What is written to the port sends the board there; then its loader answers."""

        def answer(data: bytes) -> bytes:
            self.port.answer = self.rom.answer
            self.goes_to(pid)
            return says

        self.port.answer = answer


Made = Callable[..., Chip]


def in_loader(made: Chip, pid: int = JTAG) -> None:
    made.goes_to(pid, 0.0)
    made.bench.capture.catch_up()
    made.bench.clock.advance(0.5)
    made.bench.witness.refresh()


def line_of(line: BootMessage) -> BootMessage:
    from msgspec.structs import replace

    return replace(line, board="s3-a", source="console")


def found(error: pytest.ExceptionInfo[LoaderFailure]) -> str:
    return error.value.name
