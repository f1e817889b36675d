"""The ways into the chip's loader: what each does to the board.

Of ways over the board's own USB port there is a trap: MicroPython takes DTR and RTS for the order to leave, and
Ctrl-C for an interrupt; both are done only to a firmware whose profile says what it makes of them.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from hil.agent.replies import PortHeld
from hil.bench import Board
from hil.board.identity import Identity
from hil.board.interfaces import Instant, UsbAgent
from hil.capture.http import CUT, TIMEOUT
from hil.clock import Clock, Deadline
from hil.device import repl
from hil.device.held_boot import PowerWithBoot
from hil.device.lent_port import BRIDGE_DOWNLOAD, USJ_DOWNLOAD, Lender, Port, steer
from hil.device.mode import Modes
from hil.device.readings import Readings
from hil.device.witness import Witness
from hil.errors import AgentError, BoardFailure, BoardMute, BoardVanished, MisuseError
from hil.profiles import Profile
from hil.timeline.events import HttpFailed, HttpReply, UsbAttached
from hil.wire.lines import LineSplitter

PORT_S = 10.0
"""For the board's port to be there and open, where it goes meanwhile."""
ANSWER_S = 1.0
TOLD_S = 1.0
"""From a device's going to its uevent; an emulated machine needs half of it."""
LINE_LIMIT = 4096
LEFT_IN_BETWEEN = (CUT, TIMEOUT)
"""A firmware that restarts before its answer is out: it was asked, and what comes tells what that was worth."""
DTR_RTS, POWER, HTTP, SERIAL = "dtr_rts", "power", "http", "serial"
MICROPYTHON, TOUCH = "micropython", "touch1200"


@dataclass(frozen=True, slots=True)
class Asked:
    """When a way was taken, and what the firmware said to it."""

    t_ns: int
    """CLOCK_MONOTONIC, nanoseconds."""
    t_err_ns: int
    answer: str = ""


class Ways:
    """One board's.

    Args:
        spec: its entry in bench.toml.
        profile: what its firmware makes of which order.
        agent: pulses the lines of its console.
        modes: what runs on it.
        readings: HTTP to it.
        witness: the timeline.
        lend: opens one of its ports.
        clock: for the waits.
        power: power with BOOT held, where the bench has it.
        tell: how a MicroPython is told a statement.
    """

    def __init__(
        self,
        spec: Board,
        profile: Profile,
        *,
        agent: UsbAgent,
        modes: Modes,
        readings: Readings,
        witness: Witness,
        lend: Lender,
        clock: Clock,
        power: PowerWithBoot | None = None,
        tell: Callable[[Port, str, str, Clock], str] = repl.tell,
    ) -> None:
        self._spec = spec
        self._profile = profile
        self._agent = agent
        self._modes = modes
        self._readings = readings
        self._witness = witness
        self._lend = lend
        self._clock = clock
        self._power = power
        self._tell = tell

    def given(self) -> tuple[str, ...]:
        """Those that bench.toml, the profile and what is there now give, the surest first."""
        loader = self._profile.loader
        given = {
            DTR_RTS: bool(self._spec.console),
            POWER: self._power is not None,
            SERIAL: bool(loader.serial),
            HTTP: bool(self._profile.http.bootloader),
            MICROPYTHON: bool(loader.repl),
            TOUCH: loader.touch_1200,
        }
        own_lines = not self._spec.console and (loader.lines or self._modes.now() is Identity.SERIAL_JTAG)
        return (*(way for way, there in given.items() if there), *((DTR_RTS,) if own_lines else ()))

    def chosen(self, how: str) -> str:
        """``how``, or the surest way where that is ''.

        Raises:
            MisuseError: the board has no such way, or none.
        """
        ways = self.given()
        if not ways or (how and how not in ways):
            known = (
                ", ".join(map(repr, ways)) or "none: no console or boot in bench.toml, no http.bootloader, no [loader]"
            )
            asked = f"enter_bootloader of board {self._spec.name} by {how!r} with profile {self._profile.name}"
            raise MisuseError(f"{asked}; ways: {known}")
        return how or ways[0]

    def take(self, how: str, over: str) -> Asked:
        """Send the board on its way; what it is worth, what comes tells."""
        ways: dict[str, Callable[[], Asked]] = {
            DTR_RTS: self._by_bridge if self._spec.console else self._by_own_lines,
            POWER: self._by_power,
            SERIAL: self._by_line,
            HTTP: lambda: self._by_http(over),
            MICROPYTHON: self._by_statement,
            TOUCH: self._by_touch,
        }
        return ways[how]()

    def through(self, do: Callable[[Port], None], answers: list[str] | None = None) -> Asked:
        """Do something on the board's own port, from which it may vanish meanwhile.

        A board that has just come has no port yet, and a firmware that hears nothing takes itself off the bus for a
        moment: a port that is not there, or goes before it is open, is waited for.
        """
        deadline = Deadline(PORT_S, self._clock)
        while True:
            self._modes.tty(within_s=deadline.left_s)
            began_ns = self._clock.now_ns()
            try:
                with self._lend("usb") as port, suppress(BoardVanished):
                    do(port)
                return Asked(began_ns, 0, "".join(answers or ()))
            except AgentError as error:
                if isinstance(error, PortHeld) or deadline.passed or not self._modes.left(began_ns, TOLD_S):
                    raise

    def _by_bridge(self) -> Asked:
        fell = self._agent.reset_by_lines(self._spec.name, download=True)
        return Asked(fell.t_ns, fell.t_err_ns)

    def _by_power(self) -> Asked:
        assert self._power is not None, "ways() offers it only where it is there"

        def came(powered: Instant, within_s: float) -> object:
            return self._witness.find(UsbAttached(path=self._spec.usb), powered.t_ns - powered.t_err_ns, within_s)

        powered = self._power.cycle(came)
        return Asked(powered.t_ns, powered.t_err_ns)

    def _by_own_lines(self) -> Asked:
        usj = self._modes.now() is Identity.SERIAL_JTAG
        return self.through(lambda port: steer(port, USJ_DOWNLOAD if usj else BRIDGE_DOWNLOAD, self._clock))

    def _by_line(self) -> Asked:
        """
        Each plug brings a port back with ECHO set (drivers/tty/tty_io.c, ``tty_register_device_attr``): what the board
        said until it was made raw has gone back to it, and stands before the order. A line end parts the two.
        """
        answers: list[str] = []

        def say(port: Port) -> None:
            port.write(f"\n{self._profile.loader.serial}\n".encode("ascii"))
            answers.append(self._heard(port))

        return self.through(say, answers)

    def _by_http(self, over: str) -> Asked:
        path = self._readings.path("bootloader")
        reading = self._readings.request("POST", path, over)
        if isinstance(reading.reply, HttpFailed) and reading.reply.reason in LEFT_IN_BETWEEN:
            return Asked(reading.t_ns, reading.t_err_ns)
        if not isinstance(reading.reply, HttpReply):
            raise BoardMute(f"board {self._spec.name} did not answer POST {path} over {over}: {reading.reply}")
        if reading.reply.status != 200:
            raise BoardFailure(f"board {self._spec.name} answered POST {path} with {reading.reply.status}")
        return Asked(reading.t_ns, reading.t_err_ns, reading.reply.body.strip())

    def _by_statement(self) -> Asked:
        self._modes.tty(within_s=PORT_S)
        self._refuse_ctrl_c()
        statement, answers = self._profile.loader.repl, list[str]()

        def say(port: Port) -> None:
            answers.append(self._tell(port, self._spec.name, statement, self._clock))

        return self.through(say, answers)

    def _by_touch(self) -> Asked:
        def touch(port: Port) -> None:
            port.set_baud(1200)
            port.set_lines(False, False)

        return self.through(touch)

    def _heard(self, port: Port) -> str:
        """The line that repeats the order, where the board says one within a second and before it goes."""
        deadline, lines = Deadline(ANSWER_S, self._clock), LineSplitter(LINE_LIMIT)
        with suppress(BoardVanished):
            while not deadline.passed:
                for line in lines.feed(port.read(deadline.left_s)):
                    if self._profile.loader.serial in line.text:
                        return line.text.strip()
        return ""

    def _refuse_ctrl_c(self) -> None:
        """
        Raises:
            MisuseError: what is there has an NCM interface, and so is no MicroPython.
        """
        try:
            self._agent.read_attribute(self._spec.name, "bound_ncm")
        except AgentError:
            return
        raise MisuseError(
            f"board {self._spec.name} has an NCM interface, so it is not the MicroPython of profile "
            f"{self._profile.name}; no Ctrl-C was sent to it"
        )
