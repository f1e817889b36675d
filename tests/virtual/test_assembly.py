"""The virtual board on the kernel's own USB stack: the process, its control socket, and what the host sees."""

import ctypes
import fcntl
import os
import signal
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from hil.clock import Deadline, MonotonicClock
from hil.virtual.ipstack.netns import CLONE_NEWNET, NAMES
from hil.wire.arp import REPLY as ARP_REPLY
from hil.wire.arp import REQUEST as ARP_REQUEST
from hil.wire.arp import ArpPacket
from hil.wire.dhcp import ACK, BOOTREQUEST, DISCOVER, OFFER, REQUEST, DhcpMessage, frame, from_frame
from hil.wire.ethernet import BROADCAST, ETHERTYPE_ARP, EthernetFrame
from tests.virtual.board_process import DEVICES, WITHIN_S, BoardProcess, entries, wait

pytestmark = pytest.mark.vhci

RIVAL = "02:00:00:00:00:99"
SIOCGIFFLAGS, SIOCSIFFLAGS = 0x8913, 0x8914
ETH_P_ALL = 3
BAD = """from hil.virtual.faults import Fault
class Bad(Fault):
    def control(self, setup, answer):
        1 / 0
"""


class Board(BoardProcess):
    """With what its host makes of it."""

    def netif(self) -> str:
        """Name of its interface, '' while there is none."""
        found = entries(DEVICES / f"{self.places.usb}:1.2" / "net")
        return found[0] if found else ""

    def tty(self, interface: str = "usb") -> bool:
        return bool(entries(DEVICES / f"{getattr(self.places, interface)}:1.0" / "tty"))

    def netif_up(self) -> str:
        """Its interface, once it is there and up; udev may rename it meanwhile."""

        def attempt() -> str:
            name = self.netif()
            return name if name and set_up(name) else ""

        return wait(attempt)

    def carrier(self) -> bool:
        try:
            return Path("/sys/class/net", self.netif(), "carrier").read_text() == "1\n"
        except OSError:
            return False


def set_up(name: str) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        try:
            answer = fcntl.ioctl(control, SIOCGIFFLAGS, struct.pack("16sh22x", name.encode(), 0))
            flags = struct.unpack_from("h", answer, 16)[0] | 1
            fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sh22x", name.encode(), flags))
        except OSError:
            return False
    return True


def lease(name: str) -> DhcpMessage:
    """DISCOVER, OFFER, REQUEST, ACK by raw frames: the ACK."""
    mac = Path("/sys/class/net", name, "address").read_text().strip()
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL)) as wire:
        wire.bind((name, 0))
        wire.settimeout(WITHIN_S)
        offer = exchange(wire, DhcpMessage(BOOTREQUEST, 7, mac, options=((53, bytes([DISCOVER])),)), OFFER)
        wanted = bytes(int(part) for part in offer.yiaddr.split("."))
        return exchange(wire, DhcpMessage(BOOTREQUEST, 7, mac, options=((53, bytes([REQUEST])), (50, wanted))), ACK)


def exchange(wire: socket.socket, message: DhcpMessage, kind: int) -> DhcpMessage:
    wire.send(frame(message, message.chaddr, BROADCAST, "0.0.0.0", "255.255.255.255"))
    deadline = Deadline(WITHIN_S)
    while not deadline.passed:
        found = from_frame(wire.recv(2048))
        if found is not None and found.message_type == kind:
            return found
    raise AssertionError(f"no DHCP message of type {kind}")


def fetch(namespace: str, address: str, path: str) -> bytes:
    """One GET from inside a namespace, by a process of its own, as entering it is for good."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        descriptor = os.open(NAMES / namespace, os.O_RDONLY)
        ctypes.CDLL(None).setns(descriptor, CLONE_NEWNET)
        with socket.create_connection((address, 80), WITHIN_S) as client:
            client.sendall(f"GET {path} HTTP/1.1\r\n\r\n".encode())
            os.write(write, client.recv(4096))
        os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as answer:
        data = answer.read()
    os.waitpid(child, 0)
    return data


@pytest.fixture
def board() -> Iterator[Board]:
    """A board without power."""
    made = Board("vm-a")
    yield made
    assert made.close() == 0


def test_a_plugged_board_has_a_port_an_interface_and_a_lease(board: Board) -> None:
    """cdc_acm and cdc_ncm bind, the link comes up, DHCP gives 192.168.7.2, and the console is there all the time."""
    assert wait(lambda: board.tty("console"))
    board.ask("plug")
    assert wait(board.tty)
    name = board.netif_up()
    assert wait(board.carrier)
    assert lease(board.netif() or name).yiaddr == "192.168.7.2"
    assert board.ask("state")["mounted"]


def arp_of_the_board(wire: socket.socket, count: int) -> list[tuple[float, ArpPacket]]:
    """So many ARP packets of the other end, each with the second at which it came."""
    clock, seen = MonotonicClock(), []
    while len(seen) < count:
        data, place = wire.recvfrom(2048)
        if place[2] != socket.PACKET_OUTGOING and data[12:14] == b"\x08\x06":
            seen.append((clock.now_ns() / 1e9, ArpPacket.parse(EthernetFrame.parse(data).payload)))
    return seen


def send_arp(wire: socket.socket, op: int, sender: str, target: str) -> None:
    packet = ArpPacket(op, RIVAL, sender, "00:00:00:00:00:00", target)
    wire.send(EthernetFrame(BROADCAST, RIVAL, ETHERTYPE_ARP, packet.pack()).pack())


def test_a_static_address_is_probed_announced_answered_and_given_up() -> None:
    """The kernel's own NCM driver hears three probes and two announcements; the address answers from the first one on,
    is defended once, and given up at the second conflict."""
    made = Board("vm-s", firmware={"role": "static", "silence_ignored": 1})
    made.ask("plug")
    name = made.netif_up()
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL)) as wire:
        wire.bind((name, 0))
        wire.settimeout(WITHIN_S)
        heard = arp_of_the_board(wire, 4)
        assert [(each.op, each.sender_ip, each.target_ip) for _, each in heard] == [
            *[(ARP_REQUEST, "0.0.0.0", "192.168.7.1")] * 3,
            (ARP_REQUEST, "192.168.7.1", "192.168.7.1"),
        ]
        assert heard[3][0] - heard[2][0] > 1.5
        send_arp(wire, ARP_REQUEST, "192.168.7.9", "192.168.7.1")
        answers = [each for _, each in arp_of_the_board(wire, 2)]
        assert {(each.op, each.sender_ip) for each in answers} == {
            (ARP_REPLY, "192.168.7.1"),
            (ARP_REQUEST, "192.168.7.1"),
        }
        for expected in (("192.168.7.1", "192.168.7.1"), ("0.0.0.0", "192.168.7.1")):
            send_arp(wire, ARP_REPLY, "192.168.7.1", "192.168.7.1")
            ((_, answer),) = arp_of_the_board(wire, 1)
            assert (answer.sender_ip, answer.target_ip) == expected
    assert made.close() == 0


def test_a_replugged_board_serves_again(board: Board) -> None:
    """The interface goes with the cable and comes back with it, and so does the lease."""
    for _ in range(2):
        board.ask("plug")
        board.netif_up()
        assert wait(board.carrier)
        assert lease(board.netif()).yiaddr == "192.168.7.2"
        board.ask("unplug")
        wait(lambda: not board.netif())
        assert board.tty("console")
    assert board.ask("state")["boots"] == 2


def test_the_fallback_address_answers_while_the_board_has_power(board: Board) -> None:
    """From its LAN the board's status is read without touching USB."""
    board.ask("plug")
    wait(lambda: board.ask("state")["uptime_ms"] > 2000)
    answer = fetch(board.places.lan, board.places.address, "/status")
    assert answer.startswith(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")


def test_a_fault_that_raises_is_announced_and_ends_the_process(tmp_path: Path) -> None:
    """The control socket names file and line, and the exit status is 1."""
    path = tmp_path / "bad.py"
    path.write_text(BAD)
    made = Board("vm-bad", faults=[str(path)])
    made.ask("plug")
    assert made.read() == {"notify": "died", "error": f"fault bad: {path}:4: ZeroDivisionError: division by zero"}
    assert made.close() == 1


def test_a_killed_board_leaves_the_bus_and_frees_its_ports() -> None:
    """After SIGKILL the kernel drops both devices, and the next board gets the same ports."""
    first = Board("vm-k")
    first.ask("plug")
    wait(first.netif)
    first.process.send_signal(signal.SIGKILL)
    first.close()
    wait(lambda: not first.netif() and not first.tty("console"))
    second = Board("vm-k")
    assert (second.places.usb, second.places.console) == (first.places.usb, first.places.console)
    assert second.close() == 0
