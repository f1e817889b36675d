"""Runtime suspend of a board's device: the host lets the bus sleep, or keeps it awake.

Source: Documentation/ABI/testing/sysfs-devices-power, Documentation/driver-api/usb/power-management.rst.
"""

from hil.agent.replies import Done
from hil.bench import Board
from hil.board.interfaces import Instant, UsbAgent
from hil.clock import Clock, Deadline
from hil.device.presence import Presence
from hil.errors import BoardFailure, MisuseError

SUSPEND_S = 5.0
IDLE_MS = "500"
"""How long the bus is idle before it sleeps: time enough for a board that wakes the host to get its frames out, with
the 250 ms for which a firmware may hold its link down after resume. Linux's own default is 2000."""
STATUS_LOOK_S = 0.002


class BusSleep:
    """One board's; ``asleep``: a test has let the bus sleep and not woken it."""

    def __init__(self, spec: Board, agent: UsbAgent, presence: Presence, clock: Clock) -> None:
        self.asleep = False
        self._board = spec.name
        self._agent = agent
        self._presence = presence
        self._clock = clock

    def begin(self) -> Instant:
        """Let the bus sleep; returns when it did.

        Raises:
            MisuseError: it sleeps already.
            BoardFailure: it does not within :data:`SUSPEND_S`.
            BoardVanished: the board left it.
        """
        if self._status() == "suspended":
            raise MisuseError(f"board {self._board} is suspended already; resume() it first")
        self.asleep = True
        self._write("autosuspend_delay_ms", IDLE_MS)
        return self._fallen_asleep(self._write("control", "auto"))

    def end(self) -> Instant:
        """Wake the bus and keep it awake; returns when that was done.

        Raises:
            BoardFailure: it does not wake up.
            BoardVanished: the board left it.
        """
        self.asleep = False
        # A negative delay keeps the device awake whatever else writes to power/control.
        self._write("autosuspend_delay_ms", "-1")
        done = self._write("control", "on")
        state = self._status()
        if state != "active":
            raise BoardFailure(f"board {self._board} did not resume: runtime_status is {state!r}")
        return done

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
                    f"board {self._board} did not suspend within {SUSPEND_S:g} s: runtime_status is {status!r}; "
                    "a driver in use (cdc_acm with the tty open, cdc_ncm with the interface up) needs a device that "
                    "advertises remote wakeup"
                )
            awake_ns = looked_ns
            self._clock.sleep(STATUS_LOOK_S)

    def _status(self) -> str:
        return self._presence.reach(lambda: self._agent.read_attribute(self._board, "runtime_status"))

    def _write(self, attribute: str, value: str) -> Instant:
        return self._presence.reach(lambda: self._agent.write_attribute(self._board, attribute, value))
