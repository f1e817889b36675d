"""iOS: where Apple's IPConfiguration departs from the base client.

Source: bootp-494.60.3, IPConfiguration.bproj/dhcp.c.
"""

from hil.personas.client_profile import Backoff, ClientProfile

IOS = ClientProfile(
    name="ios",
    # dhcp.c, dhcp_params_default: the list that a device without NetBIOS asks for.
    requested=(1, 121, 3, 6, 15, 108, 114, 119, 252),
    # Waits double from 1 s up to 8 s with U(0,1) s on top; the tenth DISCOVER is the last before a pause.
    discover=Backoff((1, 2, 4, 8), jitter_low_s=0.0, jitter_high_s=1.0, tries=10),
    request=Backoff((1, 2, 4, 8), jitter_low_s=0.0, jitter_high_s=1.0, tries=5),
    # INIT-REBOOT asks three times before it falls back to DISCOVER.
    reboot=Backoff((1, 2, 4), jitter_low_s=0.0, jitter_high_s=1.0, tries=3),
    pause_s=60.0,
    # An offer of a private address is held for one second in case a better one follows.
    gather_s=1.0,
    # In SELECTING a NAK without a server identifier belongs to nobody.
    nak_needs_server=True,
)
