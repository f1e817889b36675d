"""One epoll set over all sources: read what is ready, sort it, write it in one piece, go on.

A source is never waited for, a reader of the timeline neither. What ends a round is the write; what is to follow a
write (the answer to a ``sync``) is called after it.
"""

import select
from collections.abc import Callable

from hil.capture.arrival import EMULATED_WAKE_NS, WAKE_NS, Arrivals, RunDelay
from hil.capture.recorder import Recorder
from hil.capture.source import Moment, Source
from hil.clock import now_ns, to_ns, to_s
from hil.timeline.events import Event
from hil.whereabouts import emulated

READY = select.EPOLLIN | select.EPOLLERR | select.EPOLLHUP
DRAIN_S = 0.2
"""Longest time that a ``sync`` spends on reading what is there already."""


class Loop:
    """All sources of one process; belongs to the thread that runs it."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._epoll = select.epoll()
        self._sources: dict[int, Source] = {}
        self._timed: list[Source] = []
        self._delay = RunDelay()
        self._arrivals = Arrivals(self._delay, EMULATED_WAKE_NS if emulated() else WAKE_NS)
        self._said: list[Event] = []
        self._fresh: list[tuple[Source, Moment]] = []
        self._when_quiet: list[Callable[[], None]] = []
        self.running = True

    def add(self, source: Source) -> None:
        """From now on ``source`` is read whenever it is ready."""
        fd = source.fileno()
        if fd < 0:
            self._timed.append(source)
            return
        self._sources[fd] = source
        self._arrivals.added(fd, source.since_ns)
        self._epoll.register(fd, READY)

    def remove(self, source: Source) -> None:
        """Close ``source`` and forget it."""
        fd = source.fileno()
        if fd < 0:
            self._timed.remove(source)
        else:
            self._epoll.unregister(fd)
            self._arrivals.forget(fd)
            del self._sources[fd]
        source.close()

    def say(self, event: Event) -> None:
        """Put an event into the batch of this round."""
        self._said.append(event)

    def when_quiet(self, call: Callable[[], None]) -> None:
        """Call after everything that is readable now has been written."""
        self._when_quiet.append(call)

    def run(self) -> None:
        """Until ``running`` is false; then what the sources hold back is written too."""
        while self.running:
            self.round(self._arrivals.longest_wait_s)
        self._drain()
        self._recorder.write([event for source in self._all() for event in source.finish(self._now())])

    def round(self, wait_s: float) -> None:
        """Read every source that is or becomes ready within ``wait_s``, and write what they gave."""
        self._write_round(self._ready(wait_s))
        if not self._when_quiet:
            return
        calls, self._when_quiet = self._when_quiet, []
        self._drain()
        for call in calls:
            call()

    def _drain(self) -> None:
        """Read and write what is there, until nothing is or :data:`DRAIN_S` has passed."""
        end_ns = now_ns() + to_ns(DRAIN_S)
        while (ready := self._ready(0.0)) and now_ns() < end_ns:
            self._write_round(ready)

    def _write_round(self, ready: list[tuple[int, int]]) -> None:
        """The write comes first; whatever nobody waits for comes after it."""
        batch: list[Event] = []
        for fd, _ in ready:
            batch += self._read(fd)
        batch += self._said
        self._said = []
        self._recorder.write(batch)
        for source, now in self._fresh:
            self._done(source, now)
        self._fresh.clear()
        self._recorder.write(self._wake())

    def _ready(self, wait_s: float) -> list[tuple[int, int]]:
        """Descriptors, each with what it is ready for, as epoll gives them."""
        self._arrivals.looked()
        ready = self._epoll.poll(0)
        if not ready and (wait_s := min(wait_s, self._until_deadline_s())) > 0:
            self._arrivals.waiting()
            ready = self._epoll.poll(wait_s)
            self._arrivals.woke()
        return ready

    def _read(self, fd: int) -> list[Event]:
        source = self._sources.get(fd)
        if source is None:
            return []
        now = self._arrivals.moment(fd)
        self._fresh.append((source, now))
        events = source.read(now)
        if source.ended:
            events += source.finish(now)
            self.remove(source)
        return events

    def _done(self, source: Source, now: Moment) -> None:
        """What a reading leaves to do when its events are written."""
        if source.fileno() in self._sources:
            self._arrivals.emptied(source.fileno(), now, source.more)
            source.afterwards()

    def _wake(self) -> list[Event]:
        events: list[Event] = []
        for source in self._all():
            if source.deadline_ns is not None and source.deadline_ns <= now_ns():
                events += source.wake(self._now())
        return events

    def _until_deadline_s(self) -> float:
        deadlines = [source.deadline_ns for source in self._all() if source.deadline_ns is not None]
        return max(0.0, to_s(min(deadlines) - now_ns())) if deadlines else float("inf")

    def _all(self) -> list[Source]:
        return [*self._sources.values(), *self._timed]

    def _now(self) -> Moment:
        return Moment(now_ns(), 0)

    def close(self) -> None:
        for source in self._all():
            self.remove(source)
        self._epoll.close()
        self._delay.close()
