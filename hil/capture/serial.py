"""A board's log: raw bytes into a file, lines and what they mean into the timeline.

A port that goes away and comes back under another name is still the same :class:`SerialLog`: the raw file, its
offsets and the board's clock go on. Descriptors come from the agent, which has opened them raw, with DTR, and without
flushing what they held.
"""

import os
from collections.abc import Callable, Sequence
from itertools import accumulate
from pathlib import Path

from hil.capture.claims import UNTIMED, Claims, Witness
from hil.capture.recorder import open_log, write_all
from hil.capture.source import Moment, Source
from hil.clock import NS_PER_MS, now_ns
from hil.timeline.events import BoardPanicked, BootMessage, Event, SerialClosed, SerialLine, SerialOpened
from hil.wire.esplog import (
    NO_MS,
    ROM,
    BacktraceLine,
    BootLine,
    LogLine,
    PanicLine,
    RebootLine,
    parse_line,
    plain_line,
    plain_times,
    strip_colour,
)
from hil.wire.lines import Line, Lines, LineSplitter

CHUNK = 1 << 16
FULL = 4095
"""Bytes that a tty holds for its reader (drivers/tty/n_tty.c: N_TTY_BUF_SIZE, of which one stays free)."""
READS = 16
"""Most reads of a round."""
LINE_LIMIT = 4096
"""Bytes; a line without end is cut here."""
SILENCE_NS = 200 * NS_PER_MS
"""After so long without a byte a line is told without its end."""
PANIC_NS = 500 * NS_PER_MS
"""A panic waits so long for its backtrace, which follows a page of registers."""
HOP_NS = 5 * NS_PER_MS
"""Received bytes wait for a kernel worker before the port is readable (drivers/tty/tty_buffer.c, flush_to_ldisc). That
wait is not counted anywhere; on a loaded machine of two cores it was up to 2 ms."""
CHANNELS = {"usb": "serial", "console": "console"}
"""Name of the event source by port."""


class SerialLog:
    """Everything one port of one board has said, over all its openings.

    ``began_ns`` and ``together`` are the :class:`Witness`'s.
    """

    def __init__(
        self,
        board: str,
        port: str,
        directory: Path,
        claims: Claims,
        *,
        began_ns: int = 0,
        together: list[Witness] | None = None,
    ) -> None:
        self.board = board
        self.channel = CHANNELS[port]
        self._raw_fd = open_log(directory / f"serial-{board}-{port}.raw")
        self._splitter = LineSplitter(LINE_LIMIT)
        self._witness = Witness(board, self.channel, claims, began_ns, together)
        self._panic: tuple[PanicLine, Moment] | None = None
        self._heard = Moment(0, 0)
        self._unsaved = b""
        self._silent_at_ns: int | None = None

    @property
    def deadline_ns(self) -> int | None:
        """When :meth:`overdue` has something to tell."""
        panic_ns = self._panic[1].t_ns + PANIC_NS if self._panic else None
        return min((at for at in (self._silent_at_ns, panic_ns) if at is not None), default=None)

    def opened(self, t_ns: int, dtr: bool = True) -> None:
        """The port is open from now on; what it brings first may have waited for that.

        A console's bridge does not look at DTR.
        """
        self._witness.opened(t_ns, ready=dtr or self.channel == CHANNELS["console"])

    def feed(self, data: bytes, now: Moment) -> list[Event]:
        """Tell the lines that the bytes complete; :meth:`settle` stores them."""
        if self._unsaved:
            self.settle()
        self._unsaved = data
        self._heard = now
        self._silent_at_ns = now.t_ns + SILENCE_NS
        return self._tell_one(data, now) or self._tell_all(data, now)

    def settle(self) -> None:
        """What no waiting test needs: the bytes into their file, and the times of the lines to the board's clock."""
        if self._unsaved:
            write_all(self._raw_fd, self._unsaved)
            self._unsaved = b""
        self._witness.settle()

    def overdue(self, now: Moment) -> list[Event]:
        """The rest of a line after a silence, and a panic whose backtrace did not come."""
        found: list[Event] = []
        if self._silent_at_ns is not None and self._silent_at_ns <= now.t_ns:
            found += self._rest()
        if self._panic is not None and self._panic[1].t_ns + PANIC_NS <= now.t_ns:
            found += self._panicked("")
        return found

    def finish(self) -> list[Event]:
        """What is held back when the port closes."""
        self.settle()
        return [*self._rest(), *self._panicked("")]

    def _rest(self) -> list[Event]:
        self._silent_at_ns = None
        return self._tell(self._splitter.flush(), self._heard)

    def _tell_one(self, data: bytes, now: Moment) -> list[Event] | None:
        """What comes most often, in a third of the time: one log line that means nothing but its text."""
        plain = plain_line(data)
        if plain is None or self._splitter.pending or len(data) > LINE_LIMIT:
            return None
        text, ms = plain
        if not self._witness.heard_plain(text, ms, now):
            return None
        offset = self._splitter.skip(len(data))
        return [
            SerialLine(
                text,
                offset,
                len(data),
                True,
                t_ns=now.t_ns,
                t_err_ns=now.err_ns,
                board=self.board,
                source=self.channel,
            )
        ]

    def _tell_all(self, data: bytes, now: Moment) -> list[Event]:
        lines = self._splitter.feed_whole(data)
        return self._tell(self._splitter.feed(data), now) if lines is None else self._tell_whole(lines, now)

    def _tell_whole(self, lines: Lines, now: Moment) -> list[Event]:
        """Whole lines, each followed by what it means; most mean nothing but their text, which is told quickly."""
        if not lines.lengths:
            return []
        t_ns, err_ns, board, channel = now.t_ns, now.err_ns, self.board, self.channel
        texts = _texts(lines.raw)
        offsets = accumulate(lines.lengths, initial=lines.offset)
        told: list[Event] = [
            SerialLine(text, offset, length, True, t_ns=t_ns, t_err_ns=err_ns, board=board, source=channel)
            for text, offset, length in zip(texts, offsets, lines.lengths)  # noqa: B905 the last offset is the end
        ]
        return self._with_meanings(told, texts, now)

    def _tell(self, lines: list[Line], now: Moment) -> list[Event]:
        """The same of lines that may be cut."""
        texts = [strip_colour(line.text) for line in lines]
        stamp = now.stamp(self.board, self.channel)
        told: list[Event] = [
            SerialLine(text, line.offset, len(line.raw), line.complete, **stamp)
            for line, text in zip(lines, texts, strict=True)
        ]
        return self._with_meanings(told, texts, now) if told else []

    def _with_meanings(self, told: list[Event], texts: list[str], now: Moment) -> list[Event]:
        times = plain_times(texts)
        said: Sequence[Sequence[Event]]
        if NO_MS in times:
            said = [
                self._meaning(text, now) if ms == NO_MS else self._witness.heard(text, ms, now)
                for text, ms in zip(texts, times, strict=True)
            ]
        else:
            said = self._witness.heard_at_once(texts, times, now)
        if not any(said):
            return told
        return [event for line, meanings in zip(told, said, strict=True) for event in (line, *meanings)]

    def _meaning(self, text: str, now: Moment) -> list[Event]:
        """What a line tells beyond its text."""
        stamp = now.stamp(self.board, self.channel)
        meaning = parse_line(text)
        found: list[Event] = []
        if isinstance(meaning, BootLine):
            found += self._panicked("")
            if meaning.stage == ROM:
                self._witness.booted()
            found.append(BootMessage(meaning.stage, meaning.text, meaning.reset_reason, **stamp))
        elif isinstance(meaning, PanicLine):
            found += self._panicked("")
            self._panic = (meaning, now)
        elif isinstance(meaning, BacktraceLine):
            found += self._panicked(meaning.text)
        elif isinstance(meaning, RebootLine):
            found += self._panicked("")
        found += self._witness.heard(text, meaning.ms if isinstance(meaning, LogLine) else UNTIMED, now)
        return found

    def _panicked(self, backtrace: str) -> list[Event]:
        """The panic that is held back, dated by its own line."""
        if self._panic is None:
            return []
        (line, then), self._panic = self._panic, None
        return [BoardPanicked(line.reason, line.core, backtrace, **then.stamp(self.board, self.channel))]

    def close(self) -> None:
        self.settle()
        os.close(self._raw_fd)


class SerialSource(Source):
    """One opening of a port, under the name that it has this time."""

    def __init__(
        self,
        fd: int,
        node: str,
        log: SerialLog,
        since_ns: int,
        *,
        dtr: bool = False,
        let_go: Callable[[int], None] = os.close,
    ) -> None:
        """
        Args:
            fd: the port; owned.
            node: what it is called.
            log: of all its openings.
            since_ns: when it was opened.
            dtr: DTR was high when it was opened.
            let_go: closes the port while its device is still there; the kernel may wait for the device.
        """
        super().__init__(fd, log.board)
        self.channel = log.channel
        self.node = node
        self.since_ns = since_ns
        self._log = log
        self._dtr = dtr
        self._let_go = let_go
        log.opened(since_ns, dtr)
        os.set_blocking(fd, False)

    def opened(self) -> Event:
        """Dated by who opened the port."""
        stamp = Moment(self.since_ns, 0).stamp(self.board, self.channel)
        return SerialOpened(self.node, self._dtr, **stamp)

    def released(self, reason: str, now: Moment) -> list[Event]:
        """The port was taken away from here; the caller closes the source."""
        return self._closed(reason, now)

    def read(self, now: Moment) -> list[Event]:
        try:
            data = os.read(self._fd, CHUNK)
        except BlockingIOError:
            return []
        except OSError as error:  # EIO: the device is gone (drivers/tty/n_tty.c, n_tty_read)
            return self._gone(error.strerror or str(error), now)
        if not data:
            return self._gone("hang-up", now)
        late_ns = 0
        if len(data) >= FULL:
            data = self._read_on(data)
            late_ns = now_ns() - now.t_ns
        return self._log.feed(data, Moment(now.t_ns + late_ns, now.err_ns + late_ns + HOP_NS))

    def _read_on(self, data: bytes) -> bytes:
        """``data`` and what the kernel brings into the tty as soon as it is read empty: one reading, one write."""
        parts = [data]
        while len(parts[-1]) >= FULL and len(parts) < READS:
            try:
                parts.append(os.read(self._fd, CHUNK))
            except OSError:  # the next round's to tell
                break
        self.more = len(parts) == READS
        return b"".join(parts)

    def afterwards(self) -> None:
        self._log.settle()
        self.deadline_ns = self._log.deadline_ns

    def _gone(self, reason: str, now: Moment) -> list[Event]:
        self.ended = True
        return self._closed(reason, now)

    def _closed(self, reason: str, now: Moment) -> list[Event]:
        return [*self._log.finish(), SerialClosed(self.node, reason, **now.stamp(self.board, self.channel))]

    def wake(self, now: Moment) -> list[Event]:
        found = self._log.overdue(now)
        self.deadline_ns = self._log.deadline_ns
        return found

    def finish(self, now: Moment) -> list[Event]:
        return self._log.finish()

    def close(self) -> None:
        if self.ended:
            super().close()
        elif self._fd >= 0:
            self._let_go(self._fd)
            self._fd = -1


def _texts(raw: bytes) -> list[str]:
    """The text of each of these whole lines, without colour."""
    whole = raw.decode(errors="replace").replace("\r\n", "\n")
    return (strip_colour(whole) if "\x1b" in whole else whole).split("\n")[:-1]
