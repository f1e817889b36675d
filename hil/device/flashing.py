"""Putting a firmware into a board's flash, and seeing that it runs.

Into the loader, write, out of it again, and then the board is asked: what esptool says of its own work is no evidence
that the firmware runs. The board is found by its topology path before and after, whatever it is called meanwhile.
"""

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from hil.bench import FLASH_WAYS, Board
from hil.board.identity import LOADERS, Identity
from hil.board.sight import RESET
from hil.clock import Clock
from hil.device.actions import Actions
from hil.device.bootloader import Entered
from hil.device.lent_port import Lender
from hil.device.loader_ways import HTTP
from hil.device.mode import Modes
from hil.device.running import Running, Teller
from hil.device.usb_network import UsbNetwork
from hil.device.witness import Witness
from hil.errors import BenchError, BoardVanished, FlashFailed, FlashRefused, HilError, LoaderFailure, MisuseError
from hil.flash.build import Build, regions
from hil.flash.esptool_loader import warm_up
from hil.flash.idf_build import read_build
from hil.flash.progress import CONNECTING, DONE, ERASING, FAILED, RESETTING, WRITING, Progress
from hil.timeline.events import FlashProgress, SerialOpened, UsbAttached, UsbSerialNumber

if TYPE_CHECKING:
    from hil.flash.flasher import Flashed

STAY = "no-reset-stub"
"""esptool leaves the chip to whoever leads it out of its loader, and sees that it comes out."""
CONSOLE_BAUD = 460_800
"""Over a bridge, once the loader answers: what `idf.py flash` uses."""
BACK_S = 5.0
"""From a board's going in the middle of a flash to what comes there instead."""
JOINED_S = 2.0
"""For an interface that has just come to be known."""
OPENED_S = 2.0
NUMBERED_S = 1.0
"""From a loader that answers to its serial number in the timeline; an emulated machine needs a tenth of it."""
"""From a port that is given back to its being read again: what the ROM says there comes soon after."""
TENTH = 10
_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")
What = Path | str | Build | Sequence[tuple[int, Path]]
"""A build folder or merged image, or explicit offsets with their files."""


class Bootloader(Protocol):
    """What flashing needs of :class:`hil.device.bootloader.Bootloader`."""

    def ways(self) -> tuple[str, ...]: ...
    def enter(self, how: str = "", over: str = "usb", at: str = "") -> Entered: ...
    def leave(self, plain: bool = False) -> Entered: ...
    def listens(self, port: str = "usb") -> bool: ...


@dataclass(frozen=True, slots=True)
class FlashResult:
    """What was done to a board, and what it says of itself now."""

    flashed: "Flashed"
    running: Running | None
    """None where the firmware has no way to tell."""
    t_ns: int
    """CLOCK_MONOTONIC, nanoseconds: just before it was reset."""
    t_err_ns: int

    @property
    def what(self) -> str:
        """unchanged, changed or written."""
        return self.flashed.what

    @property
    def confirmed(self) -> bool:
        """Whether the board itself has said that it runs what was flashed, by its version or its hash."""
        return self.running is not None and not self._unconfirmed(self.running)

    def __str__(self) -> str:
        left_out = "".join(f"; left alone: {each}" for each in self.flashed.build.left_out)
        return f"{self.flashed}{left_out}; {self._told()}"

    def _told(self) -> str:
        if self.running is None:
            return "flashed, version unconfirmed"
        why = self._unconfirmed(self.running)
        return f"flashed, version unconfirmed: {why}" if why else f"running {self.running}"

    def _unconfirmed(self, running: Running) -> str:
        """Why what it says of itself confirms nothing, or ''."""
        if self.flashed.build.app is None:
            return f"running {running}, and no application was flashed"
        told = running.version or running.elf_sha256
        return "" if told else f"running {running}, which tells neither its version nor its hash"


def named_build(what: What | None, spec: Board) -> Build:
    """The build that is meant for a board; None: that of bench.toml.

    Raises:
        BuildError: it cannot be flashed.
        BenchError: bench.toml names none.
    """
    if isinstance(what, Build):
        return what
    if what is not None and not isinstance(what, Path | str):
        return regions(what)
    chosen = what or spec.firmware
    if not chosen:
        raise BenchError(f"board {spec.name} has no firmware in bench.toml, and nothing was named to be flashed")
    return read_build(Path(chosen))


class Flashing:
    """Flashes one board."""

    def __init__(
        self,
        spec: Board,
        *,
        actions: Actions,
        bootloader: Bootloader,
        modes: Modes,
        teller: Teller,
        network: UsbNetwork,
        witness: Witness,
        lend: Lender,
        clock: Clock,
    ) -> None:
        self.on_progress: Callable[[Progress], None] = lambda step: None
        """Told each step as it happens; the timeline has them too."""
        self._spec = spec
        self._actions = actions
        self._bootloader = bootloader
        self._modes = modes
        self._teller = teller
        self._network = network
        self._witness = witness
        self._lend = lend
        self._clock = clock
        self.unfinished = False
        """Something was erased or written, and nobody knows how much of it: what the flash holds is in doubt."""
        self._held: Build | None = None
        self._mac = ""
        self._recorded = ("", -1, "", "")

    def flash(self, what: What | None = None, known: What | None = None, over: str = "") -> FlashResult:
        """Have the board hold and run ``what``.

        Args:
            what: build folder, merged image, pairs of offset and file, or a build; None: bench.toml's ``firmware``.
            known: a build that the board is said to hold, believed as far as the board's own hash bears it out: only
                sectors that differ from it are written. None: what was flashed last, if anything was.
            over: 'usb' or 'console'; '' as bench.toml's ``flash`` has it.

        Returns:
            What was done, and what the board says of itself now.

        Raises:
            BenchError, BuildError, MisuseError: nothing can be flashed; the board was not touched.
            FlashRefused: nothing was written; the board runs what it ran.
            FlashFailed, BoardMute, BoardVanished: the board failed at it, or runs something else afterwards.
            LoaderFailure: it did not come into its loader, or not out of it.
        """
        build, port = self.build(what), over or self._spec.flash
        if port not in FLASH_WAYS or (port == "console" and not self._spec.console):
            known_ways = FLASH_WAYS if self._spec.console else FLASH_WAYS[:1]
            raise MisuseError(
                f"flash over={over!r} of board {self._spec.name}; known: {', '.join(map(repr, known_ways))}"
            )
        old = self.build(known) if known is not None else self._held
        warm_up()
        done: list[FlashResult] = []

        def do() -> FlashResult:
            done.append(self._flash(build, old, port))
            return done[0]

        self._actions.perform("flash", RESET, do, str(build))
        return done[0]

    def build(self, what: What | None) -> Build:
        """The build that is meant; None: that of bench.toml.

        Raises:
            BuildError: it cannot be flashed.
            BenchError: bench.toml names none.
        """
        return named_build(what, self._spec)

    @property
    def holds(self) -> Build | None:
        """What this run has flashed last; None before that, and where nobody knows how much of it."""
        return self._held

    def runs(self, build: Build) -> bool | None:
        """Whether the board says that it runs ``build``; None where it says nothing of it, or not exactly enough."""
        running = self._teller.heard() or self._teller.asked()
        if running is None or build.app is None or not running.elf_sha256:
            return None
        return running.is_app(build.app)

    def _flash(self, build: Build, known: Build | None, over: str) -> FlashResult:
        try:
            self._tell(Progress(CONNECTING, detail=f"into the loader at {self._spec.usb}"))
            flashed = self._bring(build, known, over)
            reset_ns = self._restart()
            running = self._teller.since(reset_ns)
            self._require(running, build)
        except HilError as error:
            self._tell(Progress(FAILED, max(self._recorded[1], 0), str(error), error.reason))
            raise
        result = FlashResult(flashed, running, reset_ns, 0)
        self._tell(Progress(DONE, 100, str(result)))
        return result

    def _bring(self, build: Build, known: Build | None, over: str) -> "Flashed":
        """Into the loader and write; out of it again where nothing was written and nobody had left the board there."""
        found_there = self._modes.in_loader()
        try:
            return self._write(self._enter(over), build, known)
        except (LoaderFailure, BoardVanished):
            raise  # where it ended is what is to be seen
        except HilError as error:
            stranded = not found_there and not self.unfinished and self._modes.in_loader()
            if stranded or isinstance(error, FlashRefused):
                with suppress(HilError):  # it is the first error that counts; the board is as it was
                    self._bootloader.leave()
            raise

    def _enter(self, over: str) -> Entered:
        if over == "console":
            self._require_alone()
            return self._bootloader.enter("dtr_rts", at=over)
        if self._spec.fallback:
            return self._bootloader.enter(over="fallback", at=over)
        if self._bootloader.ways()[:1] != (HTTP,) or self._modes.in_loader():
            return self._bootloader.enter(at=over)
        with self._network.joined(0, JOINED_S):
            return self._bootloader.enter(at=over)

    def _require_alone(self) -> None:
        """See that nobody else has the console, before the firmware is reset over it.

        Raises:
            PortHeld: another process has it open.
        """
        since_ns, opened = self._clock.now_ns(), SerialOpened(board=self._spec.name, source="console")
        self._witness.refresh()
        watched = self._witness.timeline.last(opened) is not None
        with self._lend("console"):
            pass
        if watched:
            self._witness.find(opened, since_ns, OPENED_S)

    def _write(self, entered: Entered, build: Build, known: Build | None) -> "Flashed":
        from hil.flash.flasher import Flasher, Way  # most sessions flash nothing
        from hil.flash.tty_port import ROM_BAUD, TtyPort

        try:
            with self._lend(entered.port) as port:
                tty = TtyPort(port.hand_over(), port.node, self._spec.name)
                way = Way(after=STAY, baud=CONSOLE_BAUD if entered.port == "console" else ROM_BAUD)
                flashed = Flasher(tty, way, self._step, self._expected_mac(entered)).flash(build, known)
        except BoardVanished:
            self._see_it_return(self._clock.now_ns())
            raise
        self._held, self._mac, self.unfinished = build, flashed.mac, False
        return flashed

    def _see_it_return(self, since_ns: int) -> None:
        """Have the timeline tell a pulled cable from a lost contact: what comes, and whether it is the loader still."""
        back = self._modes.came(LOADERS | {Identity.APPLICATION}, since_ns, BACK_S)
        if back is not None and back.identity in LOADERS:
            with suppress(HilError):
                self._bootloader.listens()

    def _expected_mac(self, entered: Entered) -> str:
        """Of the chip that must answer: bench.toml's, that of the flash before, or the serial number of the loader."""
        known = self._spec.mac or self._mac
        if known or entered.identity is not Identity.SERIAL_JTAG or entered.port != "usb":
            return known
        came = self._witness.timeline.last(UsbAttached(path=self._spec.usb))
        if came is None:
            return ""
        said = self._witness.find(UsbSerialNumber(path=self._spec.usb), came.t_ns - came.t_err_ns, NUMBERED_S)
        serial = said.serial.lower() if isinstance(said, UsbSerialNumber) else ""
        return serial if _MAC.fullmatch(serial) else ""

    def _restart(self) -> int:
        """Out of the loader; before when that was not, in nanoseconds."""
        self._tell(Progress(RESETTING, 100))
        since_ns = self._clock.now_ns()
        try:
            self._bootloader.leave()
        except LoaderFailure:
            if not self._left_to_serial_jtag():
                raise
        return since_ns

    def _left_to_serial_jtag(self) -> bool:
        """Whether an application runs that leaves USB to the chip's own function: no loader answers there."""
        return self._modes.now() is Identity.SERIAL_JTAG and not self._bootloader.listens()

    def _require(self, running: Running | None, build: Build) -> None:
        if running is not None and build.app is not None and not running.is_app(build.app):
            wanted = f"{build.app.project} {build.app.version}, ELF {build.app.elf_sha256[:9]}"
            raise FlashFailed(
                f"board {self._spec.name} holds {wanted} and runs {running}: it has chosen another slot or application",
                "other-application",
            )

    def _step(self, step: Progress) -> None:
        """A step of the flasher; how all of it ends is told from here."""
        if step.status not in (DONE, FAILED):
            if step.status in (ERASING, WRITING):
                self.unfinished, self._held = True, None
            self._tell(step)

    def _tell(self, step: Progress) -> None:
        self.on_progress(step)
        percent = step.percent // TENTH * TENTH if step.status == WRITING else step.percent
        told = (step.status, percent, step.detail, step.reason)
        if told != self._recorded:
            self._recorded = told
            self._actions.record(FlashProgress(*told, board=self._spec.name, source="action"))
