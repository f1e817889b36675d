"""A static address: used too early, taken from somebody, not defended; and a board that does as RFC 5227 says."""

from collections.abc import Sequence

import pytest

from hil.testing.handmade import at, attached
from hil.timeline.events import CaptureGap, Event
from tests.diagnosis.handmade_lives import (
    ASKER,
    CLEAN,
    END_S,
    ROUND,
    SERVER,
    TAKEN,
    UP,
    announcements,
    asked,
    claims,
    found,
    link,
    probes,
    request,
    rival,
)


def test_a_board_that_asks_first_is_clean() -> None:
    """Three probes, two seconds, two announcements, and answers from then on."""
    assert found(CLEAN) == []


def test_an_address_without_a_probe_is_named() -> None:
    """The board answers as soon as there is a link."""
    assert found(UP, asked(2.0, END_S, 2.0)) == ["address-never-probed"]


def test_an_address_whose_probe_may_yet_come_is_not_named() -> None:
    """Up to a second passes before the first one."""
    assert found(UP, asked(2.0, 3.0, 2.0), end_s=3.0) == []
    again = [*link(12.0), *asked(12.0, 13.0, 12.0)]
    assert found(UP, ROUND, TAKEN, asked(2.0, 11.0, 7.3), again, end_s=13.0) == []


def test_a_link_whose_carrier_was_told_late_is_the_same() -> None:
    """The stamp of a carrier may be half a second behind the frames."""
    late = [attached(1.0), *link(2.6, 0.6)]
    assert found(late, ROUND, TAKEN, asked(2.1, END_S, 7.3)) == []
    assert found(late, asked(2.1, END_S, 2.1)) == ["address-never-probed"]


def test_what_was_not_seen_is_not_named() -> None:
    """A probe may have been among the frames that are missing."""
    blind = [at(3.0, CaptureGap("packet", "ring overflowed", 1.0), "harness")]
    assert found(UP, asked(2.0, END_S, 2.0), blind) == []


def test_a_server_is_no_static_board() -> None:
    """Its address is that of the network that it makes."""
    assert found(UP, asked(2.0, END_S, 2.0), profile=SERVER) == []


def test_a_board_that_was_there_before_the_window_is_not_named() -> None:
    """Its link came up, and was probed on, when nobody looked."""
    assert found(asked(0.1, END_S, 0.1)) == []


def test_an_address_in_use_before_the_first_probe_is_named() -> None:
    """It answers at once, and probes afterwards."""
    assert found(UP, ROUND, TAKEN, asked(2.0, END_S, 2.0)) == ["address-used-before-probed"]


def test_an_address_in_use_right_after_the_last_probe_is_named() -> None:
    """Whoever has it may be slow to say so: ANNOUNCE_WAIT."""
    assert found(UP, ROUND, announcements(5.3, 7.3), asked(2.0, END_S, 5.3)) == ["address-used-before-probed"]


def test_a_new_link_without_new_probes_is_named() -> None:
    """Probed on the first link, used on the second."""
    assert found(UP, ROUND, TAKEN, asked(2.0, 11.0, 7.3), link(12.0), asked(12.0, END_S, 12.0)) == [
        "address-not-probed-anew"
    ]
    assert found(asked(0.1, 11.0, 0.1), link(12.0), asked(12.0, END_S, 12.0)) == ["address-not-probed-anew"]


def test_a_new_link_with_new_probes_is_clean() -> None:
    """As the first time."""
    anew = [*link(12.0), *probes(12.5, 13.7, 15.2), *announcements(17.2, 19.2), *asked(12.0, END_S, 17.3)]
    assert found(UP, ROUND, TAKEN, asked(2.0, 11.0, 7.3), anew) == []


def test_an_address_that_another_host_has_is_not_to_be_used() -> None:
    """The probe is answered, and the address used after the round as if it had not been."""
    held = claims(*(2.6 + 0.5 * n for n in range(30)))
    assert found(UP, ROUND, TAKEN, asked(2.0, END_S, 7.3), held) == ["address-of-another-used"]


def test_a_board_that_gives_way_is_clean() -> None:
    """It stays without an address, or, where the claim was one alone, takes it after another round."""
    held = claims(*(2.6 + 0.5 * n for n in range(30)))
    assert found(UP, probes(2.5, 3.4, 4.1, 4.9), asked(2.0, END_S), held) == []
    assert found(UP, probes(2.5, 3.7, 5.2, 6.6), announcements(8.6, 10.6), asked(2.0, END_S, 8.7), claims(2.6)) == []


def test_a_rival_that_is_ignored_is_named() -> None:
    """Two probes after its probe are no round."""
    assert found(UP, ROUND, TAKEN, asked(2.0, END_S, 7.3), rival(2.6)) == ["rival-probe-ignored"]


def test_a_rival_that_makes_the_board_begin_anew_is_clean() -> None:
    """Three probes after its probe."""
    assert found(UP, probes(2.5, 3.0, 4.1, 5.6), announcements(7.6, 9.6), asked(2.0, END_S, 7.7), rival(2.6)) == []


def test_an_announced_address_that_does_not_answer_is_named() -> None:
    """From the first announcement to the second."""
    assert found(UP, ROUND, TAKEN, asked(2.0, END_S, 9.2)) == ["announced-address-silent"]


def test_an_announced_address_that_nobody_asks_for_is_clean() -> None:
    """Silence is no answer that is missing."""
    elsewhere = [request(t_s, "host", ASKER, "192.168.7.77") for t_s in (2.0, 7.3, 7.5, 7.8, 9.0)]
    assert found(UP, ROUND, TAKEN, elsewhere) == []


def test_a_claim_that_nothing_is_done_about_is_named() -> None:
    """The board answers for the address as before."""
    assert found(CLEAN, claims(12.0)) == ["address-not-defended"]


@pytest.mark.parametrize(
    "reaction",
    [announcements(12.1), probes(12.4)],
    ids=["defends", "gives up"],
)
def test_a_claim_that_is_reacted_to_is_clean(reaction: Sequence[Event]) -> None:
    """RFC 5227 section 2.4 leaves the board the choice."""
    assert found(CLEAN, claims(12.0), reaction) == []


def test_a_second_claim_that_nothing_is_done_about_is_clean() -> None:
    """Within ten seconds of the first a board may keep still (section 2.4 c)."""
    assert found(CLEAN, claims(12.0, 14.0), announcements(12.1)) == []


def test_a_claim_at_the_end_of_the_window_is_not_judged() -> None:
    """There was no time to react."""
    assert found(CLEAN, claims(END_S - 1.0)) == []


def test_a_defence_of_every_claim_is_named() -> None:
    """Two within ten seconds."""
    assert found(CLEAN, claims(12.0, 14.0), announcements(12.1, 14.1)) == ["address-defended-too-often"]


def test_a_defence_after_ten_seconds_is_clean() -> None:
    """Once in ten seconds."""
    late = [*CLEAN, *asked(END_S, 26.0, END_S)]
    assert found(late, claims(12.0, 22.5), announcements(12.1, 22.6), end_s=26.0) == []
