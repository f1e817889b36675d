"""Into the chip's loader and out of it.

Theory of operation. A chip that starts with IO0 low, or with its force-download bit set, stays in its ROM, which
shows itself on USB under one of two identities at the same topology path. Each way makes that restart come about; what
it was worth is told by what comes: a loader's identity, and an answer to SYNC. Out of it again leads a reset with IO0
high that reaches the RTC domain, in which the bit lies.

Of ways over the board's own USB port there is a trap: MicroPython takes DTR and RTS for the order to leave, and
Ctrl-C for an interrupt; both are done only to a firmware whose profile says what it makes of them.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

from hil.agent.replies import PortHeld
from hil.bench import Board
from hil.board.identity import LOADERS, Identity
from hil.board.interfaces import Instant, UsbAgent
from hil.board.sight import RESET, VBUS_OFF
from hil.capture.http import CUT, TIMEOUT
from hil.clock import Clock, Deadline
from hil.device import loader_failures, repl
from hil.device.actions import Actions
from hil.device.held_boot import PowerWithBoot
from hil.device.lent_port import BRIDGE_DOWNLOAD, USJ_DOWNLOAD, USJ_RESTART, Lender, Port, steer
from hil.device.loader_failures import Attempt
from hil.device.mode import Modes
from hil.device.readings import Readings
from hil.device.sync import SYNC_S, LoaderTalk
from hil.device.witness import Witness
from hil.errors import AgentError, BenchError, BoardFailure, BoardMute, BoardVanished, LoaderFailure, MisuseError
from hil.profiles import Profile
from hil.profiles.loader import SERIAL_JTAG, USB_OTG
from hil.timeline.departure import RECOVERY
from hil.timeline.events import BootMessage, EnumerationFailed, HttpFailed, HttpReply, LoaderAsked, UsbAttached
from hil.wire.lines import LineSplitter

ENTER_S = 10.0
"""From the order to a loader on the bus: a firmware that says goodbye, a restart, an enumeration."""
LEAVE_S = 10.0
"""From the reset to the application on the bus: an application that mounts a file system first takes seconds."""
RECOVERED_S = 3.0
"""A firmware that recovers USB is off the bus for half a second and an enumeration."""
ANSWER_S = 1.0
TOLD_S = 1.0
"""From a device's going to its uevent; an emulated machine needs half of it."""
LINE_LIMIT = 4096
LEFT_IN_BETWEEN = (CUT, TIMEOUT)
"""A firmware that restarts before its answer is out: it was asked, and what comes tells what that was worth."""
DTR_RTS, POWER, HTTP, SERIAL = "dtr_rts", "power", "http", "serial"
MICROPYTHON, TOUCH = "micropython", "touch1200"
WIRED = {
    DTR_RTS: ("the lines of its console", "are DTR and RTS wired to IO0 and EN?"),
    POWER: ("power with BOOT held", "is BOOT wired to IO0, and does its power go?"),
}
"""Ways after which the ROM listens on its UART too, and what to look at where it does not."""
DOWNLOAD = "DOWNLOAD"
"""In two lines of the ROM: 'boot:0x0 (DOWNLOAD(USB/UART0))' and 'waiting for download'."""
_EXPECTED = {SERIAL_JTAG: Identity.SERIAL_JTAG, USB_OTG: Identity.USB_OTG}


@dataclass(frozen=True, slots=True)
class Entered:
    """A loader that answers."""

    identity: Identity
    """At the board's topology path; over a bridge its USB may show nothing."""
    port: str
    """Where it answers: usb or console."""
    how: str
    """By which way; '' where it was there already."""
    t_ns: int
    """CLOCK_MONOTONIC, nanoseconds: when it came."""
    t_err_ns: int


@dataclass(frozen=True, slots=True)
class _Asked:
    t_ns: int
    t_err_ns: int
    answer: str = ""


class Bootloader:
    """One board's; see the module."""

    def __init__(
        self,
        spec: Board,
        profile: Profile,
        *,
        agent: UsbAgent,
        actions: Actions,
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
        self._actions = actions
        self._modes = modes
        self._readings = readings
        self._witness = witness
        self._lend = lend
        self._clock = clock
        self._power = power
        self._tell = tell

    def ways(self) -> tuple[str, ...]:
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

    def enter(self, how: str = "", over: str = "usb", at: str = "", identity: Identity | None = None) -> Entered:
        """Bring the chip into its loader and see that it answers; see :meth:`hil.UsbBoard.enter_bootloader`."""
        if not how and (present := self._present()) is not None:
            return present
        chosen = self._chosen(how)
        ways: dict[str, Callable[[], _Asked]] = {
            DTR_RTS: self._by_bridge if self._spec.console else self._by_own_lines,
            POWER: self._by_power,
            SERIAL: self._by_line,
            HTTP: lambda: self._by_http(over),
            MICROPYTHON: self._by_statement,
            TOUCH: self._by_touch,
        }
        entered: list[Entered] = []

        at_console = bool(self._spec.console) and (at or self._spec.flash) == "console" and chosen in WIRED

        def do() -> Entered:
            if at_console:
                on_bus = chosen == DTR_RTS and self._modes.now() is not Identity.NOTHING
                entered.append(self._arrived_at_console(ways[chosen](), chosen, on_bus))
            else:
                entered.append(self._arrived(ways[chosen](), chosen, identity or self._expected(chosen)))
            return entered[0]

        self._actions.perform("enter_bootloader", VBUS_OFF if chosen == POWER else RESET, do, chosen)
        return entered[0]

    def leave(self, plain: bool = False) -> Entered:
        """Reset the chip into its flash and wait for its application; see :meth:`hil.UsbBoard.leave_bootloader`."""
        found: list[Entered] = []

        def do() -> Entered:
            asked, how = self._reset_out(plain)
            arrival = self._modes.came(self._modes.applications, asked.t_ns - asked.t_err_ns, LEAVE_S)
            if arrival is None:
                seen = self._attempt(asked, how, LEAVE_S)
                raise loader_failures.failure_to_leave(replace(seen, answers=seen.now in LOADERS and self.listens()))
            found.append(Entered(arrival.identity, "usb", how, arrival.t_ns, arrival.t_err_ns))
            return found[0]

        self._actions.perform("leave_bootloader", RESET, do, "plain" if plain else "")
        return found[0]

    def listens(self, port: str = "usb") -> bool:
        """Whether a loader answers SYNC at the port; asked only where USB shows a loader's identity, or a bridge is."""
        try:
            self._modes.tty(port)
            with self._lend(port) as opened:
                answered = LoaderTalk(opened, self._clock).sync()
        except BoardVanished:
            return False
        except AgentError:
            if port == "console" or self._modes.now() in LOADERS:
                raise
            return False  # it has just gone
        self._actions.record(LoaderAsked(port, answered, board=self._spec.name, source="action"))
        return answered

    # ---- ways in -----------------------------------------------------------------------------

    def _by_bridge(self) -> _Asked:
        fell = self._agent.reset_by_lines(self._spec.name, download=True)
        return _Asked(fell.t_ns, fell.t_err_ns)

    def _by_power(self) -> _Asked:
        assert self._power is not None, "ways() offers it only where it is there"

        def came(powered: Instant, within_s: float) -> object:
            return self._witness.find(UsbAttached(path=self._spec.usb), powered.t_ns - powered.t_err_ns, within_s)

        powered = self._power.cycle(came)
        return _Asked(powered.t_ns, powered.t_err_ns)

    def _by_own_lines(self) -> _Asked:
        usj = self._modes.now() is Identity.SERIAL_JTAG
        return self._through(lambda port: steer(port, USJ_DOWNLOAD if usj else BRIDGE_DOWNLOAD, self._clock))

    def _by_line(self) -> _Asked:
        answers: list[str] = []

        def say(port: Port) -> None:
            port.write(f"{self._profile.loader.serial}\n".encode("ascii"))
            answers.append(self._heard(port))

        return self._through(say, answers)

    def _by_http(self, over: str) -> _Asked:
        path = self._readings.path("bootloader")
        reading = self._readings.request("POST", path, over)
        if isinstance(reading.reply, HttpFailed) and reading.reply.reason in LEFT_IN_BETWEEN:
            return _Asked(reading.t_ns, reading.t_err_ns)
        if not isinstance(reading.reply, HttpReply):
            raise BoardMute(f"board {self._spec.name} did not answer POST {path} over {over}: {reading.reply}")
        if reading.reply.status != 200:
            raise BoardFailure(f"board {self._spec.name} answered POST {path} with {reading.reply.status}")
        return _Asked(reading.t_ns, reading.t_err_ns, reading.reply.body.strip())

    def _by_statement(self) -> _Asked:
        self._refuse_ctrl_c()
        statement, answers = self._profile.loader.repl, list[str]()

        def say(port: Port) -> None:
            answers.append(self._tell(port, self._spec.name, statement, self._clock))

        return self._through(say, answers)

    def _by_touch(self) -> _Asked:
        def touch(port: Port) -> None:
            port.set_baud(1200)
            port.set_lines(False, False)

        return self._through(touch)

    def _through(self, do: Callable[[Port], None], answers: list[str] | None = None) -> _Asked:
        """Do something on the board's own port, from which it may vanish meanwhile.

        A firmware that hears nothing takes itself off the bus for a moment: a port that goes before it is open is
        waited for.
        """
        deadline = Deadline(ENTER_S, self._clock)
        while True:
            began_ns = self._clock.now_ns()
            try:
                with self._lend("usb") as port, suppress(BoardVanished):
                    do(port)
                return _Asked(began_ns, 0, "".join(answers or ()))
            except AgentError as error:
                if isinstance(error, PortHeld) or deadline.passed or not self._modes.left(began_ns, TOLD_S):
                    raise
            self._modes.tty(within_s=deadline.left_s)

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

    # ---- what comes --------------------------------------------------------------------------

    def _present(self) -> Entered | None:
        """The loader that is there already, if one answers."""
        identity = self._modes.now()
        if identity not in LOADERS or not self.listens():
            return None
        return Entered(identity, "usb", "", self._clock.now_ns(), 0)

    def _chosen(self, how: str) -> str:
        ways = self.ways()
        if not ways or (how and how not in ways):
            known = (
                ", ".join(map(repr, ways)) or "none: no console or boot in bench.toml, no http.bootloader, no [loader]"
            )
            asked = f"enter_bootloader of board {self._spec.name} by {how!r} with profile {self._profile.name}"
            raise MisuseError(f"{asked}; ways: {known}")
        return how or ways[0]

    def _expected(self, how: str) -> Identity | None:
        """Which loader the firmware leaves the PHY to, where it is the firmware that goes there."""
        return _EXPECTED.get(self._profile.loader.identity) if how in (HTTP, SERIAL, MICROPYTHON) else None

    def _arrived(self, asked: _Asked, how: str, expected: Identity | None) -> Entered:
        since_ns = asked.t_ns - asked.t_err_ns
        deadline = Deadline(ENTER_S, self._clock)
        while (arrival := self._modes.came(LOADERS, since_ns, deadline.left_s)) is not None:
            if expected is not None and arrival.identity is not expected:
                raise loader_failures.other_identity(self._spec.name, arrival.identity, expected)
            if self.listens():
                return Entered(arrival.identity, "usb", how, arrival.t_ns, arrival.t_err_ns)
            if self._modes.now() in LOADERS or deadline.passed:  # else the PHY changed hands before the restart
                self._require_alone()
                raise loader_failures.no_answer(self._spec.name, arrival.identity, self._modes.tty(), SYNC_S)
            since_ns = arrival.t_ns + 1
        raise loader_failures.failure_to_enter(self._attempt(asked, how, ENTER_S))

    def _require_alone(self) -> None:
        """
        Raises:
            PortHeld: somebody else has opened the port since it was lent, and may have taken the answer.
        """
        try:
            with self._lend("usb"):
                return
        except PortHeld:
            raise
        except (AgentError, BoardVanished):
            return  # it has just gone

    def _arrived_at_console(self, asked: _Asked, how: str, on_bus: bool) -> Entered:
        """
        Args:
            asked: when.
            how: by which way.
            on_bus: it has a device on the bus, which this way takes away.

        Raises:
            LoaderFailure: no loader answers at the bridge.
            BenchError: one does, and the board has stayed on the bus: it is another chip's.
        """
        since_ns = asked.t_ns - asked.t_err_ns
        said = self._witness.until(lambda: self._rom_waits(since_ns), ENTER_S)
        if not self.listens("console"):
            node, (by, look) = self._modes.tty("console"), WIRED[how]
            heard = "the ROM said that it waits for a download" if said else "no line of the ROM was heard"
            raise LoaderFailure(
                loader_failures.NO_SYNC,
                f"board {self._spec.name} was sent to its loader by {by}; {heard}, and SYNC was not "
                f"answered at {node} within {SYNC_S:g} s: {look}",
            )
        if on_bus and not self._modes.left(since_ns, TOLD_S):
            self._agent.reset_by_lines(self._spec.name)  # whichever it is, it runs what it ran
            place = f"{self._modes.tty('console')} ({self._spec.console})"
            raise BenchError(
                f"board {self._spec.name}: a loader answers at {place}, and {self._modes.now()} stayed at "
                f"{self._spec.usb} all the while: that bridge leads to another chip; see usb and console in bench.toml"
            )
        return Entered(self._modes.now(), "console", how, asked.t_ns, asked.t_err_ns)

    def _rom_waits(self, since_ns: int) -> bool:
        said = (event for event in self._witness.timeline.since(since_ns) if isinstance(event, BootMessage))
        return any(event.board == self._spec.name and DOWNLOAD in event.text.upper() for event in said)

    def _attempt(self, asked: _Asked, how: str, within_s: float) -> Attempt:
        since_ns = asked.t_ns - asked.t_err_ns
        reasons = self._modes.departures(since_ns)
        if reasons[-1:] == [RECOVERY]:
            self._modes.wait(self._modes.applications, RECOVERED_S)
        since = self._witness.timeline.since(since_ns)
        broken = [e for e in since if isinstance(e, EnumerationFailed) and e.path == self._spec.usb]
        return Attempt(
            self._spec.name,
            self._spec.usb,
            how,
            now=self._modes.now(),
            left_bus=any(reason != RECOVERY for reason in reasons),
            within_s=within_s,
            answer=asked.answer,
            broken=broken[-1] if broken else None,
        )

    # ---- ways out ----------------------------------------------------------------------------

    def _reset_out(self, plain: bool) -> tuple[_Asked, str]:
        """By the bridge's EN or the loader's RTC watchdog, which clear the order to stay; by RTS once it is cleared."""
        if self._spec.console and not plain:
            fell = self._agent.reset_by_lines(self._spec.name)
            return _Asked(fell.t_ns, fell.t_err_ns), "the lines of its console"
        identity = self._modes.now()
        if identity not in LOADERS:
            raise MisuseError(f"board {self._spec.name} is not in its loader: there is {identity} at {self._spec.usb}")
        hows: list[str] = []

        def out(port: Port) -> None:
            talk = LoaderTalk(port, self._clock)
            listens = talk.sync()
            if listens and plain:
                talk.forget_order()
            elif listens:
                hows.append("its RTC watchdog")
                if talk.restart():
                    return
            hows[:] = ["its own lines"]
            steer(port, USJ_RESTART, self._clock)

        asked = self._through(out)
        return asked, hows[0]
