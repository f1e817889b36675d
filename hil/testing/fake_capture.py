"""Stands for the capture process: writes timeline.jsonl itself, at times that a test has laid down."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from hil.clock import to_ns
from hil.testing.fake_clock import FakeClock
from hil.timeline.events import ANY, Event, SerialOpened
from hil.timeline.journal import encode

OPENED_S = 0.02
"""From the order to open a serial port to the port's being open."""


class FakeCapture:
    """A journal that grows while somebody waits for it: waiting moves the clock on to the next thing that is due.

    Args:
        directory: where timeline.jsonl is written.
        clock: time that passes only in :meth:`wait`.
    """

    def __init__(self, directory: Path, clock: FakeClock) -> None:
        self.path = directory / "timeline.jsonl"
        self.clock = clock
        self.syncs = 0
        self.waits = 0
        self.calls: list[tuple[object, ...]] = []
        """What it was told about serial ports and streams: name and arguments of each call."""
        self.opens_ttys = True
        """Whether a serial port that is watched is there."""
        self.busy = False
        """Whether it writes nothing before the next :meth:`sync`."""
        self._due: list[tuple[int, Callable[[], object]]] = []
        self._unwritten: list[Event] = []
        self._grown = False

    def record(self, event: Event) -> Event:
        """Write ``event`` now; what its stamp leaves open is filled in as the real one does."""
        stamped = self._stamped(event)
        if self.busy:
            self._unwritten.append(stamped)
        else:
            self._write(stamped)
        return stamped

    def _write(self, stamped: Event) -> None:
        self.append(f"{encode(stamped)}\n")

    def append(self, text: str) -> None:
        """Write ``text`` as it is, such as half a line."""
        with self.path.open("a", encoding="latin-1", newline="\n") as file:
            file.write(text)
        self._grown = True

    def hold(self, event: Event) -> None:
        """``event`` happens now and is not written before the next :meth:`sync`."""
        self._unwritten.append(self._stamped(event))

    def after(self, delay_s: float, do: Callable[[], object]) -> None:
        """Call ``do`` when ``delay_s`` more have passed."""
        self._due.append((self.clock.now_ns() + to_ns(delay_s), do))

    def record_after(self, delay_s: float, event: Event) -> None:
        """Write ``event``, stamped then, when ``delay_s`` more have passed."""
        self.after(delay_s, lambda: self.record(event))

    def wait(self, timeout_s: float) -> bool:
        """As :meth:`hil.capture.client.Capture.wait`, in no time at all."""
        self.waits += 1
        end_ns = self.clock.now_ns() + to_ns(timeout_s)
        while not self._grown and self._due:
            at_ns, do = min(self._due, key=lambda due: due[0])
            if at_ns > end_ns:
                break
            self._due.remove((at_ns, do))
            self.clock.set(max(at_ns, self.clock.now_ns()))
            do()
        if not self._grown:
            self.clock.set(max(end_ns, self.clock.now_ns()))
        grown, self._grown = self._grown, False
        return grown

    def catch_up(self) -> None:
        """Let everything happen that is due by now, as it does while somebody sleeps."""
        due = [entry for entry in self._due if entry[0] <= self.clock.now_ns()]
        for entry in sorted(due, key=lambda entry: entry[0]):
            self._due.remove(entry)
            entry[1]()

    def sync(self, timeout_s: float = 10.0) -> None:
        """Write what was held back."""
        self.syncs += 1
        self.catch_up()
        held, self._unwritten = self._unwritten, []
        for event in held:
            self._write(event)

    def watch_tty(self, board: str, port: str, dtr: bool = True, hangup: bool = False) -> None:
        """The port opens a moment later, where it is there."""
        self.calls.append(("watch_tty", board, port, dtr, hangup))
        if self.opens_ttys:
            self.record_after(OPENED_S, SerialOpened("/dev/ttyACM0", dtr, board=board, source="serial"))

    def release_tty(self, board: str, port: str) -> None:
        self.calls.append(("release_tty", board, port))

    def lend(self, board: str, port: str) -> None:
        self.calls.append(("lend", board, port))

    def take_back(self, board: str, port: str) -> None:
        self.calls.append(("take_back", board, port))

    def add(self, message: Mapping[str, Any], *fds: int) -> None:
        self.calls.append(("add", dict(message)))

    def _stamped(self, event: Event) -> Event:
        return replace(
            event,
            t_ns=self.clock.now_ns() if event.t_ns is ANY else event.t_ns,
            t_err_ns=0 if event.t_err_ns is ANY else event.t_err_ns,
            board="" if event.board is ANY else event.board,
            source="harness" if event.source is ANY else event.source,
        )
