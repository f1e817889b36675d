"""States of a DHCP client, named as in RFC 2131 figure 5, and two more that hosts have."""

STOPPED = "STOPPED"
"""No interface, or one without carrier."""
INIT = "INIT"
SELECTING = "SELECTING"
REQUESTING = "REQUESTING"
REBOOTING = "REBOOTING"
BOUND = "BOUND"
RENEWING = "RENEWING"
REBINDING = "REBINDING"
FAILED = "FAILED"
"""Given up; only another carrier or another interface begins anew."""

STATES = (STOPPED, INIT, SELECTING, REQUESTING, REBOOTING, BOUND, RENEWING, REBINDING, FAILED)
HOLDING = frozenset((BOUND, RENEWING, REBINDING))
"""The leased address is in use."""
SILENT = frozenset((STOPPED, FAILED))
"""Nothing is sent, however long it takes."""
