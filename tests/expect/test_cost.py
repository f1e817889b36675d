"""What a flood of events costs, in steps and in processor time, neither of which another process can change."""

import time
from collections.abc import Iterator

import pytest

from hil.expect import Expectation, Pending, never, optional, regex, repeated, unordered
from hil.timeline.events import Carrier, DhcpAck, Event, KernelLog, SerialLine, UsbAttached
from hil.timeline.journal import JournalReader, encode_lines
from hil.timeline.timeline import Timeline

STAMP = {"t_err_ns": 0, "board": "s3-a", "source": "serial"}
FOREVER_S = 1e9


def flood(count: int, start: int = 0) -> Iterator[Event]:
    """Log lines of the kernel and of the board in turn, a microsecond apart, of which nobody waits for any."""
    for at in range(start, start + count):
        stamp = {**STAMP, "t_ns": 1000 * at}
        yield SerialLine("up", 0, 3, True, **stamp) if at % 2 else KernelLog(6, "up", **stamp)


def sentence(lines: int) -> Expectation:
    """A sentence of six steps, ``lines`` of which look at lines of the board's log."""
    about_lines = [
        SerialLine(text=regex("never said")),
        never(SerialLine(text="never")),
        optional(SerialLine(offset=1)),
    ]
    others = [UsbAttached(), repeated(Carrier(up=True), 2), unordered(DhcpAck(), Carrier(up=False))]
    return Expectation([*about_lines[:lines], *others], 0, FOREVER_S)


@pytest.mark.parametrize("lines", [0, 1, 2, 3])
def test_an_event_is_examined_by_the_steps_of_its_class_and_by_no_other(lines: int) -> None:
    """However many came before it: steps per event are constant."""
    for count in (1_000, 10_000):
        expectation = sentence(lines)
        expectation.feed_all(flood(count))
        assert expectation.steps_examined == lines * count // 2
        assert isinstance(expectation.outcome, Pending)


def test_a_flood_that_fits_is_not_kept() -> None:
    """A step keeps a bounded number of what it may still need, however much of it comes."""
    expectation = Expectation([UsbAttached(), repeated(SerialLine(), 3)], 0, FOREVER_S)
    expectation.feed_all(flood(10_000))
    assert expectation.steps_examined == 5_000
    assert expectation.dropped > 4_000


class Reader:
    """Reads, stores and judges events, and counts the processor seconds that it takes."""

    def __init__(self) -> None:
        self.took_s = 0.0
        self.timeline = Timeline()
        self.expectation = sentence(2)
        self._journal = JournalReader()

    def read(self, portions: list[bytes]) -> None:
        began_s = time.process_time()
        for data in portions:
            events = self._journal.feed(data)
            self.timeline.extend(events)
            self.expectation.feed_all(events)
        self.took_s += time.process_time() - began_s


@pytest.mark.slow
def test_ten_times_the_events_cost_ten_times_the_processor() -> None:
    """From the journal's bytes to the verdict: reading, storing and judging 1e6 events is linear.

    One reader takes in 1e6 and, in turn with it, ten others 1e5 each: what disturbs the machine meets both alike.
    """
    many, few = Reader(), [Reader() for _ in range(10)]
    for start, reader in zip(range(0, 1_000_000, 100_000), few, strict=True):
        portions = [encode_lines(list(flood(10_000, start + at))) for at in range(0, 100_000, 10_000)]
        many.read(portions)
        reader.read(portions)
    assert len(many.timeline) == many.expectation.steps_examined == 1_000_000
    assert many.took_s / (sum(reader.took_s for reader in few) / len(few)) <= 12
