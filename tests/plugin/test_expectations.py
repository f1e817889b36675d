"""The ``expect`` fixture: when an expectation begins, when it is judged, and what its failure says."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hil.clock import to_ns
from hil.device.witness import Witness
from hil.errors import ExpectationFailed, HarnessError, MisuseError
from hil.expect import Ledger
from hil.plugin.expectations import Expect
from hil.testing.fake_capture import FakeCapture
from hil.testing.fake_clock import FakeClock
from hil.timeline.events import Acted, CaptureGap, Carrier, DhcpAck, Event, UsbAttached, UsbDetached

START_NS = 10_000_000_000


class Bench:
    """An ``expect`` over a fake journal, and an action that happened at its start."""

    def __init__(self, directory: Path) -> None:
        self.clock = FakeClock(START_NS)
        self.capture = FakeCapture(directory, self.clock)
        self.witness = Witness(self.capture, self.clock)
        self.ledger = Ledger()
        self.expect = Expect(self.witness, self.ledger, "s3-a", Path("build/hil/test_x"), clock=self.clock)
        self.pulled = Acted("replug", "vbus_off", "", t_ns=START_NS, t_err_ns=0, board="s3-a", source="action")

    def later(self, delay_s: float, event: Event) -> None:
        """The board makes this happen."""
        self.capture.record_after(delay_s, event)

    @property
    def passed_s(self) -> float:
        return (self.clock.now_ns() - START_NS) / 1e9


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A bench on which nothing has happened yet."""
    made = Bench(tmp_path)
    yield made
    made.witness.close()


UP = Carrier(True, "usb0", board="s3-a", source="netlink")
DOWN = Carrier(False, "usb0", board="s3-a", source="netlink")
ACK = DhcpAck("192.168.7.2", board="s3-a", source="packet")


@pytest.mark.parametrize("word", ["since", "after"])
def test_an_expectation_with_a_start_waits_where_it_stands(bench: Bench, word: str) -> None:
    """It returns when it is met, and has what met it."""
    bench.later(1.0, DOWN)
    bench.later(2.0, UP)
    bench.later(2.5, ACK)
    since, after = (bench.pulled, None) if word == "since" else (None, bench.pulled)
    met = bench.expect.sequence(Carrier(up=False), Carrier(up=True), since=since, after=after)
    assert bench.passed_s == 2.0
    assert [type(event) for event in met.events] == [Carrier, Carrier]
    assert met.last(Carrier).up is True
    assert bench.ledger.unjudged() == []


def test_a_start_reaches_back_by_its_error(bench: Bench) -> None:
    """What may have been after the action counts."""
    bench.capture.record(Carrier(True, "usb0", t_ns=START_NS - 5, board="s3-a", source="netlink"))
    vague = Acted("replug", t_ns=START_NS, t_err_ns=5)
    bench.expect.sequence(Carrier(up=True), since=vague)


def test_both_starts_are_an_error_of_the_test(bench: Bench) -> None:
    """since= and after= would be two windows."""
    with pytest.raises(MisuseError, match=r"since= \(an action\) or after= \(a reading\), not both"):
        bench.expect.sequence(UP, since=bench.pulled, after=bench.pulled)


def test_unordered_takes_any_order(bench: Bench) -> None:
    """All of them, the last within the window."""
    bench.later(1.0, UP)
    bench.later(2.0, DOWN)
    bench.expect.unordered(Carrier(up=False), Carrier(up=True), since=bench.pulled)
    with pytest.raises(ExpectationFailed):
        bench.expect.sequence(Carrier(up=False), Carrier(up=True), since=bench.pulled)


def test_other_boards_do_not_count(bench: Bench) -> None:
    """An event of another board meets nothing."""
    bench.later(1.0, Carrier(True, "usb0", board="s3-b", source="netlink"))
    with pytest.raises(ExpectationFailed):
        bench.expect.sequence(Carrier(up=True), since=bench.pulled)


FIVE_PARTS = """\
expected  Carrier(up=True) within 3.0 s of Acted(action='replug', sees='vbus_off', detail='')       step 2 of 3

  ok    1  UsbDetached()                        +1.000 s
  FAIL  2  Carrier(up=True)                     window closed +3.000 s
        3  DhcpAck(address='192.168.7.2')       not reached

nearest   Carrier(up=False, interface='usb0')   +2.000 s
          up: wanted True, got False

timeline  +1.000 s … +3.000 s, 2 of 2 events
  +1.000  uevent   UsbDetached(path='1-1.2')
  +2.000  netlink  Carrier(up=False, interface='usb0')

artifacts build/hil/test_x"""


# ---- failing ------------------------------------------------------------------------------------


def test_a_failure_is_explained_in_five_parts(bench: Bench) -> None:
    """What was awaited, what passed, the nearest miss, what happened, where: whole, as text."""
    bench.later(1.0, UsbDetached("1-1.2", board="s3-a", source="uevent"))
    bench.later(2.0, Carrier(False, "usb0", board="s3-a", source="netlink"))
    with pytest.raises(ExpectationFailed) as failure:
        bench.expect.sequence(
            UsbDetached(), Carrier(up=True), DhcpAck(address="192.168.7.2"), since=bench.pulled, within_s=3.0
        )
    assert str(failure.value) == FIVE_PARTS
    assert bench.passed_s == 3.25
    assert bench.ledger.unjudged() == []


def test_never_fails_as_soon_as_it_happens(bench: Bench) -> None:
    """And passes when its time is over."""
    bench.later(4.0, DOWN)
    bench.expect.never(Carrier(up=False), for_s=2.0, since=bench.pulled)
    assert bench.passed_s == 2.25
    with pytest.raises(ExpectationFailed, match="Carrier"):
        bench.expect.never(Carrier(up=False), for_s=60.0, since=bench.pulled)
    assert bench.passed_s < 5.0


def test_a_harness_error_while_waiting_is_the_only_one(bench: Bench) -> None:
    """A garbled journal is told once, and not again as an expectation that nobody judged."""
    bench.capture.append("nonsense\n")
    with pytest.raises(HarnessError, match=r"timeline\.jsonl: line 1"):
        bench.expect.sequence(UP, since=bench.pulled)
    assert bench.ledger.unjudged() == []


# ---- with ---------------------------------------------------------------------------------------


def test_a_block_is_judged_at_its_end(bench: Bench) -> None:
    """From where it was opened on; before its end it has no events."""
    bench.capture.record(Carrier(True, "usb0", t_ns=START_NS - 1, board="s3-a", source="netlink"))
    with bench.expect.sequence(Carrier(up=True)) as opened:
        assert bench.ledger.unjudged()
        bench.later(1.0, UP)
        assert opened.events == ()
    assert opened.last(Carrier).t_ns == START_NS + to_ns(1.0)
    assert bench.ledger.unjudged() == []


def test_a_block_whose_expectation_is_not_met_fails_at_its_end(bench: Bench) -> None:
    """As it would without one."""
    with pytest.raises(ExpectationFailed, match="of the start"), bench.expect.sequence(Carrier(up=True), within_s=1.0):
        bench.clock.advance(2.0)


def test_an_error_inside_a_block_is_not_masked(bench: Bench) -> None:
    """What the block raised goes on at once; nothing is waited for, and nothing is left unjudged."""
    with pytest.raises(ZeroDivisionError), bench.expect.sequence(Carrier(up=True)):
        raise ZeroDivisionError
    assert bench.passed_s == 0.0
    assert bench.ledger.unjudged() == []


def test_blocks_may_overlap(bench: Bench) -> None:
    """Nothing is consumed."""
    with bench.expect.sequence(Carrier()), bench.expect.never(UsbAttached(), for_s=1.0):
        bench.later(0.5, UP)
    assert bench.passed_s == 1.25


def test_a_block_with_a_start_is_an_error_of_the_test(bench: Bench) -> None:
    """It was judged before the block began, so the block would have nothing to say."""
    bench.later(1.0, UP)
    opened = bench.expect.sequence(Carrier(up=True), since=bench.pulled)
    with pytest.raises(MisuseError, match="judged where it stands"):
        opened.__enter__()


def test_an_expectation_that_nobody_enters_is_in_the_ledger(bench: Bench) -> None:
    """With the file and line of the test that wrote it."""
    bench.expect.sequence(Carrier(up=True))
    (entry,) = bench.ledger.unjudged()
    here = __file__
    assert str(entry).startswith(f"{here}:")
    assert str(entry).endswith("Carrier(up=True)")
    assert "Carrier(up=True)" in Path(here).read_text().splitlines()[int(entry.where.rpartition(":")[2]) - 1]


# ---- blind ---------------------------------------------------------------------------------------


def test_an_absence_while_its_channel_was_blind_is_an_error_of_the_bench(bench: Bench) -> None:
    """Not a pass, and not a failure of the board; a lease that was seen stays seen."""
    bench.later(1.0, ACK)
    bench.later(4.9, CaptureGap("netlink", "the socket overran", 4.8, board="s3-a", source="harness"))
    with pytest.raises(
        HarnessError,
        match=r"^cannot judge never\(Carrier\(up=False\)\): netlink was blind from \+0\.100 s to \+4\.900 s of "
        r"Acted.*: the socket overran; artifacts build/hil/test_x$",
    ):
        bench.expect.never(Carrier(up=False), for_s=5.0, since=bench.pulled)
    bench.expect.sequence(DhcpAck(), since=bench.pulled)


# ---- looking ------------------------------------------------------------------------------------


def test_last_of_a_class_that_met_nothing_is_an_error_of_the_test(bench: Bench) -> None:
    """The message lists what did."""
    bench.later(1.0, UP)
    opened = bench.expect.sequence(Carrier(up=True), since=bench.pulled)
    with pytest.raises(MisuseError, match=r"no step was met by DhcpAck; met: Carrier\(up=True, interface='usb0'\)"):
        opened.last(DhcpAck)


def test_seen_is_an_observation(bench: Bench) -> None:
    """True as soon as it happens, False when the time is over; nothing is left to be judged."""
    bench.later(1.0, UP)
    assert bench.expect.seen(Carrier(up=True), since=bench.pulled, within_s=2.0)
    assert bench.passed_s == 1.0
    assert not bench.expect.seen(Carrier(up=False), since=bench.pulled, within_s=2.0)
    assert bench.passed_s == 2.25
    assert bench.ledger.unjudged() == []


def test_seen_counts_from_its_start_and_for_its_board(bench: Bench) -> None:
    """What came after the window, or from another board, was not seen; a window that is over is not waited for."""
    bench.capture.record(Carrier(True, "usb0", t_ns=START_NS + to_ns(3.0), board="s3-a", source="netlink"))
    bench.capture.record(Carrier(True, "usb0", t_ns=START_NS + to_ns(1.0), board="s3-b", source="netlink"))
    bench.clock.advance(5.0)
    assert not bench.expect.seen(Carrier(up=True), since=bench.pulled, within_s=2.0)
    assert bench.passed_s == 5.0
    assert bench.expect.seen(Carrier(up=True), since=bench.pulled, within_s=4.0)
