"""A link that is announced before the stack is there, or never."""

from hil.testing.handmade import action, asked, at, attached, detached, names, said, told_of_link
from hil.timeline.events import DhcpAck, Event, LinkChanged, UsbControl

EARLY = [attached(1.0), *told_of_link(1.5, up=True), *asked(1.6, 3.0, 5.5, 10.0)]
READY = said(13.0, "NETIF_READY", "", 13_260)


def test_a_link_before_the_stack_is_named_and_the_server_is_not_blamed() -> None:
    """Four questions into a link behind which nobody is; when somebody is there, no new link."""
    assert names([*EARLY, READY]) == ["link-announced-before-stack"]


def test_a_link_that_is_announced_again_is_not_named() -> None:
    """The host hears of it."""
    assert "link-announced-before-stack" not in names([*EARLY, READY, *told_of_link(13.5, up=True)])


def test_a_lease_that_comes_later_does_not_hide_it() -> None:
    """A patient host asks again by itself, too late for whoever waited."""
    ack = at(14.5, DhcpAck("192.168.7.2", "192.168.7.1", 60, 1, "m", "board"), "packet")
    assert "link-announced-before-stack" in names([*EARLY, READY, *asked(14.0), ack])


def test_the_stack_of_the_next_boot_is_another() -> None:
    """A board that is pulled and plugged in again is ready before it is on the bus."""
    replugged = [*action(4.0, "unplug", "vbus_off"), detached(4.1), *action(5.0, "plug", "vbus_off")]
    events = [
        attached(1.0),
        *told_of_link(1.5, up=True),
        *asked(1.6),
        *replugged,
        said(5.5, "NETIF_READY"),
        attached(6.0),
    ]
    assert "link-announced-before-stack" not in names(events)


def test_a_stack_that_was_ready_first_is_not_named() -> None:
    """Then nobody answers for another reason."""
    ready = said(1.2, "NETIF_READY", "", 470)
    assert names([*EARLY, ready]) == ["dhcp-server-silent"]


def test_a_stack_whose_time_is_not_known_proves_nothing() -> None:
    """The two may have been in the right order."""
    vague = at(13.0, said(13.0, "NETIF_READY"), "http", t_err_s=12.0)
    assert "link-announced-before-stack" not in names([*EARLY, vague])


# ---- link-notification-missing


def polled(*rest: Event) -> list[Event]:
    """The interface is up and the board says that its link is; nothing of it comes over the bus."""
    up = at(1.3, LinkChanged("usb0", True, "down"), "netlink")
    asked_for = at(1.2, UsbControl("SET_INTERFACE", 1, 3, 0, 0, "", 0.001), "usbmon")
    return [attached(1.0), asked_for, up, said(2.0, "NCM_LINK_UP"), *rest]


def test_a_link_that_the_host_is_not_told_of_is_named() -> None:
    """Nothing took the board away meanwhile; nor does its own recovery excuse it."""
    assert names(polled(), end_s=5.0) == ["link-notification-missing"]
    recovered = [said(3.4, "USB_RECOVER", "attempt 1"), detached(3.5)]
    assert "link-notification-missing" in names(polled(*recovered), end_s=5.0)


def test_a_board_that_the_test_took_away_had_no_time_to_tell() -> None:
    """Into its loader within a second of the interface, where it then stays."""
    away = action(1.5, "enter_bootloader", "reset", took_s=1.0)
    assert names(polled(*away, detached(1.7)), end_s=9.0) == []
