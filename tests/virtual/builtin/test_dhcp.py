"""What each fault of the DHCP server lets through, and what it changes."""

import pytest

from hil.errors import VirtualBoardError
from hil.virtual.builtin.dhcp import AckDropped, NakWithoutServerId, OfferClaimedNotSent, OfferOutsidePool
from hil.virtual.fault_loader import load
from hil.virtual.faults import Fault
from hil.virtual.firmware import Firmware, FirmwareConfig, Led, StartDhcpServer, TransmitFrame
from hil.wire import dhcp
from hil.wire.dhcp import DhcpMessage

START = StartDhcpServer("192.168.7.2", "192.168.7.10", 60, "0.0.0.0", "0.0.0.0")
BOARD_MAC, HOST_MAC, EVERYONE = "02:02:11:22:33:02", "02:02:11:22:33:01", "ff:ff:ff:ff:ff:ff"
SERVER_ID = (54, bytes((192, 168, 7, 1)))
NOT_DHCP = bytes(12) + b"\x08\x06" + bytes(46)
BROKEN = bytes(12) + b"\x08\x00" + b"\x45" + bytes(45)


def reply(kind: int, *options: tuple[int, bytes]) -> bytes:
    message = DhcpMessage(dhcp.BOOTREPLY, 7, HOST_MAC, options=((53, bytes([kind])), *options))
    return dhcp.frame(message, BOARD_MAC, EVERYONE, "192.168.7.1", "255.255.255.255")


@pytest.mark.parametrize(("kind", "lost"), [(OfferClaimedNotSent, dhcp.OFFER), (AckDropped, dhcp.ACK)])
def test_one_kind_of_message_is_lost_and_everything_else_leaves(kind: type[Fault], lost: int) -> None:
    """Other DHCP messages, other frames and broken ones pass unchanged."""
    fault = kind({})
    assert fault.frame_to_host(reply(lost, SERVER_ID)) == []
    others = [reply(other, SERVER_ID) for other in (dhcp.OFFER, dhcp.ACK, dhcp.NAK) if other != lost]
    for frame in (*others, NOT_DHCP, BROKEN):
        assert fault.frame_to_host(frame) == [frame]


def test_the_pool_is_another_networks() -> None:
    """As many addresses as before, from the one that is asked for on; other commands pass."""
    fault = OfferOutsidePool({})
    assert fault.command(START) == StartDhcpServer("192.168.4.2", "192.168.4.10", 60, "0.0.0.0", "0.0.0.0")
    assert fault.command(Led(True)) == Led(True)
    chosen = OfferOutsidePool({"address": "192.168.7.100"}).command(START)
    assert isinstance(chosen, StartDhcpServer)
    assert (chosen.first, chosen.last) == ("192.168.7.100", "192.168.7.108")


def test_what_is_no_address_is_told() -> None:
    """With the fault as it was asked for."""
    with pytest.raises(
        VirtualBoardError, match=r"offer-outside-pool:address=7.*address is '7'; wanted an IPv4 address"
    ):
        load("offer-outside-pool:address=7")


def test_a_nak_says_whose_it_is_but_on_the_faulty_board() -> None:
    """The core puts the name into what ESP-IDF's server leaves open, or sends it as it came."""
    bare = reply(dhcp.NAK).ljust(590, b"\0")
    assert sent_by_the_core(NakWithoutServerId({}), bare) == bare
    message = dhcp.from_frame(sent_by_the_core(Fault({}), bare))
    assert message is not None
    assert message.options == ((53, bytes([dhcp.NAK])), SERVER_ID)


def sent_by_the_core(fault: Fault, frame: bytes) -> bytes:
    """What of a frame of the IP stack goes out on a board with this fault."""
    firmware = Firmware(config=fault.configure(FirmwareConfig()))
    firmware.boot("POWERON", 0)
    firmware.netif_started(0)
    now_ms = settled(firmware, 2000)
    firmware.mounted(now_ms)
    now_ms = settled(firmware, 4000)
    (sent,) = [each.frame for each in firmware.send_frame(frame, now_ms) if isinstance(each, TransmitFrame)]
    return sent


def settled(firmware: Firmware, until_ms: int) -> int:
    """Milliseconds, when all is done that is due until then."""
    while (due_ms := firmware.deadline_ms) is not None and due_ms <= until_ms:
        firmware.wake(due_ms)
    return until_ms
