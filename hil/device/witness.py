"""Follows the timeline on disk and waits for what an expectation needs.

The capture process writes; this side only reads the same file, so a wait and a later replay see the same events. Every
wait ends by an event or by its deadline; before a deadline means "it did not happen", the capture process is asked to
write down everything that it could read by then.
"""

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Protocol, TypeVar

from hil.clock import Clock, Deadline, MonotonicClock, to_s
from hil.errors import HarnessError, WireError
from hil.expect import Expectation, Pending
from hil.timeline.events import Event, UsbAttached, UsbDetached
from hil.timeline.journal import JournalReader
from hil.timeline.matching import matcher
from hil.timeline.timeline import Timeline

SYNC_S = 10.0
"""The capture process writes within milliseconds; one that takes this long is not keeping up."""
LATEST_LOOK_S = 0.25
"""Longest sleep between two looks at the file, in case another thread took the wake-up."""
PORTION = 1 << 20
"""Bytes of the journal that are read and judged at a time."""
T = TypeVar("T")


class Journal(Protocol):
    """What a witness needs of :class:`hil.capture.client.Capture`."""

    path: Path

    def wait(self, timeout_s: float) -> bool: ...
    def sync(self, timeout_s: float) -> None: ...


class Witness:
    """The timeline of a run, as far as it has been written."""

    def __init__(self, capture: Journal, clock: Clock | None = None) -> None:
        self.timeline = Timeline()
        self._capture = capture
        self._clock = clock or MonotonicClock()
        self._path = capture.path
        self._file: BinaryIO | None = None
        self._reader = JournalReader()
        self._watching: list[Expectation] = []
        self._presence: dict[str, tuple[int, bool]] = {}
        self._looked_for_presence = 0

    def refresh(self) -> int:
        """Read what has been written since; returns the number of new events.

        Raises:
            HarnessError: a line is no event; the message names file and line, at every further call too.
        """
        count = 0
        while True:
            data = self._read()
            try:
                events = self._reader.feed(data)
            except WireError as error:
                raise HarnessError(f"{self._path}: {error}") from error
            self._take(events)
            count += len(events)
            if len(data) < PORTION:
                return count

    def catch_up(self) -> None:
        """Read all that was recorded before this call; the capture process writes it down first.

        Raises:
            HarnessError: the capture process has died or does not keep up.
        """
        self._capture.sync(SYNC_S)
        self.refresh()

    def watch(self, expectation: Expectation) -> None:
        """Feed ``expectation`` with what is there and with all that comes."""
        self.refresh()
        expectation.feed_all(self.timeline.arrived_from(self.timeline.cursor(expectation.since_ns)))
        self._watching.append(expectation)

    def unwatch(self, expectation: Expectation) -> None:
        self._watching.remove(expectation)

    def settle(self, expectation: Expectation) -> None:
        """Return when ``expectation``, which is watched, is decided; its own deadline ends the wait.

        Raises:
            HarnessError: the capture process has died or does not keep up.
        """
        self.refresh()
        while isinstance(expectation.outcome, Pending):
            deadline_ns = expectation.deadline_ns
            assert deadline_ns is not None
            asked_ns = self._clock.now_ns()
            if asked_ns >= deadline_ns:
                self.catch_up()
                expectation.wake(asked_ns)  # what happened while capture was writing may not be on disk yet
            else:
                self._capture.wait(min(to_s(deadline_ns - asked_ns), LATEST_LOOK_S))
                self.refresh()

    def until(self, look: Callable[[], T], within_s: float) -> T:
        """What ``look`` returns as soon as that is true, or what it returns when ``within_s`` have passed."""
        deadline = Deadline(within_s, self._clock)
        while not deadline.passed:
            self.refresh()
            found = look()
            if found:
                return found
            self._capture.wait(min(deadline.left_s, LATEST_LOOK_S))
        self.catch_up()
        return look()

    def find(self, pattern: Event, since_ns: int, within_s: float) -> Event | None:
        """An event that matches ``pattern`` and may have happened at or after ``since_ns``, the earliest that is there.

        Waits for it at most ``within_s``.
        """
        fits = matcher(pattern)
        seen = self.timeline.cursor(since_ns)

        def look() -> Event | None:
            nonlocal seen
            fresh = self.timeline.arrived_from(seen)
            seen += len(fresh)
            found = (event for event in fresh if event.t_ns + event.t_err_ns >= since_ns and fits(event))
            return min(found, key=lambda event: event.t_ns, default=None)

        return self.until(look, within_s)

    def attached(self, path: str) -> bool | None:
        """Whether the device at ``path`` is on the bus, as far as the timeline tells; None where it tells nothing."""
        self.refresh()
        fresh = self.timeline.arrived_from(self._looked_for_presence)
        self._looked_for_presence += len(fresh)
        for event in fresh:
            if isinstance(event, UsbAttached | UsbDetached):
                self._note_presence(event)
        known = self._presence.get(path)
        return None if known is None else known[1]

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _read(self) -> bytes:
        if self._file is None:
            if not self._path.exists():
                return b""
            self._file = self._path.open("rb", buffering=0)
        return self._file.read(PORTION)

    def _take(self, events: list[Event]) -> None:
        self.timeline.extend(events)
        for expectation in self._watching:
            expectation.feed_all(events)

    def _note_presence(self, event: UsbAttached | UsbDetached) -> None:
        latest_ns, _ = self._presence.get(event.path, (event.t_ns, False))
        if event.t_ns >= latest_ns:
            self._presence[event.path] = (event.t_ns, isinstance(event, UsbAttached))
