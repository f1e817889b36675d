"""Times of RFC 5227, and what a bench may add to them."""

LATE_S = 0.5
"""So much of a pause may be lost between a board's timer and the wire."""
PROBES = 3
"""PROBE_NUM of RFC 5227 section 1.1."""
ANNOUNCE_S = 2.0
"""ANNOUNCE_WAIT and ANNOUNCE_INTERVAL of RFC 5227 section 1.1."""
PROBE_WAIT_S = 1.0
"""The longest pause before the first probe, likewise."""
TAKING_S = 2 * ANNOUNCE_S + LATE_S
"""From the last probe to the second announcement."""
PROBING_S = 7.0
"""Probing at its slowest: PROBE_WAIT, three probes and ANNOUNCE_WAIT."""
DEFEND_S = 10.0
"""DEFEND_INTERVAL of RFC 5227 section 1.1."""
ANSWER_S = 1.2
"""A question that is asked several times in this time is answered (RFC 5227 section 2.5), at once in fact."""
REACTION_S = 1.2
"""A conflict is answered at once where it is answered."""
