"""The DHCP server of the ``host`` fixture, on an interface without a kernel."""

import pytest

from hil.clock import Deadline
from hil.errors import AgentError, HarnessError
from hil.net.arp_peer import ArpPeer
from hil.net.host import Host
from hil.testing.fake_net import BOARD_MAC, WITHIN_S, FakeNet
from hil.timeline.events import PersonaNote
from hil.wire import dhcp
from hil.wire.ethernet import BROADCAST

DISCOVER = dhcp.DhcpMessage(dhcp.BOOTREQUEST, 1, BOARD_MAC, options=((dhcp.OPTION_MESSAGE_TYPE, bytes([1])),))


def test_a_board_is_offered_an_address_and_the_computer_has_one(net: FakeNet, host: Host) -> None:
    """As soon as there is an interface."""
    server = host.dhcp_server(first="192.168.7.50")
    server.start("s3-a")
    net.link(carrier=True)
    assert net.setting.wait(5.0)
    net.far.send(dhcp.frame(DISCOVER, BOARD_MAC, BROADCAST, "0.0.0.0", "255.255.255.255"))
    offer = net.asked()
    assert (offer.message_type, offer.yiaddr, repr(server)) == (dhcp.OFFER, "192.168.7.50", "dhcp_server")
    assert net.calls == [("set_address", "s3-a", "192.168.7.253/24", "")]


def test_an_interface_that_takes_no_address_is_told(net: FakeNet, host: Host) -> None:
    """It may have left again; where the agent is gone, the server ends."""
    net.broken = AgentError("set_address: no interface")
    server = host.dhcp_server()
    server.start("s3-a")
    net.link(carrier=True)
    net.until(PersonaNote(text="set_address: no interface", persona="dhcp_server"))
    net.alive = False
    net.link(carrier=True, index=3)
    with pytest.raises(HarnessError, match=r"persona dhcp_server on s3-a ended: .*the agent is gone"):
        wait_for_end(server)
    with pytest.raises(HarnessError, match=r"the agent is gone"):
        server.stop()


def wait_for_end(peer: ArpPeer) -> None:
    deadline = Deadline(WITHIN_S)
    while not deadline.passed:
        peer.check()


def test_a_plan_has_the_fields_that_it_has(host: Host) -> None:
    """A word that it does not know is no silence."""
    with pytest.raises(TypeError, match="lease_time"):
        host.dhcp_server(lease_time=3)
