"""A bench, opened: the agent, the capture process, the virtual board where there is one, and the boards."""

import os
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from hil import profiles
from hil.agent import allow
from hil.agent.allow import VIRTUAL_MODULES
from hil.agent.client import Agent
from hil.agent.places import COMING, SOCKET
from hil.bench import Bench, Board
from hil.board.interfaces import BootLine, PowerDriver
from hil.capture.client import Capture
from hil.capture.source import OPEN_END
from hil.clock import MonotonicClock
from hil.device.discovery import await_board
from hil.device.readiness import ENUMERATION_S
from hil.device.usb_board import UsbBoard
from hil.device.witness import Witness
from hil.errors import AgentRefused, BenchError, SetupError
from hil.net.host import Host
from hil.power.boot_line import BootRelay, VirtualButton
from hil.power.hub_port import HubPort
from hil.power.manual import Manual, ask_terminal
from hil.power.switched import Switched
from hil.power.virtual import VirtualCable
from hil.power.virtual_control import VirtualControl
from hil.profiles import Profile
from hil.timeline.events import BenchOpened, BenchRestored, CaptureGap, Event, ProfileRead

REAL_MODULES = ("usbmon", "cdc_acm", "cdc_ncm")
START_S = 60.0
"""For a process to start; an emulated machine needs some seconds."""
NO_BUILD = "no-build"
"""What a virtual board's ``mode`` is while its flash holds an application that it cannot run."""


class OpenBench:
    """Everything that a run has opened; :meth:`close` leaves the bench as it was found.

    Args:
        bench: what bench.toml says.
        artifacts: where the timeline, captures and logs go.
        faults: faults of the virtual board.
        tinyusb: TinyUSB of the virtual board's firmware.
        absent: whether a board that is not there is no error, whatever the bench can do about it.
    """

    def __init__(
        self,
        bench: Bench,
        artifacts: Path,
        faults: Sequence[str] = (),
        tinyusb: str = "0.21",
        *,
        absent: bool = False,
    ) -> None:
        self.name = bench.name
        self.virtual = bench.virtual
        self._boards: dict[str, UsbBoard] = {}
        self._controls: dict[str, VirtualControl] = {}
        self._told: list[Event] = []
        self._instead: dict[str, str] = {}
        """What is attached instead of a board that was not there, by its name."""
        with ExitStack() as undone:
            undone.callback(self.close)
            self.capture = Capture.start(artifacts / "session")
            self.agent = _agent()
            self._load(VIRTUAL_MODULES if self.virtual else REAL_MODULES, needed=self.virtual)
            if not self.virtual:
                self._await(bench, absent)
            specs = [self._attach(spec, faults, tinyusb) for spec in bench.boards]
            self.capture.connect(self.agent)
            self.witness = Witness(self.capture)
            self._tell(bench)
            for spec in specs:
                self._add(spec)
            self._begin()
            undone.pop_all()

    def board(self, name: str = "") -> UsbBoard:
        """The board called ``name``, or the first one.

        Raises:
            BenchError: there is none; the message lists those there are.
        """
        if not name:
            return next(iter(self._boards.values()))
        if name not in self._boards:
            raise BenchError(f"--hil-board is {name!r}; the bench {self.name} has {', '.join(self._boards)}")
        return self._boards[name]

    def beside(self, board: UsbBoard) -> tuple[UsbBoard, ...]:
        """The bench's other boards."""
        return tuple(each for each in self._boards.values() if each is not board)

    def without_build(self, board: UsbBoard) -> str:
        """'no virtual build of <project> <version>' of a virtual board that holds one; '' of any other board."""
        control = self._controls.get(board.name)
        state = control.do("state").values if control is not None else {}
        return str(state["runs"]) if state.get("mode") == NO_BUILD else ""

    def host(self, seed: int = 1) -> Host:
        """A host whose personas run on this bench's interfaces; ``seed`` makes their ids and jitter repeat."""
        return Host(self.agent, self.record, seed)

    def record(self, event: Event) -> Event:
        """Write an event of the test or of hil itself into the timeline; returns it with its stamp."""
        return self.capture.record(event)

    def close(self) -> None:
        """End everything in reverse order; the agent then undoes what it did."""
        if hasattr(self, "witness"):
            self.witness.close()
        if hasattr(self, "capture"):
            self.capture.stop()
        for control in self._controls.values():
            control.close()
        if hasattr(self, "agent"):
            self.agent.close()

    def _await(self, bench: Bench, absent: bool) -> None:
        """The boards, from a run before."""
        named = [board.usb for board in bench.boards]
        for spec in bench.boards:
            self._instead[spec.name] = await_board(spec, ENUMERATION_S, named=named, absent=absent)

    def _attach(self, spec: Board, faults: Sequence[str], tinyusb: str) -> Board:
        """A virtual board is made, and learns its topology paths."""
        if not self.virtual:
            return spec
        paths = [_absolute(fault) for fault in faults]
        handle = self.agent.start_virtual(
            {"board": spec.name, "supply": spec.supply, "faults": paths, "tinyusb": tinyusb, "role": spec.role}
        )
        self._controls[spec.name] = VirtualControl(handle.socket)
        return replace(
            spec, usb=handle.usb, console=handle.console, fallback=handle.address, fallback_namespace=handle.lan
        )

    def _load(self, modules: Sequence[str], needed: bool) -> None:
        """Have kernel modules loaded; of one that is not needed the timeline says what is missing without it."""
        for module in modules:
            try:
                self.agent.load_module(module)
            except (SetupError, AgentRefused) as error:
                if needed and not Path("/sys/module", module).exists():
                    raise
                self._told.append(CaptureGap(module, str(error), OPEN_END))

    def _add(self, spec: Board) -> None:
        profile = profiles.load(spec.profile)
        self.agent.open_namespace(spec.name)
        self.capture.add_board(spec, profile)
        power, boot = self._power(spec), self._boot(spec)
        self.record(_profile_read(spec, profile))
        self._boards[spec.name] = UsbBoard(spec, profile, self.agent, power, self.witness, self.capture, boot=boot)

    def _tell(self, bench: Bench) -> None:
        """Write down which bench it is, what is missing, and what the agent undid for a run before."""
        self.record(_opened(bench))
        for event in self._told:
            self.record(event)
        restored = self.agent.hello.last_restored
        if restored is not None:
            self.record(BenchRestored(restored, source="agent"))

    def _begin(self) -> None:
        """Once everything watches, plug the virtual boards in."""
        self.capture.sync(START_S)
        for board in self._boards.values():
            if self.virtual:
                board.plug()
            else:
                board.readiness.inherit(self._instead[board.name])

    def _power(self, spec: Board) -> PowerDriver:
        match spec.power.driver:
            case "virtual":
                return VirtualCable(self._controls[spec.name])
            case "manual":
                return Manual(spec.name, ask_terminal, MonotonicClock())
            case "relay" | "uhubctl":
                return Switched(self.agent, spec.name, spec.power)
            case _:
                return HubPort(self.agent, spec.name)

    def _boot(self, spec: Board) -> BootLine | None:
        match spec.boot.driver:
            case "virtual" if spec.supply == "bus":  # with a supply of its own the cable takes no power away
                return VirtualButton(self._controls[spec.name])
            case "relay":
                return BootRelay(self.agent, spec.name, spec.boot)
            case _:
                return None


def _agent() -> Agent:
    """The machine's agent where one listens or is starting, else one of this run's own."""
    coming = os.environ.get(COMING)
    if coming:
        return Agent.connect(Path(coming), START_S)
    if SOCKET.exists():
        return Agent.connect()
    # Whoever may spawn an agent is root or may become it without a password: a file of faults gains nothing by that.
    return Agent.spawn(fault_files=not allow.DEFAULT.exists())


def _absolute(fault: str) -> str:
    """A fault's file by its whole path; the agent's directory is not the test's."""
    name, colon, options = fault.partition(":")
    return f"{Path(name).resolve()}{colon}{options}" if name.endswith(".py") else fault


def _profile_read(spec: Board, profile: Profile) -> ProfileRead:
    network = profile.network
    addresses = (network.address, network.prefix, network.pool_first, network.pool_last)
    return ProfileRead(profile.name, *addresses, profile.loader.identity, spec.role, board=spec.name, source="harness")


def _opened(bench: Bench) -> BenchOpened:
    kind = "virtual" if bench.virtual else "real"
    names = ", ".join(board.name for board in bench.boards)
    return BenchOpened(bench.name, kind, names)
