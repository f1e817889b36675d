"""Linux: systemd-networkd's client. Source: systemd v252 and later, src/libsystemd-network/sd-dhcp-client.c."""

from hil.personas.client_profile import Backoff, ClientProfile

LINUX = ClientProfile(
    name="linux",
    # sd-dhcp-client.c, default_req_opts and networkd's additions; the list is sent sorted.
    requested=(1, 3, 6, 12, 15, 26, 33, 119, 121),
    # client_compute_request_timeout(): 4 s twice, then doubling to 64 s, fuzzed by a second either way.
    discover=Backoff((4, 4, 8, 16, 32, 64)),
    request=Backoff((4, 4, 8, 16, 32, 64), tries=5),
    # After one unanswered REQUEST in REBOOTING the client starts over with DISCOVER.
    reboot=Backoff((4, 4), tries=2),
    # client_verify_message_header() wants option 54 once a lease is held.
    nak_needs_server=True,
)
