"""A link that is announced before the stack is there."""

import pytest

from hil.testing.handmade import asked, at, attached, names, said, told_of_link
from hil.timeline.events import DhcpAck, Event

EARLY = [attached(1.0), *told_of_link(1.5, up=True), *asked(1.6, 3.0, 5.5, 10.0)]
READY = said(13.0, "NETIF_READY", "", 13_260)


def test_a_link_before_the_stack_is_named_and_the_server_is_not_blamed() -> None:
    """Four questions into a link behind which nobody is; when somebody is there, no new link."""
    assert names([*EARLY, READY]) == ["link-announced-before-stack"]


@pytest.mark.parametrize(
    "then",
    [
        told_of_link(13.5, up=True),
        [at(14.0, DhcpAck("192.168.7.2", "192.168.7.1", 60, 1, "m", "board"), "packet")],
    ],
    ids=["kicked", "leased"],
)
def test_a_link_that_is_announced_again_or_serves_is_not_named(then: list[Event]) -> None:
    """The host hears of it, or did not need to."""
    assert "link-announced-before-stack" not in names([*EARLY, READY, *then])


def test_a_stack_that_was_ready_first_is_not_named() -> None:
    """Then nobody answers for another reason."""
    ready = said(1.2, "NETIF_READY", "", 470)
    assert names([*EARLY, ready]) == ["dhcp-server-silent"]


def test_a_stack_whose_time_is_not_known_proves_nothing() -> None:
    """The two may have been in the right order."""
    vague = at(13.0, said(13.0, "NETIF_READY"), "http", t_err_s=12.0)
    assert "link-announced-before-stack" not in names([*EARLY, vague])
