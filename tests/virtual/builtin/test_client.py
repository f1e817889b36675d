"""Faults of the DHCP client: what each changes, and what it leaves alone."""

from hil.testing.fake_net import BOARD_MAC, HOST_MAC, dhcp_reply
from hil.virtual.builtin.client import DhcpClientMute, LeaseUnchecked
from hil.virtual.firmware import Command, Firmware, FirmwareConfig, StartDhcpClient, StartNetif
from hil.wire import arp, dhcp
from hil.wire.arp import ArpPacket
from hil.wire.ethernet import BROADCAST, ETHERTYPE_ARP, EthernetFrame

LEASED, ELSEWHERE = "192.168.7.100", "192.168.7.77"
MOUNTED_MS = 600
ASKED = dhcp.DhcpMessage(dhcp.BOOTREQUEST, 1, BOARD_MAC)


def claim(address: str) -> bytes:
    packet = ArpPacket(arp.REPLY, HOST_MAC, address, BOARD_MAC, "0.0.0.0")
    return EthernetFrame(BOARD_MAC, HOST_MAC, ETHERTYPE_ARP, packet.pack()).pack()


def started(config: FirmwareConfig) -> tuple[bool, bool]:
    """Whether the core starts its client once the link is up, and whether it says so."""
    firmware = Firmware(config=config)
    commands = firmware.boot("POWERON", 0)
    given: list[Command] = []
    for now_ms in range(10, 3000, 10):
        commands += firmware.mounted(now_ms) if now_ms == MOUNTED_MS else firmware.wake(now_ms)
        given += commands
        commands = firmware.netif_started(now_ms) if any(isinstance(each, StartNetif) for each in commands) else []
    told = firmware.http("GET", "/events", 3000).body.decode()
    return any(isinstance(command, StartDhcpClient) for command in given), "DHCP_CLIENT_STARTED" in told


def test_a_mute_client_is_said_to_be_started() -> None:
    """The claim is made, the command is not."""
    client = FirmwareConfig(role="dhcp-client")
    assert started(client) == (True, True)
    assert started(DhcpClientMute({}).configure(client)) == (False, True)


def test_who_has_the_address_that_was_granted_is_not_heard() -> None:
    """From the ACK on; everybody else is."""
    fault = LeaseUnchecked({})
    assert fault.frame_from_host(claim(LEASED)) == [claim(LEASED)]
    ack = dhcp_reply(dhcp.ACK, ASKED, LEASED)
    assert fault.frame_from_host(ack) == [ack]
    assert fault.frame_from_host(claim(LEASED)) == []
    assert fault.frame_from_host(claim(ELSEWHERE)) == [claim(ELSEWHERE)]


def test_what_is_broken_passes() -> None:
    """It is for the stack to judge."""
    broken = EthernetFrame(BROADCAST, HOST_MAC, ETHERTYPE_ARP, b"\x00").pack()
    assert LeaseUnchecked({}).frame_from_host(broken) == [broken]
