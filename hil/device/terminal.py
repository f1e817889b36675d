"""The terminal on a board's own serial port: open with DTR high, unless a test asks for something else.

A firmware may send its log only while somebody holds DTR (``tud_cdc_connected``), and must not care for it in anything
else. Linux raises DTR and RTS whenever a port is opened (``drivers/tty/tty_port.c``, tty_port_block_til_ready), so a
port that is to have them low is opened first and lowered directly after; a port that nobody opens has them low from its
enumeration on.
"""

from collections.abc import Callable
from typing import Protocol

from hil.agent.replies import Done
from hil.board.interfaces import Instant
from hil.board.sight import TRAFFIC
from hil.clock import Clock
from hil.device.actions import Actions
from hil.device.witness import Witness
from hil.errors import BoardFailure
from hil.timeline.events import Acted, SerialOpened

OPEN_S = 5.0
"""For a port that is there already."""
PORT = "usb"


class Ports(Protocol):
    """What opens serial ports: :class:`hil.capture.client.Capture`."""

    def watch_tty(self, board: str, port: str, dtr: bool = True, hangup: bool = False) -> None: ...
    def release_tty(self, board: str, port: str) -> None: ...


class Terminal:
    """Somebody at the board's serial port, or nobody.

    Args:
        ports: opens and releases the port; it has been told to open it with DTR high whenever it appears.
        witness: tells when it was opened.
        actions: records what is done.
        attached: whether the board is on the bus.
        clock: for the instants.
    """

    def __init__(
        self, ports: Ports, witness: Witness, actions: Actions, attached: Callable[[], bool], clock: Clock
    ) -> None:
        self._ports = ports
        self._witness = witness
        self._actions = actions
        self._attached = attached
        self._clock = clock
        self._board = actions.board
        self._dtr: bool | None = True
        """As the port is opened; None where nobody opens it."""

    def open(self, dtr: bool = True) -> Acted:
        """Open the port anew, now and whenever it comes back; on a board that is off the bus, when it comes.

        Returns:
            When DTR had its level.

        Raises:
            BoardFailure: the board is on the bus and has no serial port.
        """
        detail = f"DTR {'high' if dtr else 'low'}"
        return self._actions.perform("open_terminal", TRAFFIC, lambda: self._open(dtr), detail)

    def close(self) -> Acted:
        """Lower DTR and close the port; nobody opens it until :meth:`open`."""
        return self._actions.perform("close_terminal", TRAFFIC, self._close)

    def restore(self) -> None:
        """Have the port open with DTR high again, as every test finds it."""
        if self._dtr is not True:
            self.open()

    def _open(self, dtr: bool) -> Instant:
        began_ns = self._clock.now_ns()
        self._release()
        self._ports.watch_tty(self._board, PORT, dtr=dtr, hangup=True)
        self._dtr = dtr
        if not self._attached():
            return self._between(began_ns, self._clock.now_ns())
        opened = self._witness.find(SerialOpened(board=self._board, source="serial"), began_ns, OPEN_S)
        if opened is None:
            raise BoardFailure(f"board {self._board} is on the bus and no serial port of it opened within {OPEN_S:g} s")
        return self._between(began_ns, opened.t_ns)

    def _close(self) -> Instant:
        began_ns = self._clock.now_ns()
        if self._dtr and self._attached():
            self._open(dtr=False)  # the port may have been opened to keep DTR when it is closed
        self._release()
        return self._between(began_ns, self._clock.now_ns())

    def _release(self) -> None:
        if self._dtr is not None:
            self._ports.release_tty(self._board, PORT)
            self._dtr = None

    @staticmethod
    def _between(began_ns: int, done_ns: int) -> Instant:
        return Done((began_ns + done_ns) // 2, (done_ns - began_ns) // 2 + 1)
