"""A static address: probing that questions and echoes disturb, that never pauses, never ends, or is foreseen."""

import pytest

from hil.testing.handmade import at
from hil.timeline.events import UsbSuspended
from tests.diagnosis.handmade_lives import (
    CLEAN,
    END_S,
    ROUND,
    TAKEN,
    UP,
    announcements,
    asked,
    booted,
    claims,
    echoes,
    found,
    link,
    probes,
    rival,
)

TWICE = [*probes(2.5, 3.1, 4.3, 5.8), *announcements(7.8, 9.8)]
"""A round that was begun anew after its first probe."""


def test_a_round_begun_anew_after_a_question_is_named() -> None:
    """Four probes, a question after the first, and no conflict."""
    assert found(UP, TWICE, asked(2.8, 3.0), asked(8.0, END_S, 8.0)) == ["question-taken-for-conflict"]


def test_probing_that_questions_bring_to_an_end_is_named() -> None:
    """Two probes, questions all the time, and nothing more: the board thinks itself in conflict."""
    assert found(UP, probes(2.5, 3.1), asked(2.0, END_S)) == ["question-taken-for-conflict"]
    assert found(UP, probes(2.5, 3.1), asked(2.0, 10.0), end_s=10.0) == []


@pytest.mark.parametrize(
    "reason", [claims(2.8), rival(2.8), [at(2.8, UsbSuspended("1-1"), "sysfs")]], ids=["claim", "rival", "sleep"]
)
def test_a_round_begun_anew_for_a_reason_is_clean(reason: list[object]) -> None:
    """A conflict, or a bus that slept."""
    assert found(UP, TWICE, asked(2.0, END_S, 7.8), reason) == []


def test_a_question_after_the_round_was_begun_anew_explains_nothing() -> None:
    """It comes too late to be the cause."""
    assert found(UP, TWICE, asked(7.9, END_S, 7.9)) == []


def test_a_round_begun_anew_after_an_echo_is_named() -> None:
    """Whether or not a host asks as well."""
    assert found(UP, TWICE, echoes(2.503, 3.103, 4.303)) == ["own-echo-taken-for-conflict"]
    assert found(UP, probes(2.5, 3.1), echoes(2.503, 3.103), asked(2.0, END_S)) == ["own-echo-taken-for-conflict"]


def test_an_echo_that_disturbs_nothing_is_clean() -> None:
    """It is neither a claim nor a rival."""
    assert found(CLEAN, echoes(2.503, 3.703, 5.203)) == []


def test_a_board_that_probes_anew_without_an_echo_too_is_not_disturbed_by_echoes() -> None:
    """Judged against the same board on a link where nothing came back."""
    again = [*link(12.0), *probes(12.5, 13.1, 14.3, 15.8), *announcements(17.8)]
    assert found(UP, TWICE, again, echoes(12.503, 13.103)) == []
    assert found(UP, ROUND, TAKEN, again, echoes(12.503, 13.103)) == ["own-echo-taken-for-conflict"]


def test_an_attempt_after_the_other_is_named() -> None:
    """Ten that met a conflict, and two more in the next minute."""
    every = [2.5 + 0.5 * n for n in range(12)]
    claimed = claims(*(t_s + 0.01 for t_s in every))
    assert found(UP, probes(*every), claimed) == ["conflicts-without-pause"]
    assert found(UP, probes(*every[:11]), claimed) == []
    slow = [*every[:10], 68.0, 129.0]
    assert found(UP, probes(*slow), claims(*(t_s + 0.01 for t_s in slow)), end_s=140.0) == []


def test_a_probe_of_an_address_in_use_is_named() -> None:
    """Nobody has claimed it, and the board goes on to answer for it."""
    longer = [*CLEAN, *asked(END_S, 26.0, END_S)]
    assert found(longer, probes(19.3), end_s=26.0) == ["address-probed-while-used"]
    assert found(longer, probes(24.0), claims(23.9), end_s=26.0) == []
    assert found(asked(0.1, END_S, 0.1), probes(9.6)) == ["address-probed-while-used"]


def test_a_probe_of_a_round_that_began_before_the_window_is_clean() -> None:
    """Of an address that is used too early, which is another finding where it is seen from its link on."""
    assert found(asked(0.1, END_S, 0.1), probes(1.2, 3.1, 5.0)) == []


def test_a_probe_of_an_address_that_was_given_up_is_clean() -> None:
    """It does not answer until the round is over."""
    assert found(UP, ROUND, TAKEN, asked(2.0, 19.0, 7.3), probes(19.3), asked(19.0, END_S)) == []


def test_pauses_that_are_the_same_after_five_boots_are_named() -> None:
    """To a tenth of a second; four boots may be chance, and one that differs says that they are not the same."""
    alike = [booted(10.0 * n, 1.2 + 0.02 * n, 1.7) for n in range(5)]
    assert found(*alike, end_s=50.0) == ["probe-pauses-repeat"]
    assert found(*alike[:4], end_s=50.0) == []
    assert found(*alike[:4], booted(40.0, 1.5, 1.7), end_s=50.0) == []


def test_links_of_one_boot_are_no_boots() -> None:
    """What comes later on is not chosen by the seed alone."""
    links = [booted(10.0 * n, 1.2, 1.7)[2:] for n in range(5)]
    assert found(*links, end_s=50.0) == []
