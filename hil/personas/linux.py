"""Linux: systemd-networkd's client. Source: systemd v252 and later, src/libsystemd-network/sd-dhcp-client.c."""

from hil.personas.client_profile import AckRule, Backoff, ClientProfile, NakRule
from hil.personas.states import REBINDING, REBOOTING, RENEWING, REQUESTING
from hil.wire import dhcp

_ONCE_SERVED = frozenset((REQUESTING, RENEWING, REBINDING))
"""States in which the client has a lease, or the OFFER of one, that names its server."""

LINUX = ClientProfile(
    name="linux",
    # default_req_opts and networkd's additions; the list is sent sorted.
    requested=(1, 3, 6, 12, 15, 26, 33, 119, 121),
    # client_compute_request_timeout(): 4 s twice, then doubling to 64 s, fuzzed by a second either way.
    discover=Backoff((4, 4, 8, 16, 32, 64)),
    request=Backoff((4, 4, 8, 16, 32, 64), tries=5),
    # After two unanswered REQUESTs in REBOOTING (MAX_REQUEST_ATTEMPTS_ON_REBOOTING) the client starts over.
    reboot=Backoff((4, 4), tries=2),
    # The client's last address goes with the interface: networkd frees the link (networkd-link.c, link_drop).
    remembers_lease=False,
    # dhcp_option_parse_and_verify(): address, server and lease time must be there; whose ACK it is, and for which
    # address, is not compared.
    offer_needs=(dhcp.OPTION_SERVER_ID, dhcp.OPTION_LEASE_TIME),
    ack=AckRule(
        needs_server_in=frozenset((REQUESTING, REBOOTING, RENEWING, REBINDING)),
        needs_lease_time=True,
        other_server_ignored_in=frozenset(),
    ),
    # The same function: a NAK of another server than the lease's is ignored; in REBOOTING there is no lease.
    # client_restart(): 1 s after the first NAK (RESTART_AFTER_NAK_MIN_USEC), doubling to 30 min.
    nak=NakRule(
        checked_in=_ONCE_SERVED,
        waits_in=_ONCE_SERVED,
        wait=Backoff((1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 1800), 0.0, 0.0),
    ),
)
