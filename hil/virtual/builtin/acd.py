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


class QuestionsConflict(AcdFault):
    """An ordinary request for the address, while it is probed for, counts as a conflict.

    Source: RFC 5227 section 2.1.1 has two kinds of conflict: a sender address that is the candidate, and a probe.

    Finding: after a host's question more probes than a round has, and no conflict on the wire.
    """

    name = "questions-conflict"
    mistake = "acd_queries_conflict"


class EchoesConflict(AcdFault):
    """The board's own probes, sent back by a switch, count as somebody else's.

    Source: RFC 5227 section 2.1.1, its note; lwIP pull request 95.

    Finding: the probe comes back, and probing begins anew; where nothing comes back the address is taken.
    """

    name = "echoes-conflict"
    mistake = "acd_echoes_conflict"


class NoPauseAfterConflicts(AcdFault):
    """An attempt follows the other for ever, however many conflicts there were.

    Source: RFC 5227 section 2.1.1: one in 60 s after ten conflicts.

    Finding: ten attempts that met a conflict, and several more in the minute after.
    """

    name = "no-pause-after-conflicts"
    mistake = "acd_limit_missing"


class ProbesForever(AcdFault):
    """In use, the address is probed for every ten seconds.

    Source: OpENer_EnIP_KC868A16 627af93, ``acd.c``; RFC 5227 section 2.1: not as a matter of routine.

    Finding: a probe of an address that the board has used for long and goes on to use.
    """

    name = "probes-forever"
    mistake = "acd_probes_forever"


class PausesRepeat(AcdFault):
    """The pauses before and between the probes are the same after each boot.

    Source: lwIP 2.2.1 ``acd.c`` where LWIP_RAND is not defined.

    Finding: five boots, and the same pauses each time.
    """

    name = "pauses-repeat"
    mistake = "acd_jitter_missing"


ACD_FAULTS: tuple[type[Fault], ...] = (
    AddressNotProbed,
    AddressBeforeProbes,
    ProbeAnswersIgnored,
    RivalProbesIgnored,
    AddressAnswersLate,
    NoDefence,
    DefendsAlways,
    NoNewProbes,
    QuestionsConflict,
    EchoesConflict,
    NoPauseAfterConflicts,
    ProbesForever,
    PausesRepeat,
)
