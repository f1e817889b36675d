"""Transfers of one board, from the binary interface of usbmon (Documentation/usb/usbmon.rst).

The device number changes with each enumeration and is known only when the uevent has come, after the first control
transfers. So those of devices that belong to nobody yet are held for a while, in memory, and told once the number is
the board's.
"""

import errno
import fcntl
import os
import struct
from array import array
from collections import deque
from collections.abc import Callable
from typing import Any

from hil.capture.boards import CapturedBoard
from hil.capture.source import Moment, RealtimeMap, Source
from hil.clock import NS_PER_MS, NS_PER_S, to_s
from hil.errors import WireError
from hil.timeline import events
from hil.timeline.events import Event
from hil.wire.cdc import ConnectionSpeedChange, NetworkConnection, SerialState, parse_notification
from hil.wire.usb import SetupPacket
from hil.wire.usbmon import BULK, COMPLETED, CONTROL, FAILED, HEADER_LENGTH, INTERRUPT, UsbmonPacket

MON_IOCG_STATS = 0x80089203
"""_IOR(0x92, 3, struct mon_bin_stats)."""
MON_IOCT_RING_SIZE = 0x9204
MON_IOCX_GETX = 0x4018920A if struct.calcsize("P") == 8 else 0x400C920A
"""_IOW(0x92, 10, struct mon_bin_get): the header of 64 bytes and no more data than there is room for."""
RING_OCTETS = 1_228_800
"""BUFF_MAX of drivers/usb/mon/mon_bin.c."""
DATA_LENGTH = 512
"""Bytes of each transfer that are looked at; what NCM carries is seen by the packet channel."""

PACKETS_A_ROUND = 512
HELD = 512
"""Packets of devices that belong to nobody yet."""
LOOK_NS = 100 * NS_PER_MS
"""After a packet was held, the board's address is looked at so much later even if no other packet comes."""
URBS_KEPT = 256
STAMP_ERR_NS = 1_000
"""usbmon stamps in whole microseconds."""
SHOWN = 64
"""Bytes of a data stage that an event holds."""
ENDED_BY_HOST = (-errno.ENOENT, -errno.ECONNRESET, -errno.ESHUTDOWN)
"""The host has taken the transfer back; nothing has failed."""

Fetch = Callable[[], bytes | None]
"""The next packet, header and data; None where there is none; OSError where the channel is dead."""


def ring_reader(fd: int) -> Fetch:
    """Fetches from /dev/usbmonN, whose ring it makes as large as the kernel allows."""
    header, data = array("B", bytes(HEADER_LENGTH)), array("B", bytes(DATA_LENGTH))
    request = struct.pack("PPN", header.buffer_info()[0], data.buffer_info()[0], DATA_LENGTH)
    os.set_blocking(fd, False)
    fcntl.ioctl(fd, MON_IOCT_RING_SIZE, RING_OCTETS)

    def fetch() -> bytes | None:
        try:
            fcntl.ioctl(fd, MON_IOCX_GETX, request)
        except BlockingIOError:
            return None
        captured = int.from_bytes(header[36:40].tobytes(), "little")
        return header.tobytes() + data[: min(captured, DATA_LENGTH)].tobytes()

    return fetch


def ring_losses(fd: int) -> int:
    """Packets for which the ring had no room since this was last asked."""
    _, dropped = struct.unpack("II", fcntl.ioctl(fd, MON_IOCG_STATS, bytes(8)))
    return int(dropped)


class UsbmonSource(Source):
    """One bus, filtered to one board; bulk transfers are counted, a second at a time."""

    channel = "usbmon"

    def __init__(self, fd: int, board: CapturedBoard, bus: int, fetch: Fetch, losses: Callable[[], int]) -> None:
        """
        Args:
            fd: what becomes readable when ``fetch`` has something; owned.
            board: its ``address`` is looked at for every packet.
            bus: number of the bus that is listened to.
            fetch: reads one packet.
            losses: packets lost since it was last called.
        """
        super().__init__(fd, board.name)
        self._board = board
        self._bus = bus
        self._fetch = fetch
        self._losses = losses
        self._clock = RealtimeMap()
        self._read_ns = self.since_ns
        self._submitted: dict[int, UsbmonPacket] = {}
        self._held: deque[tuple[UsbmonPacket, Moment]] = deque(maxlen=HELD)
        self._address: tuple[int, int] | None = None
        self._bulk: dict[int, list[int]] = {}

    def read(self, now: Moment) -> list[Event]:
        self._clock.refresh()
        found = self._recognised()
        self.more = False
        for _ in range(PACKETS_A_ROUND):
            try:
                data = self._fetch()
            except OSError as error:
                self.ended = True
                return [*found, self.gap(now, f"usbmon of bus {self._bus}: {error.strerror}")]
            if data is None:
                break
            found += self._packet(data, now)
        else:
            self.more = True
        return found + self._lost(now)

    def _lost(self, now: Moment) -> list[Event]:
        since_ns, self._read_ns = self._read_ns, now.t_ns
        lost = self._losses()
        return [self.gap(now, f"usbmon's ring lost {lost} packets", to_s(now.t_ns - since_ns))] if lost else []

    def _packet(self, data: bytes, now: Moment) -> list[Event]:
        try:
            packet = UsbmonPacket.parse(data)
        except WireError as error:
            return [self.gap(now, f"usbmon: {error}", 0.0)]
        mapped = self._clock.moment(packet.t_realtime_ns, now)
        moment = Moment(mapped.t_ns, mapped.err_ns + STAMP_ERR_NS)
        if (self._bus, packet.device) == self._board.address:
            return [*self._recognised(), *self._told(packet, moment)]
        if packet.transfer_type == CONTROL:
            self._held.append((packet, moment))
            self.deadline_ns = self.deadline_ns or now.t_ns + LOOK_NS
        return []

    def _recognised(self) -> list[Event]:
        """What was held for an address that has become the board's."""
        if self._address == self._board.address:
            return []
        self._address = self._board.address
        held = [(packet, moment) for packet, moment in self._held if (self._bus, packet.device) == self._address]
        self._held.clear()
        return [event for packet, moment in held for event in self._told(packet, moment)]

    def _told(self, packet: UsbmonPacket, moment: Moment) -> list[Event]:
        """The events of one packet of the board."""
        if packet.type not in (COMPLETED, FAILED):
            if packet.has_setup:
                self._remember(packet)
            return []
        if packet.transfer_type == CONTROL:
            return self._control(packet, moment)
        stamp = moment.stamp(self.board, self.channel)
        if packet.status != 0:
            taken_back = packet.status in ENDED_BY_HOST
            return [] if taken_back else [events.UsbTransferFailed(packet.endpoint, packet.status, **stamp)]
        if packet.transfer_type == INTERRUPT and packet.is_in:
            return _notification(packet, stamp)
        if packet.transfer_type == BULK:
            self._count(packet, moment)
        return []

    def _remember(self, packet: UsbmonPacket) -> None:
        self._submitted.pop(packet.id, None)
        self._submitted[packet.id] = packet
        if len(self._submitted) > URBS_KEPT:
            del self._submitted[next(iter(self._submitted))]

    def _control(self, packet: UsbmonPacket, moment: Moment) -> list[Event]:
        """A control transfer that ended; only its submission carries the SETUP packet."""
        submitted = self._submitted.pop(packet.id, None)
        if submitted is None:
            return []
        setup = SetupPacket.parse(submitted.setup)
        data = (packet.payload if setup.is_in else submitted.payload)[:SHOWN].hex()
        took_s = to_s(max(0, packet.t_realtime_ns - submitted.t_realtime_ns))
        about = (setup.name, setup.value, setup.index, setup.length, packet.status, data, took_s)
        return [events.UsbControl(*about, **moment.stamp(self.board, self.channel))]

    def _count(self, packet: UsbmonPacket, moment: Moment) -> None:
        if not self._bulk:
            self.deadline_ns = moment.t_ns + NS_PER_S
        transfers = self._bulk.setdefault(packet.endpoint, [0, 0])
        transfers[0] += 1
        transfers[1] += packet.length

    def wake(self, now: Moment) -> list[Event]:
        self.deadline_ns = None
        return [*self._recognised(), *self._counts(now)]

    def finish(self, now: Moment) -> list[Event]:
        return self._counts(now)

    def _counts(self, now: Moment) -> list[Event]:
        counts, self._bulk = self._bulk, {}
        stamp = now.stamp(self.board, self.channel)
        return [events.UsbBulkCount(endpoint, *moved, **stamp) for endpoint, moved in sorted(counts.items())]


def _notification(packet: UsbmonPacket, stamp: dict[str, Any]) -> list[Event]:
    """The event of a CDC notification; nothing for what another class sends on its interrupt endpoint."""
    try:
        notification = parse_notification(packet.payload)
    except WireError:
        return []
    match notification:
        case NetworkConnection(interface, connected):
            return [events.UsbNotification("NETWORK_CONNECTION", int(connected), interface, **stamp)]
        case ConnectionSpeedChange(interface, downstream, _):
            return [events.UsbNotification("CONNECTION_SPEED_CHANGE", downstream, interface, **stamp)]
        case SerialState(interface, bits):
            return [events.UsbNotification("SERIAL_STATE", bits, interface, **stamp)]
