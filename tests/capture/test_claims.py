"""Profile patterns find claims in log lines."""

import pytest

from hil.capture.claims import UNTIMED, Claims, Witness
from hil.capture.source import Moment

PROFILE = {
    "claims": [
        {"name": "SPECIAL", "pattern": r"link up \((?P<detail>\w+)\)"},
        {"name": "PLAIN", "pattern": "link up"},
        {"name": "SILENT", "pattern": ""},
    ]
}


def test_first_pattern_that_is_found_names_the_line() -> None:
    """Patterns are tried in the profile's order, and the group called detail is the detail."""
    claims = Claims.from_profile(PROFILE)
    assert claims.find("I (1) net: link up (kick)") == ("SPECIAL", "kick")
    assert claims.find("I (1) net: link up") == ("PLAIN", "")
    assert claims.find("I (1) net: link down") is None


def test_empty_pattern_matches_nothing() -> None:
    """A claim that the log is silent about is not found in every line."""
    assert Claims.from_profile({"claims": [{"name": "SILENT", "pattern": ""}]}).find("anything") is None


@pytest.mark.parametrize(
    ("profile", "words"),
    [
        ({"claims": [{"name": "BAD", "pattern": "("}]}, "claim BAD: pattern '('"),
        ({"claims": [{"pattern": "x"}]}, "profile.claims holds {'pattern': 'x'}"),
        ({"claims": 3}, "profile.claims is 3"),
    ],
)
def test_wrong_profile_is_refused_by_name(profile: dict[str, object], words: str) -> None:
    """What cannot be used as a claim is named."""
    with pytest.raises(ValueError, match="claim") as caught:
        Claims.from_profile(profile)
    assert words in str(caught.value)


def test_later_lines_narrow_the_time_of_a_claim(now: Moment) -> None:
    """A claim is dated by every line of its boot: one that came faster than this one moves it earlier."""
    witness = Witness("b", "serial", Claims.from_profile(PROFILE))
    witness.heard("boot", 0, now)
    late = Moment(now.t_ns + 3_000_000_000, 0)
    (claim,) = witness.heard("link up", 1000, late)
    assert claim.t_ns < late.t_ns - 1_000_000_000


def test_boot_starts_the_board_clock_anew(now: Moment) -> None:
    """After a boot the same milliseconds mean a later host time."""
    witness = Witness("b", "serial", Claims.from_profile(PROFILE))
    witness.heard("boot", 1000, now)
    witness.booted()
    late = Moment(now.t_ns + 60_000_000_000, 0)
    (claim,) = witness.heard("link up", 1000, late)
    assert late.t_ns - claim.t_ns < 1_000_000_000


def test_line_without_board_time_does_not_need_a_clock(now: Moment) -> None:
    """The first line of a boot may carry no time."""
    (claim,) = Witness("b", "console", Claims.from_profile(PROFILE)).heard("link up", UNTIMED, now)
    assert (claim.t_ns, claim.t_err_ns, claim.via) == (now.t_ns, now.err_ns, "console")
