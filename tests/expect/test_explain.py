"""The whole text of every way in which an expectation can end."""

from textwrap import dedent

from msgspec.structs import replace

from hil.clock import to_ns
from hil.expect import Expectation, explain, never, optional, repeated, unordered, within
from hil.timeline.events import (
    Acted,
    BoardSaid,
    CaptureGap,
    Carrier,
    DhcpAck,
    DhcpNak,
    DhcpOffer,
    Event,
    HttpReply,
    SerialLine,
    TtyAppeared,
    UsbAttached,
    UsbDetached,
)
from hil.timeline.timeline import Timeline


def _at(event: Event, t_s: float, source: str, err_s: float = 0.0, board: str = "s3-a") -> Event:
    return replace(event, t_ns=to_ns(t_s), t_err_ns=to_ns(err_s), board=board, source=source)


PULLED = _at(Acted("replug", "disconnect"), 100, "action")
GONE = _at(UsbDetached("1-1.2"), 100.4, "uevent")
BACK = _at(UsbAttached("1-1.2"), 102.406, "uevent")
UP = _at(Carrier(True, "usb0"), 102.9, "netlink")
OFFER = _at(DhcpOffer("192.168.4.3"), 102.977, "packet")
ACK = _at(DhcpAck("192.168.4.3"), 102.981, "packet")
BASE = [PULLED, GONE, BACK, UP, OFFER, ACK]


def _explained(steps, events, *, within_s=5.0, artifacts="", board="s3-a", wake_s=None) -> str:
    timeline = Timeline(events)
    expectation = Expectation(steps, to_ns(100), within_s, board=board, since_name="Acted(action='replug')")
    for event in timeline:
        expectation.feed(event)
    if wake_s is None:
        expectation.close()
    else:
        expectation.wake(to_ns(wake_s))
    return explain(expectation, timeline, artifacts)


def _text(block: str) -> str:
    return dedent(block).strip("\n")


def test_a_missing_step_has_all_five_parts():
    """What was awaited, what passed, the nearest miss, the timeline, the artifacts."""
    text = _explained(
        [UsbDetached(), UsbAttached(path="1-1.2"), Carrier(up=True), DhcpAck("192.168.4.2"), HttpReply(status=200)],
        BASE,
        artifacts="build/hil/test_replug/",
    )
    assert text == _text("""
        expected  DhcpAck(address='192.168.4.2') within 5.0 s of Acted(action='replug')       step 4 of 5

          ok    1  UsbDetached()                        +0.400 s
          ok    2  UsbAttached(path='1-1.2')            +2.406 s
          ok    3  Carrier(up=True)                     +2.900 s
          FAIL  4  DhcpAck(address='192.168.4.2')       window closed +5.000 s
                5  HttpReply(status=200)                not reached

        nearest   DhcpAck(address='192.168.4.3')        +2.981 s
                  address: wanted '192.168.4.2', got '192.168.4.3'

        timeline  +2.900 s … +5.000 s, 3 of 3 events
          +2.900  netlink  Carrier(up=True, interface='usb0')
          +2.977  packet   DhcpOffer(address='192.168.4.3')
          +2.981  packet   DhcpAck(address='192.168.4.3')

        artifacts build/hil/test_replug/
    """)


def test_a_step_past_its_own_limit_names_the_step_it_counts_from():
    """The limit and its origin are in the headline; long runs of events are left out."""
    text = _explained(
        [UsbAttached(), Carrier(up=True), within(DhcpAck("192.168.4.2"), 2.0)],
        [*BASE, *(_at(SerialLine(f"I ({n}) ncm: x"), 103 + n / 50, "serial") for n in range(55))],
        within_s=60,
    )
    assert text == _text("""
        expected  DhcpAck(address='192.168.4.2') within 2.0 s of Carrier(up=True)       step 3 of 3

          ok    1  UsbAttached()                                     +2.406 s
          ok    2  Carrier(up=True)                                  +2.900 s
          FAIL  3  within(DhcpAck(address='192.168.4.2'), 2.0)       limit passed +4.900 s

        nearest   DhcpAck(address='192.168.4.3')                     +2.981 s
                  address: wanted '192.168.4.2', got '192.168.4.3'

        note      the board left the bus +0.400 s and came back +2.406 s: UsbDetached(path='1-1.2')

        timeline  +2.900 s … +4.900 s, 20 of 58 events
          +2.900  netlink  Carrier(up=True, interface='usb0')
          … 1 more
          +2.981  packet   DhcpAck(address='192.168.4.3')
          … 37 more
          +3.740  serial   SerialLine(text='I (37) ncm: x')
          +3.760  serial   SerialLine(text='I (38) ncm: x')
          +3.780  serial   SerialLine(text='I (39) ncm: x')
          +3.800  serial   SerialLine(text='I (40) ncm: x')
          +3.820  serial   SerialLine(text='I (41) ncm: x')
          +3.840  serial   SerialLine(text='I (42) ncm: x')
          +3.860  serial   SerialLine(text='I (43) ncm: x')
          +3.880  serial   SerialLine(text='I (44) ncm: x')
          +3.900  serial   SerialLine(text='I (45) ncm: x')
          +3.920  serial   SerialLine(text='I (46) ncm: x')
          +3.940  serial   SerialLine(text='I (47) ncm: x')
          +3.960  serial   SerialLine(text='I (48) ncm: x')
          +3.980  serial   SerialLine(text='I (49) ncm: x')
          +4.000  serial   SerialLine(text='I (50) ncm: x')
          +4.020  serial   SerialLine(text='I (51) ncm: x')
          +4.040  serial   SerialLine(text='I (52) ncm: x')
          +4.060  serial   SerialLine(text='I (53) ncm: x')
          +4.080  serial   SerialLine(text='I (54) ncm: x')
    """)


def test_a_forbidden_event_is_shown_with_its_time():
    """The headline says forbidden, and the event stands in place of the nearest miss."""
    text = _explained([UsbAttached(), never(UsbDetached())], [*BASE, _at(UsbDetached("1-1.2"), 104.2, "uevent")])
    assert text == _text("""
        forbidden never(UsbDetached()) within 5.0 s of Acted(action='replug')       step 2 of 2

          ok    1  UsbAttached()              +2.406 s
          FAIL  2  never(UsbDetached())       happened +4.200 s

        event     UsbDetached(path='1-1.2')   +4.200 s

        note      the board left the bus +0.400 s and came back +2.406 s: UsbDetached(path='1-1.2')

        timeline  +2.406 s … +4.200 s, 5 of 5 events
          +2.406  uevent   UsbAttached(path='1-1.2')
          +2.900  netlink  Carrier(up=True, interface='usb0')
          +2.977  packet   DhcpOffer(address='192.168.4.3')
          +2.981  packet   DhcpAck(address='192.168.4.3')
          +4.200  uevent   UsbDetached(path='1-1.2')
    """)


def test_one_too_many_is_numbered():
    """The event that exceeds at_most is named by its number."""
    text = _explained(
        [UsbAttached(), repeated(DhcpOffer(), 1, at_most=1)], [*BASE, _at(DhcpOffer("192.168.4.4"), 103.5, "packet")]
    )
    assert text == _text("""
        expected  repeated(DhcpOffer(), 1, at_most=1) within 5.0 s of Acted(action='replug')       step 2 of 2

          ok    1  UsbAttached()                             +2.406 s
          FAIL  2  repeated(DhcpOffer(), 1, at_most=1)       number 2 happened +3.500 s

        event     DhcpOffer(address='192.168.4.4')           +3.500 s

        note      the board left the bus +0.400 s and came back +2.406 s: UsbDetached(path='1-1.2')

        timeline  +2.406 s … +3.500 s, 5 of 5 events
          +2.406  uevent   UsbAttached(path='1-1.2')
          +2.900  netlink  Carrier(up=True, interface='usb0')
          +2.977  packet   DhcpOffer(address='192.168.4.3')
          +2.981  packet   DhcpAck(address='192.168.4.3')
          +3.500  packet   DhcpOffer(address='192.168.4.4')
    """)


def test_too_few_are_counted():
    """The step says how many of how many were seen."""
    text = _explained([UsbAttached(), repeated(DhcpOffer(), 3)], BASE)
    assert text == _text("""
        expected  repeated(DhcpOffer(), 3) within 5.0 s of Acted(action='replug')       step 2 of 2

          ok    1  UsbAttached()                  +2.406 s
          FAIL  2  repeated(DhcpOffer(), 3)       window closed +5.000 s, 1 of 3 seen

        nearest   none: no other DhcpOffer since Acted(action='replug')

        note      the board left the bus +0.400 s and came back +2.406 s: UsbDetached(path='1-1.2')

        timeline  +2.406 s … +5.000 s, 4 of 4 events
          +2.406  uevent   UsbAttached(path='1-1.2')
          +2.900  netlink  Carrier(up=True, interface='usb0')
          +2.977  packet   DhcpOffer(address='192.168.4.3')
          +2.981  packet   DhcpAck(address='192.168.4.3')
    """)


def test_a_board_that_left_meanwhile_has_a_line_of_its_own():
    """A detach that no step asked for explains most of what did not happen."""
    text = _explained(
        [UsbAttached(), HttpReply("/status", 200)],
        [*BASE[2:], _at(UsbDetached("1-1.2"), 103.5, "uevent"), _at(HttpReply("/status", 500), 103.2, "http")],
    )
    assert text == _text("""
        expected  HttpReply(path='/status', status=200) within 5.0 s of Acted(action='replug')       step 2 of 2

          ok    1  UsbAttached()                               +2.406 s
          FAIL  2  HttpReply(path='/status', status=200)       window closed +5.000 s

        nearest   HttpReply(path='/status', status=500)        +3.200 s
                  status: wanted 200, got 500

        note      the board left the bus +3.500 s and did not come back: UsbDetached(path='1-1.2')

        timeline  +2.406 s … +5.000 s, 6 of 6 events
          +2.406  uevent   UsbAttached(path='1-1.2')
          +2.900  netlink  Carrier(up=True, interface='usb0')
          +2.977  packet   DhcpOffer(address='192.168.4.3')
          +2.981  packet   DhcpAck(address='192.168.4.3')
          +3.200  http     HttpReply(path='/status', status=500)
          +3.500  uevent   UsbDetached(path='1-1.2')
    """)


def test_a_channel_that_was_silent_is_named():
    """Nothing at all came from where the event would have come from."""
    text = _explained([UsbDetached(), HttpReply("/status", 200)], BASE)
    assert text == _text("""
        expected  HttpReply(path='/status', status=200) within 5.0 s of Acted(action='replug')       step 2 of 2

          ok    1  UsbDetached()                               +0.400 s
          FAIL  2  HttpReply(path='/status', status=200)       window closed +5.000 s

        nearest   none: no HttpReply since Acted(action='replug')

        note      no event from http in this window

        timeline  +0.400 s … +5.000 s, 5 of 5 events
          +0.400  uevent   UsbDetached(path='1-1.2')
          +2.406  uevent   UsbAttached(path='1-1.2')
          +2.900  netlink  Carrier(up=True, interface='usb0')
          +2.977  packet   DhcpOffer(address='192.168.4.3')
          +2.981  packet   DhcpAck(address='192.168.4.3')
    """)


def test_nothing_at_all_happened():
    """An empty window is said to be empty."""
    text = _explained([DhcpAck()], [])
    assert text == _text("""
        expected  DhcpAck() within 5.0 s of Acted(action='replug')       step 1 of 1

          FAIL  1  DhcpAck()       window closed +5.000 s

        nearest   none: no DhcpAck since Acted(action='replug')

        note      no event from packet in this window

        timeline  +0.000 s … +5.000 s, nothing happened
    """)


def test_an_event_that_came_too_late_is_the_nearest_miss():
    """What fits but came after the window says by how much."""
    text = _explained([Carrier(), DhcpAck("192.168.4.2")], [UP, _at(DhcpAck("192.168.4.2"), 106, "packet")])
    assert text == _text("""
        expected  DhcpAck(address='192.168.4.2') within 5.0 s of Acted(action='replug')       step 2 of 2

          ok    1  Carrier()                            +2.900 s
          FAIL  2  DhcpAck(address='192.168.4.2')       window closed +5.000 s

        nearest   DhcpAck(address='192.168.4.2')        +6.000 s
                  it fits, but came 1.000 s after the window closed

        note      no event from packet in this window

        timeline  +2.900 s … +6.000 s, 2 of 2 events
          +2.900  netlink  Carrier(up=True, interface='usb0')
          +6.000  packet   DhcpAck(address='192.168.4.2')
    """)


def test_an_event_that_came_too_early_is_the_nearest_miss():
    """What fits but came before since says by how much."""
    text = _explained([DhcpAck()], [_at(DhcpAck("192.168.4.2"), 98.5, "packet"), UP])
    assert text == _text("""
        expected  DhcpAck() within 5.0 s of Acted(action='replug')       step 1 of 1

          FAIL  1  DhcpAck()       window closed +5.000 s

        nearest   DhcpAck(address='192.168.4.2')  -1.500 s
                  it fits, but came 1.500 s before Acted(action='replug')

        note      no event from packet in this window

        timeline  -1.500 s … +5.000 s, 2 of 2 events
          -1.500  packet   DhcpAck(address='192.168.4.2')
          +2.900  netlink  Carrier(up=True, interface='usb0')
    """)


def test_an_event_out_of_order_names_the_step_it_preceded():
    """What fits but came before an earlier step says which."""
    text = _explained([Carrier(), UsbAttached(), DhcpAck()], BASE)
    assert text == _text("""
        expected  UsbAttached() within 5.0 s of Acted(action='replug')       step 2 of 3

          ok    1  Carrier()           +2.900 s
          FAIL  2  UsbAttached()       window closed +5.000 s
                3  DhcpAck()           not reached

        nearest   UsbAttached(path='1-1.2')  +2.406 s
                  it fits, but not in this place: it came 0.494 s before step 1

        note      the board left the bus +0.400 s and came back +2.406 s: UsbDetached(path='1-1.2')

        timeline  +2.406 s … +5.000 s, 4 of 4 events
          +2.406  uevent   UsbAttached(path='1-1.2')
          +2.900  netlink  Carrier(up=True, interface='usb0')
          +2.977  packet   DhcpOffer(address='192.168.4.3')
          +2.981  packet   DhcpAck(address='192.168.4.3')
    """)


def test_an_event_that_another_step_has_is_said_to_be_taken():
    """One event is not two steps."""
    text = _explained([UsbDetached(), optional(TtyAppeared()), UsbAttached(), UsbDetached()], BASE)
    assert text == _text("""
        expected  UsbDetached() within 5.0 s of Acted(action='replug')       step 4 of 4

          ok    1  UsbDetached()                 +0.400 s
          -     2  optional(TtyAppeared())       not seen, optional
          ok    3  UsbAttached()                 +2.406 s
          FAIL  4  UsbDetached()                 window closed +5.000 s

        nearest   UsbDetached(path='1-1.2')      +0.400 s
                  it fits, but step 1 has it

        timeline  +0.400 s … +5.000 s, 5 of 5 events
          +0.400  uevent   UsbDetached(path='1-1.2')
          +2.406  uevent   UsbAttached(path='1-1.2')
          +2.900  netlink  Carrier(up=True, interface='usb0')
          +2.977  packet   DhcpOffer(address='192.168.4.3')
          +2.981  packet   DhcpAck(address='192.168.4.3')
    """)


def test_what_is_missing_of_a_group_is_listed():
    """Only the patterns without an event are missing."""
    text = _explained(
        [unordered(DhcpAck(), DhcpNak()), HttpReply()],
        [*BASE, _at(CaptureGap("packet", "queue full", 0.3), 103, "harness", board="")],
    )
    assert text == _text("""
        expected  unordered(DhcpAck(), DhcpNak()) within 5.0 s of Acted(action='replug')       step 1 of 2

          FAIL  1  unordered(DhcpAck(), DhcpNak())       window closed +5.000 s, 1 of 2 seen
                   missing: DhcpNak()
                2  HttpReply()                           not reached

        nearest   none: no DhcpNak since Acted(action='replug')

        note      the board left the bus +0.400 s and came back +2.406 s: UsbDetached(path='1-1.2')
        note      packet lost data +3.000 s for 0.3 s (queue full): absence there proves nothing

        timeline  +0.000 s … +5.000 s, 7 of 7 events
          +0.000  action   Acted(action='replug', sees='disconnect')
          +0.400  uevent   UsbDetached(path='1-1.2')
          +2.406  uevent   UsbAttached(path='1-1.2')
          +2.900  netlink  Carrier(up=True, interface='usb0')
          +2.977  packet   DhcpOffer(address='192.168.4.3')
          +2.981  packet   DhcpAck(address='192.168.4.3')
          +3.000  harness  CaptureGap(channel='packet', reason='queue full', lasted_s=0.3)
    """)


def test_steps_too_close_to_call_are_noted_though_met():
    """A verdict that rests on an order nobody can know says so."""
    text = _explained(
        [BoardSaid("USB_MOUNTED"), DhcpOffer(), DhcpAck()],
        [*BASE, _at(BoardSaid("USB_MOUNTED"), 103.1, "serial", 0.25)],
    )
    assert text == _text("""
        met       all of 3 steps within 5.0 s of Acted(action='replug')

          ok    1  BoardSaid(name='USB_MOUNTED')       +3.100 s
          ok    2  DhcpOffer()                         +2.977 s
          ok    3  DhcpAck()                           +2.981 s

        note      steps 1 and 2 are too close to call: +3.100 s ±0.250 s and +2.977 s ±0.000 s
    """)


def test_a_match_at_the_edge_of_the_window_is_noted():
    """An event whose error reaches across since or the end is too close to call."""
    text = _explained(
        [BoardSaid("USB_MOUNTED"), BoardSaid("NCM_LINK_UP")],
        [_at(BoardSaid("USB_MOUNTED"), 99.9, "serial", 0.25), _at(BoardSaid("NCM_LINK_UP"), 104.9, "serial", 0.25)],
    )
    assert text == _text("""
        met       all of 2 steps within 5.0 s of Acted(action='replug')

          ok    1  BoardSaid(name='USB_MOUNTED')       -0.100 s
          ok    2  BoardSaid(name='NCM_LINK_UP')       +4.900 s

        note      step 1 and Acted(action='replug') are too close to call: -0.100 s ±0.250 s
        note      step 2 and the end of the window are too close to call: +4.900 s ±0.250 s
    """)


def test_an_undecided_expectation_says_so():
    """Explained before its time, it claims nothing."""
    text = _explained([UsbDetached(), DhcpNak()], BASE, wake_s=101)
    assert text == _text("""
        expected  DhcpNak() within 5.0 s of Acted(action='replug')       step 2 of 2

          ok    1  UsbDetached()       +0.400 s
          wait  2  DhcpNak()           not decided

        nearest   none: no DhcpNak since Acted(action='replug')

        timeline  +0.400 s … +5.000 s, 5 of 5 events
          +0.400  uevent   UsbDetached(path='1-1.2')
          +2.406  uevent   UsbAttached(path='1-1.2')
          +2.900  netlink  Carrier(up=True, interface='usb0')
          +2.977  packet   DhcpOffer(address='192.168.4.3')
          +2.981  packet   DhcpAck(address='192.168.4.3')
    """)


def test_events_of_several_boards_name_theirs():
    """Without a board of its own the timeline tells whose event it was."""
    text = _explained(
        [UsbDetached(), DhcpNak()], [GONE, _at(UsbDetached("1-1.3"), 100.5, "uevent", board="s3-b")], board=None
    )
    assert text == _text("""
        expected  DhcpNak() within 5.0 s of Acted(action='replug')       step 2 of 2

          ok    1  UsbDetached()       +0.400 s
          FAIL  2  DhcpNak()           window closed +5.000 s

        nearest   none: no DhcpNak since Acted(action='replug')

        note      the board left the bus +0.500 s and did not come back: UsbDetached(path='1-1.3')
        note      no event from packet in this window

        timeline  +0.400 s … +5.000 s, 2 of 2 events
          +0.400  uevent   s3-a UsbDetached(path='1-1.2')
          +0.500  uevent   s3-b UsbDetached(path='1-1.3')
    """)
