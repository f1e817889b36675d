"""Which of several DHCPOFFERs a client asks for, and when."""

import pytest

from hil.clock import to_ns
from hil.personas.client_profile import ClientProfile
from hil.personas.offers import Offers
from hil.testing.fake_net import BOARD_IP, HOST_MAC, LEASED, dhcp_reply
from hil.wire import dhcp

FIRST = ClientProfile(name="first", gather_s=1.0)
RATING = ClientProfile(name="rating", gather_s=1.0, rates_offers=True, requested=(1, 3))


def made(address: str = LEASED, router: str = "") -> dhcp.DhcpMessage:
    """An OFFER as it is after its journey."""
    asked = dhcp.DhcpMessage(op=dhcp.BOOTREQUEST, xid=1, chaddr=HOST_MAC)
    message = dhcp.from_frame(dhcp_reply(dhcp.OFFER, asked, address, router=router))
    assert message is not None
    return message


def test_the_first_offer_is_asked_for_when_the_time_is_over() -> None:
    """It begins with the first, and another does not prolong it."""
    offers = Offers(FIRST)
    first = made()
    assert offers.take(first, 5) == 5 + to_ns(1)
    assert offers.take(made("8.8.8.8"), 7) == 5 + to_ns(1)
    assert offers.chosen == first


def test_another_discover_begins_anew() -> None:
    """With nothing chosen, and all of the time."""
    offers = Offers(FIRST)
    offers.take(made(), 5)
    offers.forget()
    assert offers.chosen is None
    assert offers.take(made("192.168.7.3"), 7) == 7 + to_ns(1)


@pytest.mark.parametrize(
    ("kept", "offer", "better"),
    [
        (made(router=BOARD_IP), made("8.8.8.8"), True),
        (made(), made(router=BOARD_IP), True),
        (made("169.254.1.2", router=BOARD_IP), made(), True),
        (made(), made(), False),
        (made(router=BOARD_IP), made(), False),
    ],
    ids=["public", "fuller", "private", "equal", "emptier"],
)
def test_a_better_offer_takes_the_place_of_the_first(
    kept: dhcp.DhcpMessage, offer: dhcp.DhcpMessage, better: bool
) -> None:
    """Public before private before link-local, then the number of requested options that it has."""
    offers = Offers(RATING)
    until_ns = offers.take(kept, 5)
    assert offers.take(offer, 7) == until_ns
    assert offers.chosen is (offer if better else kept)


def test_an_ideal_offer_is_asked_for_at_once() -> None:
    """A public address with every requested option; to a client that does not rate it is one like any other."""
    offers = Offers(RATING)
    offers.take(made(), 5)
    assert offers.take(made("8.8.8.8", router="8.8.8.1"), 7) == 7
    assert Offers(FIRST).take(made("8.8.8.8", router="8.8.8.1"), 7) == 7 + to_ns(1)
