"""Faults of a static address: what RFC 5227 asks of a board that has one, and this one does not do."""

from dataclasses import replace
from typing import Any, ClassVar

from hil.virtual.faults import Fault
from hil.virtual.firmware import FirmwareConfig


class AcdFault(Fault):
    """A mistake of the core; a board in another role is not touched."""

    mistake: ClassVar[str]
    """Its switch in :class:`FirmwareConfig`."""

    def configure(self, config: FirmwareConfig) -> FirmwareConfig:
        made: dict[str, Any] = {self.mistake: 1}
        return replace(config, **made)


class AddressNotProbed(AcdFault):
    """The address is used as soon as there is a link; nobody is asked whether he has it.

    Source: nothing in lwIP 2.2.1 starts conflict detection for a static address (``acd_netif_ip_addr_changed`` returns
    where the former address is any), and ESP-IDF 5.5 compiles a checker for DHCP alone (``acd_dhcp_check.c``).

    Finding: the board answers for the address, and no probe of it was seen since the link came up.
    """

    name = "address-not-probed"
    mistake = "acd_missing"


class AddressBeforeProbes(AcdFault):
    """The address is set, and answers, before the first probe is sent.

    Source: ``netif_set_addr`` before ``acd_start`` (lwIP 2.2.1): the address routes while it is probed for.

    Finding: the board speaks from the address, and goes on to probe for it.
    """

    name = "address-before-probes"
    mistake = "acd_address_first"


class ProbeAnswersIgnored(AcdFault):
    """Somebody answers the probe, and the address is used all the same.

    Source: RFC 5227 section 2.1.1.

    Finding: a host says that the address is its own, and the board uses it without another probe.
    """

    name = "probe-answers-ignored"
    mistake = "acd_conflicts_ignored"


class RivalProbesIgnored(AcdFault):
    """Somebody else probes for the address at the same time, and the board takes it.

    Source: RFC 5227 section 2.1.1.

    Finding: after another host's probe the board uses the address with fewer than three probes of its own.
    """

    name = "rival-probes-ignored"
    mistake = "acd_rivals_ignored"


class AddressAnswersLate(AcdFault):
    """The first announcement goes out 2 s before the address is set.

    Source: lwIP 2.2.1 tells ``ACD_IP_OK`` with the second announcement.

    Finding: questions for the address go unanswered from the first announcement to the last.
    """

    name = "address-answers-late"
    mistake = "acd_address_late"


class NoDefence(AcdFault):
    """A host announces the address while the board has it, and the board goes on as if nobody had.

    Source: RFC 5227 section 2.4.

    Finding: a claim of somebody else, no announcement and no retreat after it, and answers as before.
    """

    name = "no-defence"
    mistake = "acd_defence_missing"


class DefendsAlways(AcdFault):
    """Each claim of somebody else is answered by an announcement, however many there are.

    Source: RFC 5227 section 2.4: one in ten seconds, as two such hosts would never stop.

    Finding: two announcements within ten seconds, each after a claim of somebody else.
    """

    name = "defends-always"
    mistake = "acd_defends_always"


class NoNewProbes(AcdFault):
    """The link goes and comes back, and the address is used as before.

    Source: ``acd_network_changed_link_down`` of lwIP 2.2.1 stops conflict detection, and a link that comes up does not
    start it again.

    Finding: in one and the same enumeration the link came back, and the board answers for the address without a probe.
    """

    name = "no-new-probes"
    mistake = "acd_restart_missing"


ACD_FAULTS: tuple[type[Fault], ...] = (
    AddressNotProbed,
    AddressBeforeProbes,
    ProbeAnswersIgnored,
    RivalProbesIgnored,
    AddressAnswersLate,
    NoDefence,
    DefendsAlways,
    NoNewProbes,
)
