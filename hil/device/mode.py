"""What runs on a board, as far as its USB identity tells: its application, a loader of the chip, or nothing.

The kernel is asked for what is there now; the timeline says when something came, and wakes whoever waits for it.
"""

import sys
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Protocol, TypeVar

from hil.bench import Board
from hil.board.identity import LOADERS, Identity
from hil.device.witness import Witness
from hil.errors import AgentError, AgentRefused, BoardFailure
from hil.timeline.departure import around, why_it_left
from hil.timeline.events import Event, TtyAppeared, TtyVanished, UsbAttached, UsbDetached

TTY_S = 5.0
"""From a device on the bus to its serial port: the driver's probing."""
T = TypeVar("T")
_OF_TTY = (UsbAttached, UsbDetached, TtyAppeared, TtyVanished)
"""What tells whether a device has a serial port."""


class ModeAgent(Protocol):
    """What :class:`Modes` needs of the agent."""

    def boards_known(self) -> list[str]: ...
    def read_attribute(self, board: str, attribute: str) -> str: ...
    def find_tty(self, board: str, port: str) -> str: ...


@dataclass(frozen=True, slots=True)
class Arrival:
    """A device that came onto the bus at the board's topology path."""

    identity: Identity
    t_ns: int
    """CLOCK_MONOTONIC, nanoseconds: when the kernel told of it."""
    t_err_ns: int


class Modes:
    """One board's.

    Args:
        spec: whose topology path it is.
        agent: asks the kernel.
        witness: the timeline.
        serial_jtag: its application leaves USB to USB-Serial/JTAG, as the profile says.
    """

    def __init__(self, spec: Board, agent: ModeAgent, witness: Witness, serial_jtag: bool = False) -> None:
        self.applications = frozenset({Identity.APPLICATION, *([Identity.SERIAL_JTAG] if serial_jtag else [])})
        """What its application may be called."""
        self._spec = spec
        self._agent = agent
        self._witness = witness

    def now(self) -> Identity:
        """What is at the board's path, as the kernel has it."""
        vid = self._asked(lambda: self._agent.read_attribute(self._spec.name, "idVendor"))
        pid = self._asked(lambda: self._agent.read_attribute(self._spec.name, "idProduct"))
        return Identity.of(int(vid, 16), int(pid, 16)) if vid and pid else Identity.NOTHING

    def in_loader(self) -> bool:
        """Whether its identity is a loader's, and not its application's as well."""
        return self.now() in LOADERS - self.applications

    def wait(self, wanted: Collection[Identity], within_s: float) -> Identity:
        """The identity as soon as it is one of ``wanted``; what it is instead when ``within_s`` have passed."""
        self._witness.until(lambda: self.now() in wanted, within_s)
        return self.now()

    def came(self, wanted: Collection[Identity], since_ns: int, within_s: float) -> Arrival | None:
        """The first device of a ``wanted`` identity that has come since and is there still; None where none does.

        The timeline tells both: whatever has come by a uevent goes by one.
        """
        timeline = self._witness.timeline
        seen, arrival = timeline.cursor(since_ns), None

        def look() -> Arrival | None:
            """Each event is looked at once: a wait that does so again and again takes the time of what it waits for."""
            nonlocal seen, arrival
            fresh = timeline.arrived_from(seen)
            seen += len(fresh)
            for event in fresh:
                if isinstance(event, UsbAttached | UsbDetached) and self._is_ours(event, since_ns):
                    arrival = _arrival(event) if isinstance(event, UsbAttached) else None
            return arrival if arrival is not None and arrival.identity in wanted else None

        return self._witness.until(look, within_s)

    def _is_ours(self, event: UsbAttached | UsbDetached, since_ns: int) -> bool:
        return event.path == self._spec.usb and event.t_ns >= since_ns

    def left(self, since_ns: int, within_s: float) -> bool:
        """Whether the board has been told to have left the bus since, at the latest ``within_s`` from now."""
        gone = UsbDetached(path=self._spec.usb)
        return self._witness.until(lambda: self._witness.timeline.first(gone, since_ns), within_s) is not None

    def departures(self, since_ns: int) -> list[str]:
        """Why it left the bus, each time since, as far as it says so itself; see :mod:`hil.timeline.departure`."""
        timeline, board = self._witness.timeline, self._spec.name

        def of(pattern: Event) -> list[Event]:
            return [event for event in timeline.of(pattern) if event.board in (board, "")]

        gone = (event for event in timeline.since(since_ns) if isinstance(event, UsbDetached))
        spans = [around(left, of, since_ns, sys.maxsize) for left in gone if left.path == self._spec.usb]
        return [why_it_left(of, came_ns, back_ns)[0] for came_ns, back_ns in spans]

    def tty(self, port: str = "usb", within_s: float = TTY_S) -> str:
        """The board's serial port as it is called now, such as ``/dev/ttyACM0``, once its driver has made it.

        Args:
            port: 'usb', or 'console' for its UART bridge.
            within_s: for the driver.

        Raises:
            BoardFailure: there is none after ``within_s``.
        """

        def look() -> str:
            told = self._told_tty() if port == "usb" else ""
            return told or self._asked(lambda: self._agent.find_tty(self._spec.name, port))

        node = self._witness.until(look, within_s)
        if not node:
            place = self._spec.usb if port == "usb" else self._spec.console
            raise BoardFailure(
                f"board {self._spec.name} has no serial port at {place} ({port}) after {within_s:g} s; "
                f"there is {self.now() if port == 'usb' else 'no UART bridge with a driver'}"
            )
        return node

    def _told_tty(self) -> str:
        """The port that the device has got since it came, as the timeline tells; '' where it does not."""
        came = self._witness.timeline.last(UsbAttached(path=self._spec.usb))
        if came is None:
            return ""
        changes = (e for e in reversed(self._witness.timeline.since(came.t_ns)) if isinstance(e, _OF_TTY))
        latest = next((e for e in changes if e.path == self._spec.usb), None)
        return latest.node if isinstance(latest, TtyAppeared) else ""

    def _asked(self, call: Callable[[], str]) -> str:
        """What the agent answers; '' where it has nothing to answer of, because the device is not there."""
        try:
            return call()
        except AgentRefused:
            raise
        except AgentError:
            self._agent.boards_known()  # raises where it is the agent that is gone
            return ""


def _arrival(event: UsbAttached) -> Arrival:
    return Arrival(Identity.of(event.vid, event.pid), event.t_ns, event.t_err_ns)
