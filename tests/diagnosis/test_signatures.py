"""Each known failure is found by its own name, and not on a healthy timeline."""

import time

import pytest
from msgspec.structs import replace

from hil.clock import to_ns
from hil.diagnosis import SIGNATURES, diagnose
from hil.diagnosis.signature import boot_logs
from hil.diagnosis.window import Window
from hil.timeline.events import (
    ArpRequest,
    BoardSaid,
    CaptureGap,
    Carrier,
    DhcpAck,
    DhcpDiscover,
    DhcpOffer,
    Event,
    LinkChanged,
    Started,
    UsbAttached,
    UsbControl,
    UsbDetached,
    UsbNotification,
    UsbResumed,
    UsbSuspended,
)

END_S = 10.0
BEFORE_S = -5.0
"""Shift of what happened in an earlier test of the same run."""


def at(t_s: float, event: Event, source: str) -> Event:
    """``event`` on board s3-a, ``t_s`` after the window began."""
    return replace(event, t_ns=round(t_s * 1e9), t_err_ns=0, board="s3-a", source=source)


def names(events: list[Event]) -> list[str]:
    return [finding.name for finding in diagnose(events, "s3-a", 0, round(END_S * 1e9))]


def enumerated() -> list[Event]:
    return [
        at(1.0, UsbAttached("1-1", 0x303A, 0x4001), "uevent"),
        at(1.1, UsbControl("SET_INTERFACE", 1, 1, 0, 0, ""), "usbmon"),
        at(1.2, LinkChanged("usb0", True, "down"), "netlink"),
        at(1.5, BoardSaid("NCM_LINK_UP", "stack_ready_kick_up", 921, "serial"), "serial"),
    ]


def connected() -> list[Event]:
    return [
        *enumerated(),
        at(1.5, UsbNotification("NETWORK_CONNECTION", 1, 0), "usbmon"),
        at(1.51, Carrier(True, "usb0"), "netlink"),
    ]


def asked(*at_s: float) -> list[Event]:
    return [at(t, DhcpDiscover(1, "02:00:00:00:00:01", "1,3,6", "", "host"), "packet") for t in at_s]


def test_a_healthy_handshake_has_no_finding() -> None:
    """Notification, carrier, DISCOVER, OFFER and ACK leave nothing to explain."""
    offer = at(1.7, DhcpOffer("192.168.7.2", "192.168.7.1", 60, 1, "m", "board"), "packet")
    ack = at(1.8, DhcpAck("192.168.7.2", "192.168.7.1", 60, 1, "m", "board"), "packet")
    claim = at(1.7, BoardSaid("DHCP_OFFER_TX", "", 1200, "events"), "http")
    assert names([*connected(), *asked(1.6), offer, ack, claim]) == []


def test_a_missing_notification_is_named() -> None:
    """Link up in the log, none on the bus, no carrier."""
    assert names(enumerated()) == ["link-notification-missing"]


def test_a_late_carrier_is_no_missing_notification() -> None:
    """The window may end before carrier; a notification on the bus speaks against the finding."""
    assert names([*enumerated(), at(9.0, UsbNotification("NETWORK_CONNECTION", 1, 0), "usbmon")]) == []


def test_blind_usbmon_proves_no_absence() -> None:
    """Where usbmon lost data, a notification that was not seen may have been there."""
    gap = at(1.4, CaptureGap("usbmon", "ring overflow", 0.2), "usbmon")
    assert names([*enumerated(), gap]) == []


def test_a_notification_before_the_replug_does_not_count() -> None:
    """The evidence begins with the last enumeration."""
    again = [at(e.t_ns / 1e9 + 4, e, e.source) for e in enumerated()]
    assert names([*connected(), *again]) == ["link-notification-missing"]


def test_a_silent_server_is_named() -> None:
    """Carrier, two questions, no answer of any kind."""
    assert names([*connected(), *asked(1.6, 2.9)]) == ["dhcp-server-silent"]


def test_one_question_just_asked_is_no_silence() -> None:
    """A DISCOVER of a moment ago may still be answered."""
    assert names([*connected(), *asked(9.5)]) == []


def test_a_claimed_offer_points_at_the_send_path() -> None:
    """The board says OFFER, the wire does not: another finding, not the silent server."""
    claim = at(1.7, BoardSaid("DHCP_OFFER_TX", "", 1200, "events"), "http")
    assert names([*connected(), *asked(1.6, 2.9), claim]) == ["offer-lost-in-send-path"]


def test_refused_sends_while_asleep_are_named() -> None:
    """TX FAILED with ESP_ERR_INVALID_STATE in the nap, no frame from the board in it."""
    events = [
        *connected(),
        at(3.0, UsbSuspended("1-1"), "sysfs"),
        at(4.0, BoardSaid("TX_FAILED", "ESP_ERR_INVALID_STATE", 3000, "console"), "console"),
        at(5.5, UsbResumed("1-1"), "sysfs"),
    ]
    assert names(events) == ["sends-rejected-while-suspended"]


def test_a_frame_in_the_nap_speaks_against_refused_sends() -> None:
    """A board that woke the host and sent has not thrown everything away."""
    events = [
        *connected(),
        at(3.0, UsbSuspended("1-1"), "sysfs"),
        at(4.0, BoardSaid("TX_FAILED", "ESP_ERR_INVALID_STATE", 3000, "console"), "console"),
        at(4.5, ArpRequest("192.168.7.77", "192.168.7.1", "m", "board"), "packet"),
        at(5.5, UsbResumed("1-1"), "sysfs"),
    ]
    assert names(events) == []


def test_another_boards_trouble_is_not_ours() -> None:
    """Events of another board are not looked at."""
    assert names([replace(event, board="s3-b") for event in enumerated()]) == []


def test_a_finding_reads_as_evidence_cause_remedy_source() -> None:
    """The whole text, with times relative to the window."""
    (finding,) = diagnose(enumerated(), "s3-a", 0, round(END_S * 1e9))
    assert finding.text(0).splitlines()[:5] == [
        "finding   link-notification-missing: the firmware says link up, the host was never told",
        "  for        +1.200 s  the interface is up, so cdc_ncm polls the notification endpoint: netlink "
        "LinkChanged(interface='usb0', up=True, operstate='down')",
        "  for        +1.500 s  the board says that its link is up: serial "
        "BoardSaid(name='NCM_LINK_UP', detail='stack_ready_kick_up', board_ms=921, via='serial')",
        "  for        absent    no NETWORK_CONNECTION notification with value 1 on the bus "
        "since the device was attached",
        "  for        absent    no carrier on the interface since the device was attached",
    ]


@pytest.mark.parametrize("signature", SIGNATURES, ids=lambda signature: signature.name)
def test_every_signature_names_cause_remedy_and_source(signature: object) -> None:
    """A finding without a remedy or a source is an opinion."""
    for part in ("title", "cause", "remedy", "source"):
        assert getattr(signature, part)


def test_a_recovery_storm_does_not_hide_the_missing_notification() -> None:
    """A board that re-enumerates every few seconds is judged by its last enumeration that lasted long enough."""
    storm = [at(e.t_ns / 1e9 + shift, e, e.source) for shift in (0.0, 3.0, 6.0, 8.5) for e in enumerated()]
    assert names(storm) == ["link-notification-missing"]


def before(events: list[Event]) -> list[Event]:
    return [at(event.t_ns / 1e9 + BEFORE_S, event, event.source) for event in events]


def test_a_silent_server_is_named_on_a_board_that_was_connected_before() -> None:
    """Carrier that came before the window and still holds is evidence too."""
    assert names([*before(connected()), *asked(1.6, 2.9)]) == ["dhcp-server-silent"]


def test_carrier_from_before_speaks_against_a_missing_notification() -> None:
    """A healthy link that was up when the test began is not called dead."""
    assert names([*before(connected()), at(1.0, UsbControl("GET_STATUS", 0, 0, 2, 0, ""), "usbmon")]) == []


def test_carrier_from_before_a_replug_proves_nothing() -> None:
    """The state of an enumeration ends with it."""
    gone = [at(0.4, Started("unplug", ""), "action"), at(0.5, UsbDetached("1-1"), "uevent")]
    assert names([*before(connected()), *gone, *enumerated()]) == ["link-notification-missing"]


def test_a_channel_that_never_opened_is_blind() -> None:
    """A gap without an end, recorded when the run began, still counts."""
    gap = at(-9.0, CaptureGap("usbmon", "usbmon is not there", -1), "harness")
    assert names([gap, *enumerated()]) == []


def refused_at(t_s: float) -> Event:
    return at(t_s, BoardSaid("TX_FAILED", "ESP_ERR_INVALID_STATE", 3000, "console"), "console")


def test_a_refusal_while_awake_is_no_refusal_asleep() -> None:
    """A send that failed after resume has another cause."""
    nap = [at(3.0, UsbSuspended("1-1"), "sysfs"), at(5.0, UsbResumed("1-1"), "sysfs")]
    assert names([*connected(), *nap, refused_at(6.0)]) == []


def test_a_quiet_second_nap_is_judged_for_itself() -> None:
    """A frame in the first nap does not excuse what was refused in the second."""
    first = [at(2.0, UsbSuspended("1-1"), "sysfs"), at(3.0, UsbResumed("1-1"), "sysfs")]
    frame = at(2.5, ArpRequest("192.168.7.77", "192.168.7.1", "m", "board"), "packet")
    second = [at(5.0, UsbSuspended("1-1"), "sysfs"), at(7.0, UsbResumed("1-1"), "sysfs")]
    assert names([*connected(), *first, frame, *second, refused_at(6.0)]) == ["sends-rejected-while-suspended"]


def test_a_log_that_was_read_twice_is_in_the_boards_own_order() -> None:
    """Each reading dates it anew; entries of one millisecond stay as they were told, boots stay apart."""

    def entry(t_s: float, name: str, board_ms: int) -> Event:
        return at(t_s, BoardSaid(name, "", board_ms, "events"), "http")

    first = [entry(1.01, "USB_MOUNTED", 1000), entry(1.51, "FIRST_RX", 1500), entry(1.51, "DHCP_REQUEST_RX", 1500)]
    second = [entry(1.03, "USB_MOUNTED", 1000), entry(1.53, "FIRST_RX", 1500)]
    later = [entry(6.1, "USB_MOUNTED", 1100)]
    window = Window([*first, *later, *second], "s3-a", 0, round(END_S * 1e9))
    told = [[each.name for each in log] for log in boot_logs(window)]
    assert told == [["USB_MOUNTED", "FIRST_RX", "DHCP_REQUEST_RX"], ["USB_MOUNTED"]]


def seconds_with_a_past_of(cycles: int) -> float:
    """Processor time of judging five enumerations after so many others."""
    cycle = [at(0.0, UsbDetached("1-1"), "uevent"), *connected(), *asked(1.6)]
    past = [replace(e, t_ns=e.t_ns - to_ns(2.0 * (n + 2))) for n in range(cycles) for e in cycle]
    inside = [replace(e, t_ns=e.t_ns + to_ns(2.0 * n)) for n in range(5) for e in cycle]
    began_s = time.process_time()
    assert diagnose([*past, *inside], "s3-a", 0, round(END_S * 1e9))
    return time.process_time() - began_s


def test_a_long_session_makes_a_failed_test_hardly_slower() -> None:
    """What an emulated machine needs for it counts as the test's own time: it was minutes after an hour of tests."""
    seconds_with_a_past_of(1)
    short = min(seconds_with_a_past_of(20) for _ in range(3))
    long = min(seconds_with_a_past_of(2000) for _ in range(3))
    assert long < short * 25
