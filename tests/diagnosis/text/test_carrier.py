"""Carrier in what a host prints."""

import pytest

from hil.diagnosis.text.carrier import Carrier
from hil.diagnosis.text.line import TextLine

DOWN = "5: {}: <NO-CARRIER,BROADCAST,MULTICAST,UP> mtu 1500 qdisc pfifo_fast state DOWN mode DEFAULT"
UP = "5: {}: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc pfifo_fast state UP mode DEFAULT"


def shown(*texts: str) -> int:
    carrier = Carrier()
    for text in texts:
        carrier.hear(TextLine(text))
    return len(carrier.evidence())


@pytest.mark.parametrize("name", ["usb0", "enx020211223301", "enp1s0u1u2", "enxd83add010203"])
def test_an_interface_of_a_usb_device_without_carrier_is_seen(name: str) -> None:
    """By the kernel's name and by udev's."""
    assert shown(DOWN.format(name)) == 1
    assert shown(f"{name}: waiting for carrier") == 1


@pytest.mark.parametrize("name", ["eth0", "enp1s0", "eno1", "wlan0", "docker0", "br-usb0"])
def test_a_port_that_is_no_boards_is_not(name: str) -> None:
    """A built-in port without a cable is nobody's fault."""
    assert shown(DOWN.format(name)) == 0


def test_an_interface_that_is_down_wants_no_carrier() -> None:
    """Only one that was set up does."""
    assert shown("5: usb0: <BROADCAST,MULTICAST> mtu 1500 qdisc noop state DOWN") == 0
    assert shown("5: usb0: <NO-CARRIER,BROADCAST,MULTICAST> mtu 1500") == 0


@pytest.mark.parametrize(
    "text",
    [
        UP.format("usb0"),
        "usb0: Gained carrier",
        "usb0: carrier acquired",
        "cdc_ncm 1-1:1.0 usb0: unregister 'cdc_ncm' usb-vhci",
        "[   12.0] cdc_ncm 1-1:1.0 usb0: network connection: connected",
        "[   12.0] IPv6: ADDRCONF(NETDEV_CHANGE): usb0: link becomes ready",
    ],
)
def test_the_latest_word_counts(text: str) -> None:
    """Carrier that came later, or an interface that went, leaves nothing to explain."""
    assert shown(DOWN.format("usb0"), text) == 0
    assert shown(text, DOWN.format("usb0")) == 1


def test_a_connection_that_goes_takes_nothing_back() -> None:
    """The kernel's other word."""
    assert shown(DOWN.format("usb0"), "cdc_ncm 1-1:1.0 usb0: network connection: disconnected") == 1
    assert shown(DOWN.format("usb0"), "cdc_ncm 1-1:1.0 usb1: network connection: connected") == 1
