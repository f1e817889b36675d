"""A board as a kernel USB device: real or virtual, the same class."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from hil.bench import Board
from hil.board.identity import Identity
from hil.board.interfaces import BootLine, Instant, PowerDriver, UsbAgent
from hil.board.sight import RESET, SUSPEND, VBUS_OFF
from hil.clock import Clock, MonotonicClock
from hil.device.actions import Actions
from hil.device.bootloader import Entered
from hil.device.bus_actions import BusActions
from hil.device.bus_sleep import BusSleep
from hil.device.chip import Chip, ChipCapture, Parts
from hil.device.claims import ClaimReader, Judged
from hil.device.held_boot import power_with
from hil.device.log_stream import Channels, reading
from hil.device.presence import Presence
from hil.device.readiness import Readiness
from hil.device.readings import Reading, Readings
from hil.device.recovery import Recovered
from hil.device.resets import Resets
from hil.device.terminal import Ports, Terminal
from hil.device.witness import Witness
from hil.errors import HarnessError, HilError, MisuseError
from hil.profiles import Profile
from hil.timeline.events import Acted, BoardSaid, Event

DETACH_S = 10.0
"""A driver's control request that is on its way when the cable goes may hold the kernel's disconnect up for the 5 s of
USB_CTRL_SET_TIMEOUT (include/linux/usb.h); with vhci_hcd it does."""


class Captured(Ports, Channels, ChipCapture, Protocol):
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
        boot: BootLine | None = None,
    ) -> None:
        self.name = spec.name
        self.spec = spec
        self.profile = profile
        self.on_skipped_check: Callable[[str], None] = lambda text: None
        self._power = power
        self._witness = witness
        self._capture = capture
        self._actions = Actions(spec.name, capture.record)
        self._readings = Readings(spec, profile, agent, self._actions)
        self._claims = ClaimReader(spec, profile, witness, self._readings)
        self._clock = clock or MonotonicClock()
        self._presence = Presence(spec, agent, witness)
        self._sleep = BusSleep(spec, agent, self._presence, self._clock)
        self._bus = BusActions(self._actions, agent, self._presence, self._clock, spec.supply)
        self._resets = Resets(spec, profile, agent, self._actions, readings=self._readings, witness=witness)
        self._terminal = Terminal(capture, witness, self._actions, self._presence.attached, self._clock)
        self.plugged = True
        """Whether its cable is in, as far as this run has pulled it."""
        parts = Parts(spec, profile, agent, self._actions, self._readings, witness, capture, self._clock)
        self.chip = Chip(parts, power_with(boot, self._pull, self._put_back, self._clock.sleep))
        self.flashing = self.chip.flashing
        self.flash = self.flashing.flash
        """Puts a firmware into the board's flash and sees that it runs; docs/flashing.md."""
        self.readiness = Readiness(
            self, parts, self.chip, self._bus, presence=self._presence, sleep=self._sleep, terminal=self._terminal
        )

    def __repr__(self) -> str:
        return f"board {self.name}"

    @property
    def offers(self) -> frozenset[str]:
        """What the board can be made to see by the actions below, on this bench."""
        unplugs = self.spec.power.driver != "none" or self._bus.has_port_switch()
        ways = {SUSPEND, *([self._sees_unplug()] if unplugs else ()), *([RESET] if self._resets.ways() else ())}
        return frozenset(ways | self._bus.offers())

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

    def in_pool(self, address: str) -> bool:
        """Whether ``address`` lies in the pool that the profile names; true where it names none."""
        network = self.profile.network
        return not network.pool_first or network.serves(address)

    # ---- cable -------------------------------------------------------------------------------

    def unplug(self) -> Acted:
        """Pull the cable; returns once the kernel has seen the board go.

        Raises:
            HarnessError: the device is still there after 10 s.
        """
        return self._actions.perform("unplug", self._sees_unplug(), self._pull)

    def plug(self) -> Acted:
        """Put the cable back; what follows is for the test to judge."""
        return self._actions.perform("plug", self._sees_unplug(), self._put_back)

    def replug(self, off_s: float = 1.0) -> Acted:
        """Pull the cable, wait ``off_s``, put it back; returns the instant at which it was pulled."""
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
        self.plugged = self._sleep.asleep = False
        if not self._presence.gone(DETACH_S):
            raise HarnessError(
                f"board {self.name} is still on the bus {DETACH_S:g} s after its cable was pulled: the kernel has it "
                f"at {self.spec.usb}; is that its port, and does the bench switch it ({self.spec.power})?"
            )
        return done

    def _put_back(self) -> Instant:
        done = self._power.on()
        self.plugged = True
        return done

    # ---- bus ---------------------------------------------------------------------------------

    def authorize_cycle(self, off_s: float = 0.5) -> Acted:
        """Take the host's authorization away for ``off_s``: SET_CONFIGURATION(0), then again; the address stays.

        Returns:
            The instant at which the board was deconfigured.
        """
        return self._bus.authorize_cycle(off_s)

    def port_disable(self, off_s: float = 1.0) -> Acted:
        """Disable the hub's port for ``off_s``: the data lines go, and the supply too where the hub can do that.

        Returns:
            The instant at which the port was disabled.

        Raises:
            SetupError: the kernel is older than 6.0.
        """
        self._sleep.asleep = False
        return self._bus.port_disable(off_s)

    def usb_reset(self) -> Acted:
        """Reset the port (USBDEVFS_RESET): a bus reset, then SET_CONFIGURATION at the same address."""
        return self._bus.usb_reset()

    def rebind(self, driver: str = "usb", off_s: float = 0.5) -> Acted:
        """Unbind a driver for ``off_s``: 'usb' deconfigures as :meth:`authorize_cycle`, 'cdc_ncm' only leaves alt 1.

        Returns:
            The instant at which it was unbound.
        """
        return self._bus.rebind(driver, off_s)

    def reset(self, how: str = "", over: str = "usb") -> Acted:
        """Start the chip over, and see that it does.

        Args:
            how: 'dtr_rts' by the lines of the console's bridge, 'http' by the firmware's own path, '' by the first of
                them that the board has; 'power' is :meth:`power_cycle`, 'port' is :meth:`usb_reset`.
            over: where 'http' asks, 'usb' or 'fallback'.

        Returns:
            The instant at which EN fell, or the firmware was asked.

        Raises:
            MisuseError: the board has no such way; a test that needs one says so by ``needs="reset"``.
            HarnessError: the lines have no effect.
            BoardFailure: the firmware promised and did not restart.
        """
        if how in ("port", "power"):
            return self.usb_reset() if how == "port" else self.power_cycle()
        return self._resets.reset(how, over)

    # ---- sleep -------------------------------------------------------------------------------

    def suspend(self) -> Acted:
        """Let the host suspend the bus; returns the instant at which it was suspended.

        Raises:
            BoardFailure: the bus does not go to sleep within 5 s.
            BoardVanished: the board left the bus instead, or was not there.
            MisuseError: the bus sleeps already.
        """
        return self._actions.perform("suspend", SUSPEND, self._sleep.begin)

    def resume(self) -> Acted:
        """Let the host resume the bus; returns the instant at which that was done.

        Raises:
            BoardFailure: the bus does not wake up.
            BoardVanished: the board left the bus instead, or was not there.
        """
        return self._actions.perform("resume", SUSPEND, self._sleep.end)

    def doze(self, asleep_s: float) -> tuple[Acted, Acted]:
        """Suspend the bus, leave it so for ``asleep_s`` unless the board wakes it, and resume it.

        Returns:
            The instants of the suspend and of the resume.
        """
        asleep = self.suspend()
        self._clock.sleep(asleep_s)
        return asleep, self.resume()

    # ---- loader ------------------------------------------------------------------------------

    @property
    def identity(self) -> Identity:
        """What answers at the board's topology path now."""
        return self.chip.modes.now()

    def enter_bootloader(
        self, how: str = "", over: str = "usb", at: str = "", identity: Identity | None = None
    ) -> Entered:
        """Bring the chip into its loader, and see that one answers.

        Args:
            how: a way of docs/bootloader.md; '' leaves a loader that is there as it is, else takes the surest way.
            over: where 'http' asks, 'usb' or 'fallback'.
            at: which port's loader 'dtr_rts' and 'power' ask first, and thereby choose; '' is bench.toml's ``flash``.
            identity: the loader that must come; None: the one of the profile's ``[loader] identity``, if it names one.

        Raises:
            MisuseError: the board has no such way.
            LoaderFailure: the way ended elsewhere; the message begins with the name of where.
        """
        return self.chip.bootloader.enter(how, over, at, identity)

    def leave_bootloader(self, plain: bool = False) -> Entered:
        """Reset the chip out of its loader and wait for its application; returns when that came.

        Args:
            plain: by RTS of its own port, once the loader has been told to forget the order to stay: a reset of the
                core, as esptool's ``hard-reset``.

        Raises:
            LoaderFailure: the loader is there again, or nothing is.
        """
        return self.chip.bootloader.leave(plain)

    def recover(self) -> Recovered:
        """From wherever the board is to its application, by the gentlest rung that works; each is in the timeline.

        Raises:
            BoardDead: none does.
        """
        return self.readiness.recover()

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
        """GET ``path`` from the board; ``over`` is 'usb', 'fallback', or an address that it was given."""
        return self._readings.get(path, over)

    def request(self, method: str, path: str, over: str = "usb", deadline_s: float | None = None) -> Reading:
        """As :meth:`get`, by any method, without a body; ``deadline_s`` is 5 s unless given."""
        return self._readings.request(method, path, over, deadline_s)

    def first_answer(self, path: str, over: str = "usb", within_s: float = 5.0) -> Reading:
        """GET ``path`` as soon as the server listens, which after a boot may be later than USB: it refuses till then.

        Returns:
            The first answer, or the last refusal when ``within_s`` have passed.
        """
        return self._readings.first_answer(path, over, within_s, self._clock)

    @contextmanager
    def log_stream(self, over: str = "usb") -> Iterator[Acted]:
        """Read the board's log over HTTP for the length of the block; what comes are Stream events.

        Yields:
            When it was asked for.

        Raises:
            BoardMute: the board takes no connection.
            MisuseError: the profile names no log stream, or one is read already.
        """
        path = self.profile.http.stream.path
        with (
            self._readings.streaming(over) as connect,
            reading(connect, path, self._capture, self._actions, self._clock) as opened,
        ):
            yield opened

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
            BoardVanished: it has not come up.
            BoardDead: it was well before, and nothing brings it back.
        """
        self.readiness.make_ready()

    def leave(self) -> None:
        """Undo what would disturb the next test."""
        self.readiness.leave()

    def _sees_unplug(self) -> str:
        """Nothing but silence tells a board with a supply of its own that its cable is out."""
        return SUSPEND if self.spec.supply == "own" else self._power.sees
