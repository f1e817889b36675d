"""Ways to start a board's chip over, and whether it did.

By ``dtr_rts`` the UART bridge of the board's console pulls EN low, if its lines are wired as on a development board; by
``http`` the firmware is asked to restart. Both take the device off the bus, and a console that is listened to shows the
ROM's first line.
"""

from collections.abc import Callable

from hil.bench import Board
from hil.board.interfaces import Instant, UsbAgent
from hil.board.sight import RESET
from hil.device.actions import Actions
from hil.device.readings import Readings
from hil.device.witness import Witness
from hil.errors import BoardFailure, BoardMute, HarnessError, MisuseError
from hil.profiles import Profile
from hil.timeline.events import Acted, BootMessage, HttpReply, UsbDetached

LINES_S = 3.0
"""EN takes the chip off the bus at once; the kernel's disconnect takes its time on a busy host."""
ANSWERED_S = 5.0
"""A firmware answers before it restarts: the reference after 100 ms, others after what they still have to write."""
DTR_RTS, HTTP = "dtr_rts", "http"


class Resets:
    """Starts one board's chip over."""

    def __init__(
        self,
        spec: Board,
        profile: Profile,
        agent: UsbAgent,
        actions: Actions,
        *,
        readings: Readings,
        witness: Witness,
    ) -> None:
        self._spec = spec
        self._profile = profile
        self._agent = agent
        self._actions = actions
        self._readings = readings
        self._witness = witness

    def ways(self) -> tuple[str, ...]:
        """Those that bench.toml and the profile name, the surest first."""
        lines = (DTR_RTS,) if self._spec.console else ()
        return (*lines, *((HTTP,) if self._profile.http.reset else ()))

    def reset(self, how: str, over: str) -> Acted:
        """Start the chip over; returns the instant at which EN fell, or the firmware was asked.

        Args:
            how: one of :meth:`ways`, or '' for the surest of them.
            over: the network on which ``http`` asks, 'usb' or 'fallback'.

        Raises:
            MisuseError: this board cannot be reset so.
            HarnessError: the pulse on the lines had no effect.
            BoardMute: the firmware did not answer.
            BoardFailure: the firmware refused, or promised and did not restart.
        """
        ways = self.ways()
        if not ways or (how and how not in ways):
            known = ", ".join(map(repr, ways)) or "none: no console in bench.toml, no http.reset in its profile"
            raise MisuseError(f"reset of board {self._spec.name} by {how!r}; ways: {known}; a test needs={RESET!r}")
        chosen = how or ways[0]
        deeds: dict[str, Callable[[], Instant]] = {DTR_RTS: self._by_lines, HTTP: lambda: self._by_http(over)}
        return self._actions.perform("reset", RESET, deeds[chosen], chosen)

    def _by_lines(self) -> Instant:
        fell = self._agent.reset_by_lines(self._spec.name)
        if not self._restarted(fell, LINES_S):
            raise HarnessError(
                f"board {self._spec.name} did not start over when DTR and RTS of its console at {self._spec.console} "
                "pulled EN: are they wired to EN and IO0? reset('http') needs no wires"
            )
        return fell

    def _by_http(self, over: str) -> Instant:
        name, path = self._spec.name, self._readings.path("reset")
        reading = self._readings.request("POST", path, over)
        if not isinstance(reading.reply, HttpReply):
            raise BoardMute(f"board {name} did not answer POST {path} over {over}: {reading.reply}")
        if reading.reply.status != 200:
            raise BoardFailure(f"board {name} answered POST {path} with {reading.reply.status}")
        if not self._restarted(reading, ANSWERED_S):
            raise BoardFailure(f"board {name} answered POST {path} with 200 and did not start over in {ANSWERED_S:g} s")
        return reading

    def _restarted(self, since: Instant, within_s: float) -> bool:
        """Whether the device left the bus, or the ROM spoke."""
        early_ns = since.t_ns - since.t_err_ns
        signs = (UsbDetached(path=self._spec.usb), BootMessage(board=self._spec.name, stage="rom"))
        timeline = self._witness.timeline
        return self._witness.until(lambda: any(timeline.first(sign, early_ns) for sign in signs), within_s)
