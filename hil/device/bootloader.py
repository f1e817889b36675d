"""Into the chip's loader and out of it.

Theory of operation. A chip that starts with IO0 low, or with its force-download bit set, stays in its ROM, which
shows itself on USB under one of two identities at the same topology path. Each way makes that restart come about; what
it was worth is told by what comes: a loader's identity, and an answer to SYNC. Out of it again leads a reset with IO0
high that reaches the RTC domain, in which the bit lies.
"""

from dataclasses import dataclass, replace

from hil.agent.replies import PortHeld
from hil.bench import Board
from hil.board.identity import LOADERS, Identity
from hil.board.interfaces import UsbAgent
from hil.board.sight import RESET, VBUS_OFF
from hil.clock import Clock, Deadline
from hil.device import loader_failures
from hil.device.actions import Actions
from hil.device.lent_port import USJ_RESTART, Lender, Port, steer
from hil.device.loader_failures import Attempt
from hil.device.loader_ways import DTR_RTS, HTTP, MICROPYTHON, POWER, SERIAL, TOLD_S, Asked, Ways
from hil.device.mode import Modes
from hil.device.sync import SYNC_S, LoaderTalk
from hil.device.witness import Witness
from hil.errors import AgentError, BenchError, BoardVanished, LoaderFailure, MisuseError
from hil.profiles import Profile
from hil.profiles.loader import SERIAL_JTAG, USB_OTG
from hil.timeline.departure import RECOVERY
from hil.timeline.events import BootMessage, EnumerationFailed, LoaderAsked

ENTER_S = 10.0
"""From the order to a loader on the bus: a firmware that says goodbye, a restart, an enumeration."""
LEAVE_S = 10.0
"""From the reset to the application on the bus: an application that mounts a file system first takes seconds."""
RECOVERED_S = 3.0
"""A firmware that recovers USB is off the bus for half a second and an enumeration."""
BRIDGE = "the lines of its console"
WIRED = {
    DTR_RTS: (BRIDGE, "are DTR and RTS wired to IO0 and EN?"),
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


class Bootloader:
    """One board's; see the module."""

    def __init__(
        self,
        spec: Board,
        profile: Profile,
        ways: Ways,
        *,
        agent: UsbAgent,
        actions: Actions,
        modes: Modes,
        witness: Witness,
        lend: Lender,
        clock: Clock,
    ) -> None:
        self._spec = spec
        self._profile = profile
        self._agent = agent
        self._actions = actions
        self._modes = modes
        self._witness = witness
        self._lend = lend
        self._clock = clock
        self._ways = ways

    def ways(self) -> tuple[str, ...]:
        """Those that bench.toml, the profile and what is there now give, the surest first."""
        return self._ways.given()

    def enter(self, how: str = "", over: str = "usb", at: str = "", identity: Identity | None = None) -> Entered:
        """Bring the chip into its loader and see that it answers; see :meth:`hil.UsbBoard.enter_bootloader`."""
        if not how and (present := self._present(identity)) is not None:
            return present
        chosen = self._ways.chosen(how)
        entered: list[Entered] = []
        at_console = bool(self._spec.console) and (at or self._spec.flash) == "console" and chosen in WIRED

        def do() -> Entered:
            on_bus = at_console and chosen == DTR_RTS and self._modes.now() is not Identity.NOTHING
            asked = self._ways.take(chosen, over)
            if at_console:
                entered.append(self._arrived_at_console(asked, chosen, on_bus))
            else:
                entered.append(self._arrived(asked, chosen, identity or self._expected(chosen)))
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
                seen = replace(self._attempt(asked, how, LEAVE_S), takes_off_bus=how == BRIDGE)
                raise loader_failures.failure_to_leave(replace(seen, answers=seen.now in LOADERS and self.listens()))
            found.append(Entered(arrival.identity, "usb", how, arrival.t_ns, arrival.t_err_ns))
            return found[0]

        self._actions.perform("leave_bootloader", RESET, do, "plain" if plain else "")
        return found[0]

    def listens(self, port: str = "usb", alone: bool = True) -> bool:
        """Whether a loader answers SYNC at the port; asked only where USB shows a loader's identity, or a bridge is.

        Args:
            port: 'usb' or 'console'.
            alone: nobody else may have it open; without it, whoever does may have taken the answer.
        """
        try:
            self._modes.tty(port)
            with self._lend(port, alone) as opened:
                answered = LoaderTalk(opened, self._clock).sync()
        except BoardVanished:
            return False
        except AgentError:
            if port == "console" or self._modes.now() in LOADERS:
                raise
            return False  # it has just gone
        self._actions.record(LoaderAsked(port, answered, board=self._spec.name, source="action"))
        return answered

    # ---- what comes --------------------------------------------------------------------------

    def _present(self, wanted: Identity | None) -> Entered | None:
        """The loader that is there already, if one answers.

        Raises:
            LoaderFailure: it is another than the one that is wanted.
        """
        identity = self._modes.now()
        if identity not in LOADERS or not self.listens():
            return None
        if wanted not in (None, identity):
            raise loader_failures.other_identity(self._spec.name, identity, wanted)
        return Entered(identity, "usb", "", self._clock.now_ns(), 0)

    def _expected(self, how: str) -> Identity | None:
        """Which loader the firmware leaves the PHY to, where it is the firmware that goes there."""
        return _EXPECTED.get(self._profile.loader.identity) if how in (HTTP, SERIAL, MICROPYTHON) else None

    def _arrived(self, asked: Asked, how: str, expected: Identity | None) -> Entered:
        since_ns = asked.t_ns - asked.t_err_ns
        deadline = Deadline(ENTER_S, self._clock)
        while (arrival := self._modes.came(LOADERS, since_ns, deadline.left_s)) is not None:
            if expected is not None and arrival.identity is not expected:
                raise loader_failures.other_identity(self._spec.name, arrival.identity, expected)
            if self.listens(alone=False):  # it has just come: an answer tells sooner than a search for whoever has it
                return Entered(arrival.identity, "usb", how, arrival.t_ns, arrival.t_err_ns)
            if self._modes.now() in LOADERS or deadline.passed:  # else the PHY changed hands before the restart
                self._require_alone()
                raise loader_failures.no_answer(self._spec.name, arrival.identity, self._modes.tty(), SYNC_S)
            since_ns = arrival.t_ns + 1
        raise loader_failures.failure_to_enter(self._attempt(asked, how, ENTER_S))

    def _require_alone(self) -> None:
        """
        Raises:
            PortHeld: somebody else has opened the port, and may have taken the answer.
        """
        try:
            with self._lend("usb"):
                return
        except PortHeld:
            raise
        except (AgentError, BoardVanished):
            return  # it has just gone

    def _arrived_at_console(self, asked: Asked, how: str, on_bus: bool) -> Entered:
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

    def _attempt(self, asked: Asked, how: str, within_s: float) -> Attempt:
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

    def _reset_out(self, plain: bool) -> tuple[Asked, str]:
        """By the bridge's EN or the loader's RTC watchdog, which clear the order to stay; by RTS once it is cleared."""
        if self._spec.console and not plain:
            fell = self._agent.reset_by_lines(self._spec.name)
            return Asked(fell.t_ns, fell.t_err_ns), BRIDGE
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

        asked = self._ways.through(out)
        return asked, hows[0]
