"""rtnetlink of one namespace: link state, carrier and addresses, each told when it changes.

A datagram carries no kernel time. A carrier that changes is told later than it does: frames may have passed by then.
"""

import errno
import socket
from dataclasses import dataclass

from hil.capture.source import Moment, Source
from hil.clock import NS_PER_MS, to_s
from hil.errors import WireError
from hil.timeline.events import AddressRemoved, AddressSet, Carrier, Event, LinkChanged
from hil.whereabouts import emulated
from hil.wire import rtnetlink, rtnetlink_requests
from hil.wire.rtnetlink import Address, Link

LONGEST = 1 << 17
DATAGRAMS_A_ROUND = 64
LINK_WATCH_NS = 20 * NS_PER_MS
"""From netif_carrier_on to the datagram: a work item that takes the rtnl lock (Linux net/core/link_watch.c)."""
EMULATED_LINK_WATCH_NS = 250 * NS_PER_MS
"""The same where every instruction is emulated; 16 ms were met on two busy cores, and the lock is held far longer."""


@dataclass
class _Known:
    name: str
    up: bool
    operstate: str
    carrier: bool


class RouteSource(Source):
    """A NETLINK_ROUTE socket; asks once for what is there, loopback left out.

    Args:
        watch_ns: how much earlier than its datagram a carrier may have changed.
    """

    channel = "netlink"

    def __init__(self, route: socket.socket, board: str, watch_ns: int | None = None) -> None:
        super().__init__(route.fileno(), board)
        self._watch_ns = (EMULATED_LINK_WATCH_NS if emulated() else LINK_WATCH_NS) if watch_ns is None else watch_ns
        self._socket = route
        self._links: dict[int, _Known] = {}
        self._read_ns = self.since_ns
        route.setblocking(False)
        if route.family == socket.AF_NETLINK:
            route.send(rtnetlink_requests.dump_links())

    def read(self, now: Moment) -> list[Event]:
        found: list[Event] = []
        self.more = False
        for _ in range(DATAGRAMS_A_ROUND):
            try:
                data = self._socket.recv(LONGEST)
            except BlockingIOError:
                break
            except OSError as error:
                found += self._overrun(error, now)
                break
            if not data:
                self.ended = True
                break
            found += self._datagram(data, now)
        else:
            self.more = True
        self._read_ns = now.t_ns
        return found

    def _overrun(self, error: OSError, now: Moment) -> list[Event]:
        if error.errno == errno.ENOBUFS:
            self._socket.send(rtnetlink_requests.dump_links())
            return [self.gap(now, f"rtnetlink: {error.strerror}", to_s(now.t_ns - self._read_ns))]
        self.ended = True
        return [self.gap(now, f"rtnetlink: {error.strerror}")]

    def _datagram(self, data: bytes, now: Moment) -> list[Event]:
        try:
            messages = rtnetlink.parse(data)
        except WireError as error:
            return [self.gap(now, f"rtnetlink: {error}", 0.0)]
        return [event for message in messages for event in self._message(message, now)]

    def _message(self, message: Link | Address, now: Moment) -> list[Event]:
        stamp = now.stamp(self.board, self.channel)
        if isinstance(message, Link):
            return [] if message.loopback else self._link(message, now)
        known = self._links.get(message.index)
        if known is None:
            return []
        if message.deleted:
            return [AddressRemoved(message.address, known.name, **stamp)]
        return [AddressSet(message.address, message.prefix, known.name, **stamp)]

    def _link(self, link: Link, now: Moment) -> list[Event]:
        """What differs from the last message about this link; nothing is an event twice."""
        stamp = now.stamp(self.board, self.channel)
        watched = Moment(now.t_ns, now.err_ns + self._watch_ns).stamp(self.board, self.channel)
        before = self._links.pop(link.index, None)
        if link.deleted:
            return [Carrier(False, before.name, **stamp)] if before and before.carrier else []
        after = _Known(link.name, link.admin_up, link.operstate, link.carrier)
        self._links[link.index] = after
        found: list[Event] = []
        if before is None or (before.up, before.operstate) != (after.up, after.operstate):
            found.append(LinkChanged(after.name, after.up, after.operstate, **stamp))
        if before is None or before.carrier != after.carrier:
            found.append(Carrier(after.carrier, after.name, **(watched if before else stamp)))
        return found

    def close(self) -> None:
        self._socket.close()
        self._fd = -1
