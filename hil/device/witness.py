"""Follows the timeline on disk and waits for what an expectation needs.

The capture process writes; this side only reads the same file, so a wait and a later replay see the same events.
"""

from pathlib import Path
from typing import TextIO

from hil.capture.client import Capture
from hil.clock import Deadline, now_ns, to_s
from hil.errors import HarnessError, WireError
from hil.expect import Expectation, Pending
from hil.timeline.events import Event, UsbAttached, UsbDetached
from hil.timeline.journal import read_journal
from hil.timeline.timeline import Timeline

SYNC_S = 10.0
"""The capture process writes within milliseconds; one that takes this long is not keeping up."""
_LATEST_LOOK_S = 0.25
"""Longest sleep between two looks at the file, in case a wake-up was coalesced."""


class Witness:
    """The timeline of a run, as far as it has been written."""

    def __init__(self, capture: Capture) -> None:
        self.timeline = Timeline()
        self._capture = capture
        self._path: Path = capture.path
        self._file: TextIO | None = None
        self._rest = ""
        self._watching: list[Expectation] = []

    def refresh(self) -> int:
        """Read what has been written since; returns the number of new events."""
        if self._file is None:
            if not self._path.exists():
                return 0
            self._file = self._path.open(encoding="utf-8")
        text = self._rest + self._file.read()
        if not text:
            return 0
        try:
            events, self._rest = read_journal(text)
        except WireError as error:
            raise HarnessError(f"{self._path}: {error}") from error
        for event in events:
            self._take(event)
        return len(events)

    def watch(self, expectation: Expectation) -> None:
        """Feed ``expectation`` with what is there and with all that comes."""
        self.refresh()
        for event in self.timeline:
            expectation.feed(event)
        self._watching.append(expectation)

    def unwatch(self, expectation: Expectation) -> None:
        self._watching.remove(expectation)

    def settle(self, expectation: Expectation) -> None:
        """Return when ``expectation`` is decided, one way or the other; its own deadline ends the wait.

        Raises:
            HarnessError: the capture process has died or does not keep up.
        """
        while isinstance(expectation.outcome, Pending):
            if self.refresh():
                continue
            deadline_ns = expectation.deadline_ns
            assert deadline_ns is not None
            left_s = to_s(deadline_ns - now_ns())
            if left_s > 0:
                self._capture.wait(min(left_s, _LATEST_LOOK_S))
            else:
                self._capture.sync(SYNC_S)
                self.refresh()
                expectation.wake(now_ns())

    def find(self, pattern: Event, since_ns: int, within_s: float) -> Event | None:
        """The first event that matches ``pattern`` at or after ``since_ns``, waiting for it at most ``within_s``."""
        deadline = Deadline(within_s)
        while True:
            self.refresh()
            found = self.timeline.first(pattern, since_ns=since_ns)
            if found is not None or deadline.passed:
                return found
            self._capture.wait(min(max(0.001, deadline.left_s), _LATEST_LOOK_S))

    def attached(self, path: str) -> bool:
        """Whether the device at ``path`` is on the bus, as far as the timeline tells."""
        self.refresh()
        last = [self.timeline.last(pattern) for pattern in (UsbAttached(path=path), UsbDetached(path=path))]
        came, went = (event.t_ns if event is not None else -1 for event in last)
        return came > went

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def _take(self, event: Event) -> None:
        self.timeline.append(event)
        for expectation in self._watching:
            expectation.feed(event)
