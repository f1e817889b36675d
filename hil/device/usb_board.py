"""A board as a kernel USB device: real or virtual, the same class."""

from collections.abc import Callable
from typing import Protocol, TypeVar

from hil.agent.client import Done
from hil.bench import Board
from hil.board.interfaces import Instant, PowerDriver, UsbAgent
from hil.board.sight import SUSPEND, VBUS_OFF
from hil.clock import Clock, Deadline, MonotonicClock, to_ns
from hil.device.actions import Actions
from hil.device.claims import ClaimReader, Judged
from hil.device.log_stream import Channels
from hil.device.readings import Reading, Readings
from hil.device.terminal import Ports, Terminal
from hil.device.witness import Witness
from hil.errors import AgentError, AgentRefused, BoardFailure, BoardVanished, HilError, MisuseError
from hil.profiles import Profile
from hil.timeline.events import Acted, BoardSaid, Event, UsbControl

ENUMERATION_S = 15.0
"""A chip's boot, enumeration and driver binding; the Linux hub driver itself tries for about 10 s."""
DETACH_S = 10.0
"""A driver's control request that is on its way when the cable goes may hold the kernel's disconnect up for the 5 s of
USB_CTRL_SET_TIMEOUT (include/linux/usb.h); with vhci_hcd it does."""
QUIET_S = 0.3
QUIET_WITHIN_S = 3.0
SUSPEND_S = 5.0
IDLE_MS = "500"
"""How long the bus is idle before it sleeps: time enough for a board that wakes the host to get its frames out, with
the 250 ms for which a firmware may hold its link down after resume. Linux's own default is 2000."""
STATUS_LOOK_S = 0.002
VANISHED_S = 1.0
"""Between a device that cannot be reached any more and the uevent that says that it is gone."""
T = TypeVar("T")


class Captured(Ports, Channels, Protocol):
    """What a board's actions need of :class:`hil.capture.client.Capture`."""

    def record(self, event: Event) -> Event:
        """Write an event; what its stamp leaves open is filled in: now, without error."""


class UsbBoard:
    """What a test asks of a board; every action leaves events and returns the instant it took effect."""

    def __init__(  # noqa: PLR0917 - one of each thing that a board is made of
        self,
        spec: Board,
        profile: Profile,
        agent: UsbAgent,
        power: PowerDriver,
        witness: Witness,
        capture: Captured,
        clock: Clock | None = None,
    ) -> None:
        self.name = spec.name
        self.spec = spec
        self.profile = profile
        self.on_skipped_check: Callable[[str], None] = lambda text: None
        self._agent = agent
        self._power = power
        self._witness = witness
        self._capture = capture
        self._actions = Actions(spec.name, capture.record)
        self._readings = Readings(spec, profile, agent, self._actions)
        self._claims = ClaimReader(spec, profile, witness, self._readings)
        self._clock = clock or MonotonicClock()
        self._terminal = Terminal(capture, witness, self._actions, self._attached, self._clock)
        self._plugged = True
        self._asleep = False

    @property
    def offers(self) -> frozenset[str]:
        """What the board can be made to see by the actions below."""
        return frozenset({SUSPEND, self._sees_unplug()})

    @property
    def address(self) -> str:
        """The board's own address on its USB interface, as its profile says; '' where it says nothing."""
        return self.profile.network.address

    def knows(self, what: str) -> bool:
        """Whether the profile names ``what``, such as 'http.status' or 'claim.BOOT'; else its checks are skipped.

        Raises:
            MisuseError: profiles have no such field.
        """
        known = self.profile.knows(what)
        if not known:
            self.on_skipped_check(f"{what}: profile {self.profile.name} does not name it")
        return known

    def serves(self, address: str) -> bool:
        """Whether ``address`` lies in the pool that the profile names; true where it names none."""
        network = self.profile.network
        return not network.pool_first or network.serves(address)

    # ---- cable -------------------------------------------------------------------------------

    def unplug(self) -> Acted:
        """Pull the cable; returns once the kernel has seen the board go.

        Raises:
            BoardFailure: the device is still there after 5 s.
        """
        return self._actions.perform("unplug", self._sees_unplug(), self._pull)

    def plug(self) -> Acted:
        """Put the cable back; what follows is for the test to judge."""
        return self._actions.perform("plug", self._sees_unplug(), self._put_back)

    def replug(self, off_s: float = 1.0) -> Acted:
        """Pull the cable, wait ``off_s``, put it back.

        Returns:
            The instant at which the cable was pulled.
        """
        pulled = self.unplug()
        self._clock.sleep(off_s)
        self.plug()
        return pulled

    def power_cycle(self, off_s: float = 1.0) -> Acted:
        """As :meth:`replug`, where that takes the board's supply away.

        Raises:
            MisuseError: on this bench it does not; a test that needs it says so by ``needs="vbus_off"``.
        """
        if self._sees_unplug() != VBUS_OFF:
            raise MisuseError(
                f"power_cycle of board {self.name}: it sees only {self._sees_unplug()} when its cable is pulled; "
                f"mark the test hil(needs={VBUS_OFF!r})"
            )
        return self.replug(off_s)

    def _pull(self) -> Instant:
        done = self._power.off()
        self._plugged = self._asleep = False
        if not self._witness.until(lambda: not self._attached(), DETACH_S):
            raise BoardFailure(f"board {self.name} is still on the bus {DETACH_S:g} s after its cable was pulled")
        return done

    def _put_back(self) -> Instant:
        done = self._power.on()
        self._plugged = True
        return done

    # ---- sleep -------------------------------------------------------------------------------

    def suspend(self) -> Acted:
        """Let the host suspend the bus; returns the instant at which it was suspended.

        Raises:
            BoardFailure: the bus does not go to sleep within 5 s.
            BoardVanished: the board left the bus instead, or was not there.
            MisuseError: the bus sleeps already.
        """
        return self._actions.perform("suspend", SUSPEND, self._suspend)

    def resume(self) -> Acted:
        """Let the host resume the bus; returns the instant at which that was done.

        Raises:
            BoardFailure: the bus does not wake up.
            BoardVanished: the board left the bus instead, or was not there.
        """
        return self._actions.perform("resume", SUSPEND, self._resume)

    def doze(self, asleep_s: float) -> tuple[Acted, Acted]:
        """Suspend the bus, leave it so for ``asleep_s`` unless the board wakes it, and resume it.

        Returns:
            The instants of the suspend and of the resume.
        """
        asleep = self.suspend()
        self._clock.sleep(asleep_s)
        return asleep, self.resume()

    def _suspend(self) -> Instant:
        if self._status() == "suspended":
            raise MisuseError(f"board {self.name} is suspended already; resume() it first")
        self._asleep = True
        self._write("autosuspend_delay_ms", IDLE_MS)
        return self._fallen_asleep(self._write("control", "auto"))

    def _fallen_asleep(self, asked: Instant) -> Instant:
        """When runtime_status became suspended. It has no event: the change lies between two readings."""
        deadline = Deadline(SUSPEND_S, self._clock)
        awake_ns = asked.t_ns - asked.t_err_ns
        while True:
            looked_ns = self._clock.now_ns()
            status = self._status()
            if status == "suspended":
                seen_ns = self._clock.now_ns()
                return Done((awake_ns + seen_ns) // 2, (seen_ns - awake_ns) // 2 + 1)
            if deadline.passed:
                raise BoardFailure(
                    f"board {self.name} did not suspend within {SUSPEND_S:g} s: runtime_status is {status!r}; "
                    "a driver in use (cdc_acm with the tty open, cdc_ncm with the interface up) needs a device that "
                    "advertises remote wakeup"
                )
            awake_ns = looked_ns
            self._clock.sleep(STATUS_LOOK_S)

    def _resume(self) -> Instant:
        self._asleep = False
        # A negative delay keeps the device awake whatever else writes to power/control.
        self._write("autosuspend_delay_ms", "-1")
        done = self._write("control", "on")
        state = self._status()
        if state != "active":
            raise BoardFailure(f"board {self.name} did not resume: runtime_status is {state!r}")
        return done

    def _status(self) -> str:
        return self._reach(lambda: self._agent.read_attribute(self.name, "runtime_status"))

    def _write(self, attribute: str, value: str) -> Instant:
        return self._reach(lambda: self._agent.write_attribute(self.name, attribute, value))

    def _reach(self, call: Callable[[], T]) -> T:
        """What ``call`` of the agent returns; that a board is gone is the board's failure and not the agent's."""
        try:
            return call()
        except AgentRefused:
            raise
        except AgentError as error:
            self._agent.boards_known()  # raises where it is the agent that is gone
            if self._witness.until(lambda: not self._attached(), VANISHED_S):
                raise BoardVanished(f"board {self.name} is not on the bus at {self.spec.usb}: {error}") from error
            raise

    # ---- terminal ----------------------------------------------------------------------------

    def open_terminal(self, dtr: bool = True) -> Acted:
        """Open the board's serial port anew, with DTR high or low, now and whenever it comes back.

        Returns:
            When DTR had its level.

        Raises:
            BoardFailure: the board is on the bus and has no serial port.
        """
        return self._terminal.open(dtr)

    def close_terminal(self) -> Acted:
        """Lower DTR and close the port; nobody opens it, after a replug neither, before :meth:`open_terminal`."""
        return self._terminal.close()

    # ---- second witness ----------------------------------------------------------------------

    def get(self, path: str, over: str = "usb") -> Reading:
        """GET ``path`` from the board; ``over`` is 'usb' or 'fallback'."""
        return self._readings.get(path, over)

    def request(self, method: str, path: str, over: str = "usb", deadline_s: float | None = None) -> Reading:
        """As :meth:`get`, by any method, without a body; ``deadline_s`` is 5 s unless given."""
        return self._readings.request(method, path, over, deadline_s)

    def status(self, over: str = "usb") -> Reading:
        """GET the profile's status path."""
        return self._readings.get(self._readings.path("status"), over)

    def events(self, over: str = "") -> list[BoardSaid]:
        """What the board's own event log says, on the host's time; over the fallback where there is one."""
        return self._claims.read(over)

    def claims(self, *names: str, since: Instant) -> None:
        """The second witness: the board says each of ``names`` since then.

        A claim that the profile cannot make, or that a full log may have lost, is a skipped check; so is what a claim
        that misleads does not prove.

        Raises:
            BoardFailure: claims are missing or contradict themselves; the message lists what was said instead.
        """
        self._demand(self._claims.demand(names, since))

    def claims_in_order(self, sequence: str, since: Instant) -> None:
        """As :meth:`claims` of the profile's ``sequence``, such as 'connect', and that they were made in its order."""
        self._demand(self._claims.demand_order(sequence, since))

    def _demand(self, judged: Judged) -> None:
        for skipped in judged.skipped:
            self.on_skipped_check(skipped)
        judged.demand()

    def gather(self) -> None:
        """After a failure: read what the second witness has to say, where that cannot disturb the first."""
        if self.spec.fallback and self.profile.http.events:
            try:
                self._claims.read("fallback")
            except HilError:
                return  # the attempt is in the timeline with its reason

    # ---- a test's beginning and end -----------------------------------------------------------

    def make_ready(self) -> None:
        """Attached, awake and idle, however the last test left it.

        Raises:
            BoardVanished: it does not come back.
        """
        if not self._plugged:
            self.plug()
        if not self._witness.until(self._attached, ENUMERATION_S):
            raise BoardVanished(f"board {self.name} is not on the bus at {self.spec.usb} after {ENUMERATION_S:g} s")
        if self._asleep:
            self.resume()
        self._witness.until(self._quiet, QUIET_WITHIN_S)

    def _quiet(self) -> bool:
        """Whether the host's drivers have asked the board nothing for a while, as far as usbmon tells."""
        asked = self._witness.timeline.last(UsbControl(board=self.name))
        return asked is None or self._clock.now_ns() - asked.t_ns > to_ns(QUIET_S)

    def leave(self) -> None:
        """Undo what would disturb the next test."""
        if self._asleep and self._attached():
            self.resume()
        self._terminal.restore()

    def _attached(self) -> bool:
        """On the bus; before the timeline tells of the first plug or unplug, the kernel is asked."""
        known = self._witness.attached(self.spec.usb)
        return self._on_bus() if known is None else known

    def _on_bus(self) -> bool:
        try:
            self._agent.read_attribute(self.name, "runtime_status")
        except AgentRefused:
            raise
        except AgentError:
            self._agent.boards_known()  # raises where it is the agent that is gone
            return False
        return True

    def _sees_unplug(self) -> str:
        sees = self._power.sees
        return SUSPEND if sees == VBUS_OFF and self.spec.supply == "own" else sees
