"""Following a journal that grows: what wakes a wait, what ends it, and what is never lost."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from hil.capture.recorder import Recorder
from hil.clock import now_ns, to_ns
from hil.device.witness import LATEST_LOOK_S, Witness
from hil.errors import HarnessError
from hil.expect import Expectation, Failed, Met, never
from hil.testing.fake_capture import FakeCapture
from hil.testing.fake_clock import FakeClock
from hil.timeline.events import Carrier, KernelLog, UsbAttached, UsbDetached
from hil.timeline.journal import encode

START_NS = 1_000_000_000


@pytest.fixture
def clock() -> FakeClock:
    """One second after nothing."""
    return FakeClock(START_NS)


@pytest.fixture
def capture(tmp_path: Path, clock: FakeClock) -> FakeCapture:
    """A journal that does not exist yet."""
    return FakeCapture(tmp_path, clock)


@pytest.fixture
def witness(capture: FakeCapture, clock: FakeClock) -> Iterator[Witness]:
    """Follows the fake journal by the fake clock."""
    made = Witness(capture, clock)
    yield made
    made.close()


def settled(witness: Witness, expectation: Expectation) -> Expectation:
    """The expectation, watched and waited for."""
    witness.watch(expectation)
    witness.settle(expectation)
    witness.unwatch(expectation)
    return expectation


# ---- the file -----------------------------------------------------------------------------------


def test_a_journal_that_is_not_there_yet_is_empty(witness: Witness, capture: FakeCapture) -> None:
    """Reading before the first write finds nothing, and reading after it finds everything."""
    assert witness.refresh() == 0
    capture.record(Carrier(True, "usb0"))
    assert witness.refresh() == 1


def test_half_a_line_is_kept_until_its_end_comes(witness: Witness, capture: FakeCapture) -> None:
    """A line that is cut at any byte becomes one event, once."""
    line = encode(Carrier(True, "usb0", t_ns=7, t_err_ns=0, board="s3-a", source="netlink"))
    for character in line:
        capture.append(character)
        assert witness.refresh() == 0
    capture.append("\n")
    assert witness.refresh() == 1
    assert list(witness.timeline) == [Carrier(True, "usb0", t_ns=7, t_err_ns=0, board="s3-a", source="netlink")]


def test_a_half_line_behind_a_whole_one_waits_for_its_own_end(witness: Witness, capture: FakeCapture) -> None:
    """The whole line counts at once, the half one when it is whole."""
    first, second = (encode(KernelLog(6, text, t_ns=1, t_err_ns=0, board="", source="kmsg")) for text in "ab")
    capture.append(f"{first}\n{second[:9]}")
    assert witness.refresh() == 1
    capture.append(f"{second[9:]}\n")
    assert witness.refresh() == 1
    assert [event.text for event in witness.timeline if isinstance(event, KernelLog)] == ["a", "b"]


@pytest.mark.parametrize("garbage", ["{nonsense\n", '{"event":"Carrier"}\n', '{"event":"\xff"}\n', "\x00\x00\n"])
def test_a_garbled_line_names_file_and_line(witness: Witness, capture: FakeCapture, garbage: str) -> None:
    """The line number counts from the file's begin, however many reads it took to get there."""
    for up in (True, False):
        capture.record(Carrier(up, "usb0"))
        witness.refresh()
    capture.append(garbage)
    with pytest.raises(HarnessError, match=r"timeline\.jsonl: line 3: "):
        witness.refresh()


def test_a_garbled_line_is_not_forgotten(witness: Witness, capture: FakeCapture) -> None:
    """Whoever reads next is told the same, so that no verdict rests on half a journal."""
    capture.append("nonsense\n")
    for _ in range(2):
        with pytest.raises(HarnessError, match="line 1"):
            witness.refresh()


def test_a_byte_that_is_not_ascii_is_garbage_inside_a_text_too(witness: Witness, capture: FakeCapture) -> None:
    """The journal is ASCII: a stray byte in a value is not taken for a letter."""
    line = encode(KernelLog(6, "x", t_ns=1, t_err_ns=0, board="", source="kmsg")).replace('"x"', '"\xff"')
    capture.append(f"{line}\n")
    with pytest.raises(HarnessError, match="line 1: not JSON"):
        witness.refresh()


# ---- settling an expectation --------------------------------------------------------------------


def test_an_expectation_is_met_by_what_is_there_already(witness: Witness, capture: FakeCapture) -> None:
    """What happened before the wait began, inside the window, needs no waiting."""
    capture.record(Carrier(True, "usb0"))
    expectation = settled(witness, Expectation((Carrier(up=True),), START_NS, 5.0))
    assert isinstance(expectation.outcome, Met)
    assert capture.waits == 0


def test_an_event_ends_the_wait_at_its_own_time(witness: Witness, capture: FakeCapture, clock: FakeClock) -> None:
    """The wait ends when the event comes and not at the next look."""
    capture.record_after(1.23, Carrier(True, "usb0"))
    expectation = settled(witness, Expectation((Carrier(up=True),), START_NS, 5.0))
    assert isinstance(expectation.outcome, Met)
    assert clock.now_ns() == START_NS + to_ns(1.23)


def test_nothing_ends_the_wait_at_the_deadline(witness: Witness, capture: FakeCapture, clock: FakeClock) -> None:
    """The window and its grace pass, and no more; then capture is asked for what it still holds."""
    expectation = Expectation((Carrier(up=True),), START_NS, 2.0, grace_s=0.25)
    settled(witness, expectation)
    assert isinstance(expectation.outcome, Failed)
    assert clock.now_ns() == START_NS + to_ns(2.25)
    assert capture.syncs == 1


def test_an_event_that_capture_still_holds_at_the_deadline_counts(witness: Witness, capture: FakeCapture) -> None:
    """It happened in time and was only not written yet."""
    capture.after(1.9, lambda: capture.hold(Carrier(True, "usb0")))
    assert isinstance(settled(witness, Expectation((Carrier(up=True),), START_NS, 2.0)).outcome, Met)


def test_a_first_step_that_is_written_after_the_second_still_counts(witness: Witness, capture: FakeCapture) -> None:
    """The deadline judges by when things happened: both are on disk by then."""
    expectation = Expectation((Carrier(up=True), Carrier(up=False)), START_NS, 2.0)
    capture.after(1.0, lambda: capture.hold(Carrier(True, "usb0")))
    capture.record_after(1.5, Carrier(False, "usb0"))
    settled(witness, expectation)
    assert isinstance(expectation.outcome, Met)


def test_a_flood_of_other_events_does_not_outlast_the_deadline(
    witness: Witness, capture: FakeCapture, clock: FakeClock
) -> None:
    """A journal that never stops growing does not keep an expectation open."""

    def flood() -> None:
        for _ in range(4):
            capture.record(KernelLog(6, "noise"))
            clock.advance(0.01)
        capture.after(0.0, flood)

    capture.after(0.0, flood)
    expectation = settled(witness, Expectation((Carrier(up=True),), START_NS, 1.0))
    assert isinstance(expectation.outcome, Failed)
    assert clock.now_ns() < START_NS + to_ns(1.5)


class BusyClock(FakeClock):
    """Every look at the clock takes a millisecond, in which another event is written."""

    capture: FakeCapture | None = None

    def now_ns(self) -> int:
        t_ns = super().now_ns()
        if self.capture is not None:
            self.set(t_ns + to_ns(0.001))
            noise = KernelLog(6, "noise", t_ns=t_ns, t_err_ns=0, board="", source="kmsg")
            self.capture.append(f"{encode(noise)}\n")
        return t_ns


def test_a_journal_that_has_grown_at_every_look_does_not_outlast_the_deadline(tmp_path: Path) -> None:
    """Reading is never done, and the deadline comes all the same."""
    clock = BusyClock(START_NS)
    clock.capture = FakeCapture(tmp_path, clock)
    witness = Witness(clock.capture, clock)
    expectation = settled(witness, Expectation((Carrier(up=True),), START_NS, 0.5))
    witness.close()
    assert isinstance(expectation.outcome, Failed)
    assert clock.now_ns() < START_NS + to_ns(1.0)


def test_a_forbidden_event_ends_the_wait_at_once(witness: Witness, capture: FakeCapture, clock: FakeClock) -> None:
    """``never`` does not sit out its window once the event is there."""
    capture.record_after(0.5, UsbDetached("1-1"))
    expectation = settled(witness, Expectation((never(UsbDetached()),), START_NS, 60.0))
    assert isinstance(expectation.outcome, Failed)
    assert clock.now_ns() < START_NS + to_ns(1.0)


def test_two_expectations_may_watch_one_journal(witness: Witness, capture: FakeCapture) -> None:
    """Nothing is consumed: one event meets both."""
    one, two = (Expectation((Carrier(),), START_NS, 5.0) for _ in range(2))
    witness.watch(one)
    capture.record(Carrier(True, "usb0"))
    settled(witness, two)
    assert isinstance(one.outcome, Met)
    assert isinstance(two.outcome, Met)


# ---- finding one event --------------------------------------------------------------------------


def test_find_waits_for_the_event_and_no_longer(witness: Witness, capture: FakeCapture, clock: FakeClock) -> None:
    """The event ends the wait."""
    capture.record_after(3.1, UsbDetached("1-1"))
    found = witness.find(UsbDetached(), START_NS, 5.0)
    assert found is not None
    assert clock.now_ns() == found.t_ns == START_NS + to_ns(3.1)


def test_find_gives_up_at_its_deadline(witness: Witness, capture: FakeCapture, clock: FakeClock) -> None:
    """Exactly ``within_s`` pass."""
    assert witness.find(UsbDetached(), START_NS, 5.0) is None
    assert clock.now_ns() == START_NS + to_ns(5.0)
    assert capture.waits <= 5.0 / LATEST_LOOK_S + 1


def test_find_asks_capture_before_it_says_no(witness: Witness, capture: FakeCapture) -> None:
    """What happened in time and is not written yet is found all the same."""
    capture.hold(UsbDetached("1-1"))
    assert witness.find(UsbDetached(), START_NS, 0.0) is not None


def test_find_leaves_out_what_was_before(witness: Witness, capture: FakeCapture) -> None:
    """An event before the instant does not count, one that may have been after it does."""
    capture.record(UsbDetached("1-1", t_ns=START_NS - 1000, t_err_ns=999))
    assert witness.find(UsbDetached(), START_NS, 0.0) is None
    capture.record(UsbDetached("1-2", t_ns=START_NS - 1000, t_err_ns=1000))
    assert witness.find(UsbDetached(), START_NS, 0.0) == list(witness.timeline)[1]


def test_find_returns_the_earliest_of_those_that_are_there(witness: Witness, capture: FakeCapture) -> None:
    """By time, not by arrival."""
    capture.record(UsbDetached("late", t_ns=START_NS + 9))
    capture.record(UsbDetached("early", t_ns=START_NS + 1))
    found = witness.find(UsbDetached(), START_NS, 1.0)
    assert isinstance(found, UsbDetached)
    assert found.path == "early"


# ---- presence -----------------------------------------------------------------------------------


def test_presence_follows_the_latest_event_of_its_path(witness: Witness, capture: FakeCapture) -> None:
    """Unknown, there, gone, there again; other devices do not matter."""
    assert witness.attached("1-1") is None
    capture.record(UsbAttached("1-1", 1, 2))
    assert witness.attached("1-1") is True
    assert witness.attached("1-1.2") is None
    capture.record(UsbDetached("1-1"))
    assert witness.attached("1-1") is False
    capture.record(UsbAttached("1-1", 1, 2))
    assert witness.attached("1-1") is True


def test_an_event_that_arrives_late_does_not_change_presence(witness: Witness, capture: FakeCapture) -> None:
    """What happened last decides, not what was written last."""
    capture.record(UsbAttached("1-1", 1, 2, t_ns=START_NS + 10))
    capture.record(UsbDetached("1-1", t_ns=START_NS + 5))
    assert witness.attached("1-1") is True


# ---- the real clock and a real writer -----------------------------------------------------------


class PipeJournal:
    """A journal by the writer of the capture process in a thread, with a socketpair for its eventfd."""

    def __init__(self, directory: Path) -> None:
        self._recorder = Recorder(directory)
        self.path = directory / "timeline.jsonl"
        self._here, self._there = socket.socketpair()

    def write(self, *events: Carrier) -> None:
        self._recorder.write(list(events))
        self._there.send(b".")

    def wait(self, timeout_s: float) -> bool:
        self._here.settimeout(timeout_s)
        try:
            return bool(self._here.recv(4096))
        except TimeoutError:
            return False

    def sync(self, timeout_s: float) -> None:
        """Every write is whole when it returns."""

    def close(self) -> None:
        self._recorder.close()
        self._here.close()
        self._there.close()


def test_a_growing_journal_wakes_a_wait_in_another_thread(tmp_path: Path) -> None:
    """What a writer appends while the wait sleeps ends it long before its deadline."""
    journal = PipeJournal(tmp_path)
    witness = Witness(journal)
    began_ns = now_ns()
    event = Carrier(True, "usb0", t_ns=began_ns, t_err_ns=0, board="s3-a", source="netlink")
    writer = threading.Timer(0.05, journal.write, [event])
    writer.start()
    expectation = settled(witness, Expectation((Carrier(up=True),), began_ns, 30.0))
    assert isinstance(expectation.outcome, Met)
    assert now_ns() - began_ns < to_ns(10.0)
    writer.join()
    witness.close()
    journal.close()
