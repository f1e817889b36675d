"""A link that is announced before the stack is there."""

from hil.testing.handmade import action, asked, at, attached, detached, names, said, told_of_link
from hil.timeline.events import DhcpAck

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
