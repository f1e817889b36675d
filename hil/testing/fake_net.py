"""A board's interface as a persona sees it: its frames, its link messages and the agent's calls, over socketpairs."""

import errno
import os
import queue
import socket
import struct
import threading

from msgspec.structs import replace

from hil.clock import Deadline
from hil.errors import AgentError, HarnessError
from hil.timeline.events import Event
from hil.timeline.matching import matches
from hil.wire import dhcp
from hil.wire.addresses import ipv4_bytes
from hil.wire.rtnetlink import IFF_LOWER_UP, IFF_UP, RTM_NEWLINK

HOST_MAC = "02:02:11:22:33:01"
BOARD_MAC = "02:02:11:22:33:02"
BOARD_IP = "192.168.7.1"
LEASED = "192.168.7.2"
WITHIN_S = 5.0
PACKET_HOST, PACKET_OUTGOING = 0, 4
_RTM_DELLINK = RTM_NEWLINK + 1
_ARPHRD_ETHER = 1


def link_message(index: int, name: str, mac: str, *, carrier: bool, deleted: bool = False) -> bytes:
    """RTM_NEWLINK or RTM_DELLINK: nlmsghdr, ifinfomsg, IFLA_ADDRESS, IFLA_IFNAME (linux/rtnetlink.h, if_link.h)."""
    flags = (0 if deleted else IFF_UP) | (IFF_LOWER_UP if carrier else 0)
    body = struct.pack("=BxHiII", 0, _ARPHRD_ETHER, index, flags, 0)
    for kind, value in ((1, bytes.fromhex(mac.replace(":", ""))), (3, name.encode() + b"\0")):
        body += struct.pack("=HH", 4 + len(value), kind) + value + b"\0" * (-len(value) % 4)
    kind = _RTM_DELLINK if deleted else RTM_NEWLINK
    return struct.pack("=IHHII", 16 + len(body), kind, 0, 0, 0) + body


def dhcp_reply(
    kind: int,
    to: dhcp.DhcpMessage,
    address: str = LEASED,
    lease_s: int = 60,
    *,
    server: str = BOARD_IP,
    mask: str = "255.255.255.0",
    router: str = "",
    mac: str = BOARD_MAC,
) -> bytes:
    """An answer to ``to`` as a frame; what is '' or 0 is left out, and a NAK carries the server alone."""
    given = {
        dhcp.OPTION_SUBNET_MASK: ipv4_bytes(mask) if mask else b"",
        dhcp.OPTION_ROUTER: ipv4_bytes(router) if router else b"",
        dhcp.OPTION_LEASE_TIME: lease_s.to_bytes(4, "big") if lease_s else b"",
    }
    options = {dhcp.OPTION_MESSAGE_TYPE: bytes([kind]), dhcp.OPTION_SERVER_ID: ipv4_bytes(server) if server else b""}
    if kind == dhcp.NAK:
        address = "0.0.0.0"
    else:
        options |= given
    message = dhcp.DhcpMessage(
        op=dhcp.BOOTREPLY,
        xid=to.xid,
        chaddr=to.chaddr,
        yiaddr=address,
        options=tuple((code, value) for code, value in options.items() if value),
    )
    return dhcp.frame(message, mac, HOST_MAC, server or BOARD_IP, "255.255.255.255")


class FakePacketSocket:
    """What a persona uses of an AF_PACKET socket, over one end of a socketpair."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self.arrives_on = "usb0"
        self.kind = PACKET_HOST
        self.gone = False
        """Sending fails as on an interface that has left."""
        self.closed = False

    def fileno(self) -> int:
        return self._end.fileno()

    def recvfrom(self, bufsize: int, /) -> tuple[bytes, tuple[str, int, int, int, bytes]]:
        return self._end.recv(bufsize), (self.arrives_on, 0x0800, self.kind, 1, b"")

    def sendto(self, data: bytes, address: tuple[str, int], /) -> int:
        if self.gone:
            raise OSError(errno.ENXIO, os.strerror(errno.ENXIO))
        return self._end.send(data)

    def close(self) -> None:
        self.closed = True
        self._end.close()


class FakeNet:
    """The agent of one board's namespace, and the test's side of its sockets; close it after the persona."""

    def __init__(self) -> None:
        near, self.far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.route, self.kernel = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        for end in (self.far, self.kernel):
            end.settimeout(WITHIN_S)
        self.packets = FakePacketSocket(near)
        self.calls: list[tuple[str, ...]] = []
        self.alive = True
        self.broken: AgentError | None = None
        """What changes of the interface raise."""
        self.no_route: HarnessError | None = None
        """What opening the route socket raises."""
        self.may_set = threading.Event()
        """set_address returns once this is set, as it is."""
        self.may_set.set()
        self.setting = threading.Event()
        """set_address was called."""
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self.recorded: list[Event] = []

    def close(self) -> None:
        for end in (self.packets, self.route, self.far, self.kernel):
            end.close()

    # ---- the agent -------------------------------------------------------------------------------

    def boards_known(self) -> list[str]:
        if not self.alive:
            raise AgentError("boards_known: the agent is gone: it closed the connection")
        return ["s3-a"]

    def open_packet_socket(self, board: str) -> FakePacketSocket:
        return self.packets

    def open_route_socket(self, board: str) -> socket.socket:
        if self.no_route is not None:
            raise self.no_route
        return self.route

    def set_address(self, board: str, address: str, prefix: int, router: str = "") -> None:
        self.calls.append(("set_address", board, f"{address}/{prefix}", router))
        self.setting.set()
        if not self.may_set.wait(WITHIN_S):
            raise AgentError("set_address: the test never let it go on")
        self._check()

    def clear_address(self, board: str) -> None:
        self.calls.append(("clear_address", board))
        self._check()

    def _check(self) -> None:
        self.boards_known()
        if self.broken is not None:
            raise self.broken

    # ---- the timeline ----------------------------------------------------------------------------

    def record(self, event: Event) -> Event:
        """Takes what the persona causes; its time is of no matter here."""
        self.recorded.append(event)
        self._events.put(replace(event, t_ns=0, t_err_ns=0))
        return event

    def until(self, pattern: Event) -> Event:
        """The next event that matches ``pattern``; those before it are passed over.

        Raises:
            queue.Empty: it does not come within 5 s.
        """
        deadline = Deadline(WITHIN_S)
        while True:
            event = self._events.get(timeout=deadline.left_s)
            if matches(pattern, event):
                return event

    # ---- the board and the kernel ----------------------------------------------------------------

    def link(self, carrier: bool, index: int = 2, mac: str = HOST_MAC, deleted: bool = False) -> None:
        """The kernel tells of the interface usb0."""
        self.kernel.send(link_message(index, "usb0", mac, carrier=carrier, deleted=deleted))

    def asked(self) -> dhcp.DhcpMessage:
        """The next frame of the persona, which is a DHCP message."""
        message = dhcp.from_frame(self.far.recv(65536))
        assert message is not None
        return message

    def answer(self, kind: int, to: dhcp.DhcpMessage) -> None:
        """The board's answer arrives."""
        self.far.send(dhcp_reply(kind, to))

    def grant(self) -> None:
        """The board grants what is asked: DISCOVER, OFFER, REQUEST, ACK, or the last two alone."""
        message = self.asked()
        if message.message_type == dhcp.DISCOVER:
            self.answer(dhcp.OFFER, message)
            message = self.asked()
        assert message.message_type == dhcp.REQUEST
        self.answer(dhcp.ACK, message)
