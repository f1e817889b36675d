"""Frames of a packet socket: raw into <board>.pcapng, decoded into events, with the kernel's own time.

The kernel takes a VLAN tag out of a received frame and hands it over beside it (net/packet/af_packet.c,
``packet_recvmsg``, PACKET_AUXDATA); it is put back before anything looks at the frame.
"""

import socket
import struct
from typing import Any

from hil.capture.frames import decode
from hil.capture.recorder import write_all
from hil.capture.source import Moment, RealtimeMap, Source
from hil.clock import NS_PER_S, to_s
from hil.timeline.events import Event, MalformedFrame
from hil.wire import pcapng

SO_TIMESTAMPNS = 35
"""include/uapi/asm-generic/socket.h; also the type of the control message."""
SOL_PACKET = 263
PACKET_STATISTICS = 6
PACKET_AUXDATA = 8
ARPHRD_LOOPBACK = 772
PACKET_OUTGOING = 4
STATUS_CHECKSUM_NOT_READY = 1 << 3
STATUS_VLAN_VALID = 1 << 4
STATUS_VLAN_TPID_VALID = 1 << 6
"""include/uapi/linux/if_packet.h, TP_STATUS_*."""
TIMESPEC = struct.Struct("@ll")
AUXDATA = struct.Struct("=IIIHHHH")
"""struct tpacket_auxdata: status, len, snaplen, mac, net, vlan_tci, vlan_tpid."""
STATISTICS = struct.Struct("=II")
TAG = struct.Struct(">HH")

LONGEST_FRAME = 65_550
FRAMES_A_ROUND = 256
"""After so many the other sources have their turn."""

Received = tuple[bytes, list[tuple[int, int, bytes]], int, Any]
"""What ``socket.recvmsg`` returns."""
NO_ADDRESS = ("", 0, 0, 0, b"")


class PacketSource(Source):
    """All frames on all interfaces of a board's namespace, loopback left out."""

    channel = "packet"

    def __init__(self, packets: socket.socket, board: str, pcap_fd: int) -> None:
        super().__init__(packets.fileno(), board)
        self._socket = packets
        self._pcap_fd = pcap_fd
        self._clock = RealtimeMap()
        self._is_packet_socket = packets.family == socket.AF_PACKET
        self._read_ns = self.since_ns
        packets.setblocking(False)
        if self._is_packet_socket:
            packets.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
            packets.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        write_all(pcap_fd, pcapng.section_header() + pcapng.interface_description(board))

    def read(self, now: Moment) -> list[Event]:
        self._clock.refresh()
        found: list[Event] = []
        stored: list[bytes] = []
        self.more = False
        for _ in range(FRAMES_A_ROUND):
            try:
                received = self._socket.recvmsg(LONGEST_FRAME, 256)
            except BlockingIOError:
                break
            except OSError as error:
                # ENETDOWN once when an interface goes down (af_packet.c, packet_notifier); the socket stays usable.
                found.append(self.gap(now, f"packet socket: {error.strerror}", 0.0))
                break
            if not received[0] and not self._is_packet_socket:
                self.ended = True
                break
            frame = self._frame(received, now)
            if frame is not None:
                stored.append(frame[0])
                found.append(frame[1])
        else:
            self.more = True
        write_all(self._pcap_fd, b"".join(stored))
        return found + self._lost(now)

    def _frame(self, received: Received, now: Moment) -> tuple[bytes, Event] | None:
        """The pcapng block and the event of what was received; None for loopback."""
        data, ancillary, flags, address = received
        _, _, kind, hardware, _ = address if isinstance(address, tuple) and len(address) == 5 else NO_ADDRESS
        if hardware == ARPHRD_LOOPBACK:
            return None
        real_ns, status, tag = _control(ancillary)
        moment = self._clock.moment(real_ns, now) if real_ns else now
        frame = data[:12] + tag + data[12:] if tag else data
        sender, direction = ("host", pcapng.OUTBOUND) if kind == PACKET_OUTGOING else ("board", pcapng.INBOUND)
        block = pcapng.enhanced_packet(0, real_ns or self._clock.real_ns(now), frame, direction)
        stamp = moment.stamp(self.board, self.channel)
        if flags & socket.MSG_TRUNC:
            text = f"longer than the {LONGEST_FRAME} bytes that are kept"
            return block, MalformedFrame(sender, len(frame), text, **stamp)
        return block, decode(frame, sender, stamp, not status & STATUS_CHECKSUM_NOT_READY)

    def _lost(self, now: Moment) -> list[Event]:
        """A gap where the kernel had no room for frames since the last reading."""
        since_ns, self._read_ns = self._read_ns, now.t_ns
        if not self._is_packet_socket:
            return []
        _, drops = STATISTICS.unpack(self._socket.getsockopt(SOL_PACKET, PACKET_STATISTICS, STATISTICS.size))
        if not drops:
            return []
        return [self.gap(now, f"the kernel dropped {drops} frames", to_s(now.t_ns - since_ns))]

    def close(self) -> None:
        self._socket.close()
        self._fd = -1


def _control(ancillary: list[tuple[int, int, bytes]]) -> tuple[int, int, bytes]:
    """CLOCK_REALTIME in ns or 0, the status bits, and the VLAN tag that was taken out, or b''."""
    real_ns, status, tag = 0, 0, b""
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS) and len(data) >= TIMESPEC.size:
            seconds, nanoseconds = TIMESPEC.unpack_from(data)
            real_ns = seconds * NS_PER_S + nanoseconds
        elif (level, kind) == (SOL_PACKET, PACKET_AUXDATA) and len(data) >= AUXDATA.size:
            status, _, _, _, _, tci, tpid = AUXDATA.unpack_from(data)
            if status & STATUS_VLAN_VALID:
                tag = TAG.pack(tpid if status & STATUS_VLAN_TPID_VALID else 0x8100, tci)
    return real_ns, status, tag
