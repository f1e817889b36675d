"""What may differ between hosts: the figures of RFC 2131 and RFC 3927 that every implementation chooses for itself."""

from dataclasses import dataclass, field

from hil.personas.states import REQUESTING
from hil.wire import dhcp


@dataclass(frozen=True, slots=True)
class Backoff:
    """When a message is sent again: ``delays_s`` in turn, the last one for ever, each randomised."""

    delays_s: tuple[float, ...]
    jitter_low_s: float = -1.0
    """RFC 2131 section 4.1: a uniform value between -1 and +1 second is added."""
    jitter_high_s: float = 1.0
    tries: int = 0
    """Messages sent before the client gives up; 0 never."""

    def delay_s(self, sent: int, dice: float) -> float:
        """Seconds to wait after the ``sent``-th message (1 is the first); ``dice`` is uniform in 0…1."""
        base = self.delays_s[min(sent, len(self.delays_s)) - 1]
        return max(0.1, base + self.jitter_low_s + dice * (self.jitter_high_s - self.jitter_low_s))


@dataclass(frozen=True, slots=True)
class AckRule:
    """Which DHCPACKs a client believes; the sets hold names of :mod:`hil.personas.states`."""

    needs_server_in: frozenset[str] = frozenset()
    """There an ACK without option 54 is ignored."""
    needs_lease_time: bool = False
    """Whether an ACK without option 51 is ignored."""
    other_server_ignored_in: frozenset[str] = frozenset((REQUESTING,))
    """There an ACK of another server than the one that was asked is ignored."""
    other_address_ignored_in: frozenset[str] = frozenset()
    """There an ACK for another address than the one that was asked for is ignored."""
    other_address_restarts_in: frozenset[str] = frozenset()
    """There it takes the address away, and the client begins anew. In the states of neither set it is taken."""


@dataclass(frozen=True, slots=True)
class NakRule:
    """What a client makes of a DHCPNAK; the sets hold names of :mod:`hil.personas.states`."""

    checked_in: frozenset[str] = frozenset()
    """There a NAK counts only with the identifier (option 54) of the server that the client deals with."""
    waits_in: frozenset[str] = frozenset()
    """There the next DISCOVER waits for ``wait``; elsewhere it follows at once."""
    wait: Backoff = Backoff((10.0,), 0.0, 0.0)
    """By the number of NAKs since the last lease."""


@dataclass(frozen=True, slots=True)
class LinkLocalTimes:
    """How an address of 169.254/16 is probed for and announced; the defaults are RFC 3927's (section 9)."""

    probe_wait_s: tuple[float, float] = (0.0, 1.0)
    """Before the first probe, uniform."""
    probes: int = 3
    probe_gap_s: tuple[float, float] = (1.0, 2.0)
    """Between probes, uniform."""
    claim_wait_s: float = 2.0
    """From the last probe to the first announcement."""
    announcements: int = 2
    announcement_gap_s: float = 2.0
    max_conflicts: int = 10
    """From this many conflicts on, ``conflict_pause_s`` passes before the next address is probed for."""
    conflict_pause_s: float = 60.0
    defend_s: float = 10.0
    """A second conflict within this time takes the address away; the first is answered by an announcement."""


@dataclass(frozen=True, slots=True)
class ClientProfile:
    """One host's client; the defaults are RFC 2131's own words. Every field but ``name`` is an option of a persona."""

    name: str
    requested: tuple[int, ...] = (1, 3, 6)
    """Option 55, in the order the client sends it."""
    option_order: tuple[int, ...] = (
        dhcp.OPTION_MESSAGE_TYPE,
        dhcp.OPTION_CLIENT_ID,
        dhcp.OPTION_REQUESTED_ADDRESS,
        dhcp.OPTION_SERVER_ID,
        dhcp.OPTION_PARAMETER_LIST,
    )
    """The options that the client can send, in wire order."""
    host_name: str = ""
    """Option 12, where ``option_order`` names it."""
    max_message_size: int = 0
    """Option 57, likewise."""
    asked_lease_s: int = 0
    """Option 51 of a message that names no server, likewise."""
    broadcast_flag: bool = False
    discover: Backoff = field(default_factory=lambda: Backoff((4, 8, 16, 32, 64)))
    request: Backoff = field(default_factory=lambda: Backoff((4, 8, 16, 32, 64), tries=4))
    reboot: Backoff = field(default_factory=lambda: Backoff((4, 8), tries=2))
    pause_s: float = 0.0
    """After the last DISCOVER went unanswered: silence before the next one; 0 starts at once (RFC 2131 section 3.1)."""
    caches_failure: bool = False
    """Whether that silence lasts until another carrier or another interface comes, and not merely for ``pause_s``."""
    begins_failed: bool = False
    """Whether the host has given up already, in an earlier life, on an interface that it begins with and that has
    carrier: it then says nothing until another carrier or another interface comes."""
    starts_without_carrier: bool = False
    """Whether an interface is enough to begin: the first message is then due before the link is up, and where there
    is no carrier yet when the second would be, the client stops until it comes. Linux cannot send on such a link: the
    first message leaves with the carrier. Whether another host's driver would send it sooner is not known."""
    remembers_lease: bool = True
    """Whether a new interface of the same hardware address asks for the old lease (INIT-REBOOT)."""
    remembered: str = ""
    """Address that the host brings from a network where it was before, and asks for first; '' for none."""
    gather_s: float = 0.0
    """How long OFFERs are collected before one is asked for."""
    gather_acks_s: float = 0.0
    """How long the first ACK of INIT-REBOOT is held before it is used."""
    rates_offers: bool = False
    """Whether the best of the collected OFFERs is asked for, and not the first."""
    offer_needs: tuple[int, ...] = (dhcp.OPTION_SERVER_ID,)
    """An OFFER without one of these options is ignored (RFC 2131 table 3)."""
    ack: AckRule = AckRule()
    nak: NakRule = NakRule()
    lazy_expiry: bool = False
    """Whether T2 and the end of a lease pass unnoticed until a REQUEST is due again, at least 60 s after the last."""
    link_local_at_try: int = 0
    """The DISCOVER with which the host begins to look for a link-local address; 0 never."""
    link_local: LinkLocalTimes = LinkLocalTimes()

    @property
    def gives_up(self) -> bool:
        """Whether this client ever stops asking while its interface stays as it is."""
        return bool(self.discover.tries) or self.starts_without_carrier or self.begins_failed
