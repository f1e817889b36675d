"""What Apple's hosts have in common: where IPConfiguration departs from the base client.

Sources: Apple's bootp project, release 494.60.3: IPConfiguration.bproj/dhcp.c, linklocal.c, ipconfigd.c and
arp_session.h, by the function or constant named at each line. What has no such name says NV: not verified on a device.
"""

from hil.personas.client_profile import AckRule, Backoff, ClientProfile, LinkLocalTimes, NakRule
from hil.personas.states import REBINDING, REBOOTING, RENEWING, REQUESTING
from hil.wire import dhcp

PARAMETERS = (1, 121, 3, 6, 15, 108, 114, 119, 252)
"""dhcp.c, dhcp_static_default_params: the list of a device without NetBIOS."""

APPLE = ClientProfile(
    name="apple",
    requested=PARAMETERS,
    # make_dhcp_request(), then what dhcp_init(), dhcp_init_reboot() and dhcp_select() add.
    option_order=(
        dhcp.OPTION_MESSAGE_TYPE,
        dhcp.OPTION_PARAMETER_LIST,
        dhcp.OPTION_MAX_SIZE,
        dhcp.OPTION_CLIENT_ID,
        dhcp.OPTION_REQUESTED_ADDRESS,
        dhcp.OPTION_SERVER_ID,
        dhcp.OPTION_LEASE_TIME,
        dhcp.OPTION_HOST_NAME,
    ),
    max_message_size=1500,
    # SUGGESTED_LEASE_LENGTH: three months.
    asked_lease_s=90 * 24 * 3600,
    # INITIAL_WAIT_SECS 1, MAX_WAIT_SECS 8, and random_range(0, 1 s) on top; MAX_RETRIES 9 after the first.
    discover=Backoff((1, 2, 4, 8), jitter_low_s=0.0, jitter_high_s=1.0, tries=10),
    # dhcp_select(): the same waits without a random part; DHCP_SELECT_RETRY_COUNT 3 after the first.
    request=Backoff((1, 2, 4, 8), jitter_low_s=0.0, jitter_high_s=0.0, tries=4),
    # DHCP_INIT_REBOOT_RETRY_COUNT 2 after the first.
    reboot=Backoff((1, 2, 4), jitter_low_s=0.0, jitter_high_s=1.0, tries=3),
    # dhcp_no_server(), INIT_RETRY_INTERVAL_SECS; without effect while caches_failure is set.
    pause_s=60.0,
    # NV: users report devices that stay without an address until they are plugged in again. dhcp_no_server() alone
    # would begin anew after pause_s; caches_failure=False is that.
    caches_failure=True,
    # dhcp_thread(), IFEventID_start_e begins whatever the link is; dhcp_init() looks at it from the second try on
    # (dhcp_inactive), and dhcp_check_link() leaves the first try alone when the link comes up.
    starts_without_carrier=True,
    # GATHER_SECS; the best OFFER is asked for, in dhcp_init(), and the ACK of dhcp_init_reboot() is held as long.
    gather_s=1.0,
    gather_acks_s=1.0,
    rates_offers=True,
    ack=AckRule(
        # dhcp_init_reboot() and dhcp_renew_rebind() reject an ACK without option 54; dhcp_select() does not, nor does
        # it look whose ACK it is or for which address.
        needs_server_in=frozenset((REBOOTING, RENEWING, REBINDING)),
        other_server_ignored_in=frozenset(),
        other_address_ignored_in=frozenset((REBOOTING,)),
        other_address_restarts_in=frozenset((RENEWING, REBINDING)),
    ),
    # dhcp_select() wants the server's identifier in a NAK and waits 10 s after it; dhcp_init_reboot() and
    # dhcp_renew_rebind() believe any NAK, and dhcp_unbound() begins anew after 1 ms.
    nak=NakRule(
        checked_in=frozenset((REQUESTING,)), waits_in=frozenset((REQUESTING,)), wait=Backoff((10.0,), 0.0, 0.0)
    ),
    # dhcp_renew_rebind(): one timer, RENEW_REBIND_MIN_WAIT_SECS 60.
    lazy_expiry=True,
    # DHCP_ALLOCATE_LINKLOCAL_AT_RETRY_COUNT 4 after the first.
    link_local_at_try=5,
    # arp_session.h: ARP_PROBE_COUNT, ARP_GRATUITOUS_COUNT, ARP_RETRY_USECS; linklocal.c: MAX_LINKLOCAL_INITIAL_TRIES,
    # LINKLOCAL_RETRY_TIME_SECS; ipconfigd.c: DEFEND_IP_ADDRESS_INTERVAL_SECS.
    link_local=LinkLocalTimes(
        probe_wait_s=(0.0, 0.0),
        probes=3,
        probe_gap_s=(0.32, 0.32),
        claim_wait_s=0.32,
        announcements=2,
        announcement_gap_s=0.32,
        max_conflicts=10,
        conflict_pause_s=30.0,
        defend_s=10.0,
    ),
)
