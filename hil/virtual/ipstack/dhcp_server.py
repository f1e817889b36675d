"""ESP-IDF's DHCP server as a pure machine: a message in, the message that the ESP would send back out.

Written after ``components/lwip/apps/dhcpserver/dhcpserver.c`` of ESP-IDF 5.x (``parse_msg``, ``parse_options``,
``add_offer_options``, ``dhcps_tmr``), with what is peculiar to it kept:

* option 55 is not read; every OFFER and ACK carries the same options in the same order; there is no T1 or T2;
* nothing is probed by ARP before an address is offered;
* a reply is made in the buffer of the request: secs, flags, ciaddr, siaddr and giaddr come back unchanged;
* a NAK carries the message type and nothing else, so no server identifier (option 54);
* REQUEST is judged by option 50 alone, whatever server identifier it names; without option 50 it is a renewal;
* addresses are given in ascending order: the one after the last given, and the lowest free one after the end;
* a DECLINE is ignored, the address stays with its client; once a second, when more than eight hold a lease, the
  one that expires first is dropped.
"""

from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, IPv4Network

from hil.clock import NS_PER_S
from hil.wire.dhcp import (
    ACK,
    BOOTREPLY,
    CLIENT_PORT,
    DECLINE,
    DISCOVER,
    NAK,
    OFFER,
    RELEASE,
    REQUEST,
    SERVER_PORT,
    DhcpMessage,
)
from hil.wire.ethernet import BROADCAST, ETHERTYPE_IPV4, EthernetFrame
from hil.wire.ipv4 import PROTOCOL_UDP, Ipv4Packet
from hil.wire.udp import UdpDatagram

MAX_STATIONS = 8
"""CONFIG_LWIP_DHCPS_MAX_STATION_NUM, its default."""
LEASE_UNIT_S = 60
"""CONFIG_LWIP_DHCPS_LEASE_UNIT, its default: leases are whole multiples of it."""
REPLY_LENGTH = 548
"""``sizeof(struct dhcps_msg)``: no reply is shorter."""
BROADCAST_FLAG = 0x8000
UNSET = "0.0.0.0"
EVERYONE = "255.255.255.255"


@dataclass(frozen=True, slots=True)
class DhcpPool:
    """What the firmware tells its server."""

    server: str
    prefix: int
    first: str
    last: str
    lease_s: int = LEASE_UNIT_S
    router: str = UNSET
    """Option 3; left out of replies where it is 0.0.0.0."""
    dns: str = UNSET
    """Option 6; the server's own address where it is 0.0.0.0 (CONFIG_LWIP_DHCPS_ADD_DNS)."""
    captive_portal: bytes = b""
    """Option 114, a URI; left out where it is empty."""


@dataclass(slots=True)
class Lease:
    mac: str
    address: int
    expires_ns: int


@dataclass(slots=True)
class DhcpServer:
    """One server with its leases; a stop is forgetting the object, as ``dhcps_stop`` frees the list."""

    pool: DhcpPool
    started_ns: int
    leases: list[Lease] = field(default_factory=list)
    """Ascending by address."""
    _next: int = 0
    _seconds: int = 0

    def __post_init__(self) -> None:
        self._next = self._first

    @property
    def _first(self) -> int:
        return int(IPv4Address(self.pool.first))

    @property
    def _last(self) -> int:
        return int(IPv4Address(self.pool.last))

    def receive(self, message: DhcpMessage, now_ns: int) -> DhcpMessage | None:
        """The reply to ``message``, or None where the server stays silent."""
        self._tick(now_ns)
        expires_ns = now_ns + self.pool.lease_s * NS_PER_S
        lease = self._of(message.chaddr)
        renewing = lease is not None and str(IPv4Address(lease.address)) == message.ciaddr
        if lease is None:
            address = self._choose()
            if address > self._last:
                self._next = self._first
                return self._nak(message, address)
            lease = self._insert(message.chaddr, address, expires_ns)
        lease.expires_ns = expires_ns
        return self._answer(message, lease, renewing)

    def _answer(self, message: DhcpMessage, lease: Lease, renewing: bool) -> DhcpMessage | None:
        """Option 50 decides wherever it is present, even in an INFORM; only then comes the message type."""
        kind = message.message_type
        requested = message.address_option(50)
        if kind == DISCOVER:
            return self._grant(OFFER, message, lease)
        if kind == DECLINE or (kind not in {REQUEST, RELEASE} and requested is None):
            return None
        granted = renewing if requested is None else requested == str(IPv4Address(lease.address))
        if granted and kind != RELEASE:
            return self._grant(ACK, message, lease)
        self.leases.remove(lease)
        return None if kind == RELEASE else self._nak(message, 0)

    def _grant(self, kind: int, message: DhcpMessage, lease: Lease) -> DhcpMessage:
        options = ((53, bytes([kind])), *self._options())
        return replace(message, op=BOOTREPLY, yiaddr=str(IPv4Address(lease.address)), options=options)

    def _nak(self, message: DhcpMessage, address: int) -> DhcpMessage:
        return replace(message, op=BOOTREPLY, yiaddr=str(IPv4Address(address)), options=((53, bytes([NAK])),))

    def _options(self) -> tuple[tuple[int, bytes], ...]:
        pool = self.pool
        network = IPv4Network(f"{pool.server}/{pool.prefix}", strict=False)
        server = IPv4Address(pool.server).packed
        dns = server if pool.dns == UNSET else IPv4Address(pool.dns).packed
        wanted = (
            (1, network.netmask.packed),
            (51, pool.lease_s.to_bytes(4, "big")),
            (54, server),
            (3, b"" if pool.router == UNSET else IPv4Address(pool.router).packed),
            (6, dns),
            (28, network.broadcast_address.packed),
            (26, (1500).to_bytes(2, "big")),
            (114, pool.captive_portal),
            (31, b"\x00"),
            (43, bytes.fromhex("010400000002")),
        )
        return tuple(option for option in wanted if option[1])

    def _of(self, mac: str) -> Lease | None:
        """The client's lease; on the way to it the search moves the next address past those in use."""
        for lease in self.leases:
            if lease.mac == mac:
                return lease
            if lease.address == self._next:
                self._next += 1
        return None

    def _choose(self) -> int:
        if not self.leases:
            return self._first
        if self._next <= self._last:
            return self._next
        lowest = self._first
        for lease in self.leases:
            if lowest < lease.address:
                break
            lowest += 1
        return lowest

    def _insert(self, mac: str, address: int, expires_ns: int) -> Lease:
        lease = Lease(mac, address, expires_ns)
        self.leases.append(lease)
        self.leases.sort(key=lambda each: each.address)
        self._next = self._first if address == self._last else address + 1
        return lease

    def _tick(self, now_ns: int) -> None:
        """What the one-second timer would have done by now."""
        seconds = (now_ns - self.started_ns) // NS_PER_S
        if seconds == self._seconds:
            return
        self._seconds = seconds
        self.leases = [lease for lease in self.leases if lease.expires_ns > now_ns]
        if len(self.leases) > MAX_STATIONS:
            self.leases.remove(min(self.leases, key=lambda lease: lease.expires_ns))


def destination(reply: DhcpMessage) -> tuple[str, str]:
    """MAC and IP address that a reply is sent to (``dhcps_response_ip_set``, ``send_nak``; RFC 2131 section 4.1).

    CONFIG_LWIP_DHCPS_STATIC_ENTRIES, on by default, lets the server send to an address that answers no ARP yet.
    """
    if reply.giaddr != UNSET:
        return reply.chaddr, reply.giaddr
    if reply.message_type == NAK:
        return BROADCAST, EVERYONE
    if reply.ciaddr != UNSET:
        return reply.chaddr, reply.ciaddr
    if reply.flags & BROADCAST_FLAG:
        return BROADCAST, EVERYONE
    return reply.chaddr, reply.yiaddr


def reply_frame(reply: DhcpMessage, server_mac: str, server: str) -> bytes:
    """The Ethernet frame that carries ``reply``; no ARP precedes it, whoever it is for."""
    mac, address = destination(reply)
    payload = reply.pack().ljust(REPLY_LENGTH, b"\0")
    datagram = UdpDatagram(SERVER_PORT, CLIENT_PORT, payload).pack(server, address)
    packet = Ipv4Packet(server, address, PROTOCOL_UDP, datagram).pack()
    return EthernetFrame(mac, server_mac, ETHERTYPE_IPV4, packet).pack()
