"""Faults of a static address: what RFC 5227 forbids."""

from hil.catalogue.entry import Entry, Proof, running, started
from hil.catalogue.scenarios import (
    AT_RANDOM,
    DEFENDED,
    ECHOED,
    LEFT_ALONE,
    LIMITED,
    PROBED,
    PROBED_ANEW,
    QUESTIONED,
    RIVALLED,
    STATIC,
    TAKEN,
)

SOAKED = (*STATIC, "-m", "hil")
"""For scenarios that are marked soak."""


STATIC_FAULTS: tuple[Entry, ...] = (
    Entry(
        fault="address-not-probed",
        wrong="the static address is used as soon as there is a link, and nobody is asked whether he has it",
        seen_in="lwIP 2.2.1 `acd_netif_ip_addr_changed`; ESP-IDF 5.5 `acd_dhcp_check.c`",
        finding="address-never-probed",
        proofs=started(PROBED, STATIC),
    ),
    Entry(
        fault="address-before-probes",
        wrong="the static address is set, and answers, before the first probe",
        seen_in="lwIP 2.2.1, `netif_set_addr` before `acd_start`",
        finding="address-used-before-probed",
        long=True,
        proofs=started(PROBED, STATIC),
    ),
    Entry(
        fault="address-answers-late",
        wrong="the static address is announced 2 s before it answers",
        seen_in="lwIP 2.2.1 `acd.c`, `ACD_IP_OK`",
        finding="announced-address-silent",
        long=True,
        proofs=started(PROBED, STATIC),
    ),
    Entry(
        fault="probe-answers-ignored",
        wrong="a host answers the probe, and the address is used all the same",
        seen_in="RFC 5227 section 2.1.1",
        finding="address-of-another-used",
        proofs=started(TAKEN, STATIC),
    ),
    Entry(
        fault="rival-probes-ignored",
        wrong="another host probes for the address too, and the board takes it",
        seen_in="RFC 5227 section 2.1.1",
        finding="rival-probe-ignored",
        long=True,
        proofs=started(RIVALLED, STATIC),
    ),
    Entry(
        fault="no-defence",
        wrong="a host claims the address that the board uses, and the board does nothing",
        seen_in="RFC 5227 section 2.4",
        finding="address-not-defended",
        long=True,
        proofs=running(DEFENDED, PROBED, STATIC),
    ),
    Entry(
        fault="defends-always",
        wrong="every claim of the address is answered by an announcement, for ever",
        seen_in="RFC 5227 section 2.4",
        finding="address-defended-too-often",
        long=True,
        proofs=running(DEFENDED, PROBED, STATIC),
    ),
    Entry(
        fault="no-new-probes",
        wrong="the link goes and comes back, and the static address is used as before",
        seen_in="lwIP 2.2.1 `acd.c`, `acd_network_changed_link_down`",
        finding="address-not-probed-anew",
        long=True,
        proofs=running(PROBED_ANEW, PROBED, STATIC),
    ),
    Entry(
        fault="questions-conflict",
        wrong="a host that asks for the address while it is probed for is taken for a conflict",
        seen_in="RFC 5227 section 2.1.1",
        finding="question-taken-for-conflict",
        long=True,
        proofs=started(QUESTIONED, STATIC),
    ),
    Entry(
        fault="echoes-conflict",
        wrong="the board's own probes, sent back to it, are taken for a conflict",
        seen_in="RFC 5227 section 2.1.1, note; lwIP pull request 95",
        finding="own-echo-taken-for-conflict",
        long=True,
        proofs=(Proof("", (ECHOED,), options=STATIC), Proof("from_boot=3", (ECHOED,), options=STATIC)),
    ),
    Entry(
        fault="no-pause-after-conflicts",
        wrong="an attempt to have the address follows the other, however many conflicts there were",
        seen_in="RFC 5227 section 2.1.1",
        finding="conflicts-without-pause",
        long=True,
        proofs=started(LIMITED, SOAKED),
    ),
    Entry(
        fault="probes-forever",
        wrong="an address that is in use is probed for again and again",
        seen_in="OpENer_EnIP_KC868A16 627af93, `acd.c`",
        finding="address-probed-while-used",
        long=True,
        proofs=started(LEFT_ALONE, SOAKED),
    ),
    Entry(
        fault="pauses-repeat",
        wrong="the pauses between the probes are the same after each boot",
        seen_in="lwIP 2.2.1 `acd.c` without LWIP_RAND",
        finding="probe-pauses-repeat",
        long=True,
        proofs=started(AT_RANDOM, SOAKED),
    ),
)
"""In the order of the matrix."""
