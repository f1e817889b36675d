"""Profile patterns find claims in log lines."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.capture.claims import UNTIMED, Claims, Found, Witness, message_of
from hil.capture.source import Moment
from hil.profiles import load, shipped

PURE = settings(deadline=None, derandomize=True, database=None, max_examples=80)
PROFILE = {
    "claims": [
        {"name": "SPECIAL", "pattern": r"link up \((?P<detail>\w+)\)"},
        {"name": "PLAIN", "pattern": "link up"},
        {"name": "SILENT", "pattern": ""},
        {"name": "TIMED", "pattern": r"^@(?P<ms>\S+) timed"},
    ],
    "line": r"^EVT (?P<name>[\w-]+)(?: (?P<ms>\d+))?(?: (?P<detail>.*))?$",
    "names": {"usb-up": "USB_MOUNTED"},
    "step_ms": 10,
}
CLAIMS = Claims.from_profile(PROFILE)


def test_first_pattern_that_is_found_names_the_line() -> None:
    """Patterns are tried in the profile's order, and the group called detail is the detail."""
    assert CLAIMS.find("I (1) net: link up (kick)") == Found("SPECIAL", "kick", UNTIMED)
    assert CLAIMS.find("I (1) net: link up") == Found("PLAIN", "", UNTIMED)
    assert CLAIMS.find("I (1) net: link down") is None


def test_empty_pattern_matches_nothing() -> None:
    """A claim that the log is silent about is not found in every line."""
    assert Claims.from_profile({"claims": [{"name": "SILENT", "pattern": ""}]}).find("anything") is None


def test_a_line_that_names_its_claim_is_one() -> None:
    """In the scenarios' word where the profile has one, else in the firmware's; a claim's own pattern comes first."""
    assert CLAIMS.find("EVT usb-up 663 by host") == Found("USB_MOUNTED", "by host", 663)
    assert CLAIMS.find("EVT usb-down") == Found("usb-down", "", UNTIMED)
    assert CLAIMS.find("EVT link up") == Found("PLAIN", "", UNTIMED)
    assert CLAIMS.find(f"EVT {'x' * 65}") is None


@pytest.mark.parametrize("digits", ["4294967296", "-1", "1e3", "٤٨٥", "9" * 5000, "x"])
def test_a_time_that_is_none_costs_the_time_alone(digits: str) -> None:
    """The claim is made all the same."""
    assert CLAIMS.find(f"@{digits} timed") == Found("TIMED", "", UNTIMED)


@pytest.mark.parametrize(
    ("profile", "words"),
    [
        ({"claims": [{"name": "BAD", "pattern": "("}]}, "claim BAD: pattern '('"),
        ({"claims": [{"pattern": "x"}]}, "profile.claims holds {'pattern': 'x'}"),
        ({"claims": 3}, "profile.claims is 3; wanted list"),
        ({"line": "("}, "line: pattern '('"),
        ({"names": []}, "profile.names is []; wanted dict"),
        ({"step_ms": "1"}, "profile.step_ms is '1'; wanted int"),
    ],
)
def test_wrong_profile_is_refused_by_name(profile: dict[str, object], words: str) -> None:
    """What cannot be used is named."""
    with pytest.raises(ValueError, match=re.escape(words)):
        Claims.from_profile(profile)


@pytest.mark.parametrize("name", shipped())
def test_every_shipped_profile_reaches_the_process(name: str) -> None:
    """What one end makes the other takes."""
    profile = load(name)
    claims = Claims.from_profile(message_of(profile))
    assert claims.step_ms == profile.log.step_ms
    mounted = claims.find("W (663) net: *** USB MOUNTED (device configured by host) ***")
    assert (mounted is not None) == ("USB_MOUNTED" in profile.can_claim)


@PURE
@given(st.one_of(st.text(max_size=40), st.text("EVT @link up()0123456789٤ ", max_size=40)))
def test_any_line_is_a_claim_or_none(text: str) -> None:
    """A name that is not empty and a time of 32 bits, or none; the clock takes every one."""
    found = CLAIMS.find(text)
    if found is not None:
        assert 0 < len(found.name) <= 64
        assert UNTIMED <= found.ms <= 0xFFFF_FFFF
    witness = Witness("b", "serial", CLAIMS)
    for line in ("EVT a 100", text, "EVT a 200"):
        for said in witness.heard(line, UNTIMED, Moment(5_000_000_000, 1_000)):
            assert said.t_ns - said.t_err_ns <= 5_000_000_000


@PURE
@given(st.lists(st.text("EVT @link up()\r\x0b\u2028", max_size=20), max_size=5))
@pytest.mark.parametrize("pattern", [r"up$", r"^@\S*", r"[^@]+ (?!\s*E)", r"\Alink", r"k\b", r"(?<!E)VT", r"T *+@"])
def test_a_claim_in_a_line_is_seen_in_many(pattern: str, texts: list[str]) -> None:
    """Whatever stands in the lines beside it, and whatever the pattern looks at."""
    claims = Claims([("SAID", re.compile(pattern)), ("PLAIN", re.compile("link up"))])
    assert claims.any_in(texts) or not any(map(claims.find, texts))


def test_later_lines_narrow_the_time_of_a_claim(now: Moment) -> None:
    """A claim is dated by every line of its boot: one that came faster than this one moves it earlier."""
    witness = Witness("b", "serial", CLAIMS)
    witness.heard("boot", 0, now)
    late = Moment(now.t_ns + 3_000_000_000, 0)
    (claim,) = witness.heard("link up", 1000, late)
    assert claim.t_ns < late.t_ns - 1_000_000_000


def test_a_patterns_own_time_dates_the_claim(now: Moment) -> None:
    """A firmware whose lines are not ESP-IDF's has its time in a group."""
    witness = Witness("b", "serial", CLAIMS)
    witness.heard("EVT boot 0", UNTIMED, now)
    late = Moment(now.t_ns + 3_000_000_000, 0)
    (claim,) = witness.heard("EVT usb-up 1000", UNTIMED, late)
    assert claim.board_ms == 1000
    assert claim.t_ns < late.t_ns - 1_000_000_000


def test_a_coarse_clock_widens_the_bound(now: Moment) -> None:
    """A firmware whose time goes in steps of 10 ms tells no more than that."""
    late = Moment(now.t_ns + 1_500_000_000, 0)
    errors = []
    for step_ms in (1, 10):
        witness = Witness("b", "serial", Claims.from_profile({**PROFILE, "step_ms": step_ms}))
        witness.heard("boot", 0, now)
        (claim,) = witness.heard("link up", 1000, late)
        errors.append(claim.t_err_ns)
    assert 5_000_000 < errors[1] - errors[0] < 30_000_000


def test_boot_starts_the_board_clock_anew(now: Moment) -> None:
    """After a boot the same milliseconds mean a later host time."""
    witness = Witness("b", "serial", CLAIMS)
    witness.heard("boot", 1000, now)
    witness.booted()
    late = Moment(now.t_ns + 60_000_000_000, 0)
    (claim,) = witness.heard("link up", 1000, late)
    assert late.t_ns - claim.t_ns < 1_000_000_000


def test_line_without_board_time_does_not_need_a_clock(now: Moment) -> None:
    """The first line of a boot may carry no time."""
    witness = Witness("b", "console", CLAIMS)
    witness.opened(now.t_ns - 3_000_000_000)
    (claim,) = witness.heard("link up", UNTIMED, now)
    assert (claim.t_ns, claim.t_err_ns, claim.via) == (now.t_ns, now.err_ns, "console")


def test_a_claim_that_waited_for_its_port_is_dated_back_to_the_begin(now: Moment) -> None:
    """Said at 663 ms, handed over by an opening 20 s later; so is one without a time."""
    began_ns = 1_000_000_000
    read = Moment(now.t_ns + 20_000_000_000, 0)
    witness = Witness("b", "serial", CLAIMS, began_ns)
    witness.opened(read.t_ns)
    said = [
        claim
        for ms, text in ((300, "x"), (663, "link up"), (UNTIMED, "link up"), (921, "y"))
        for claim in witness.heard(text, ms, read)
    ]
    assert [(claim.t_ns - claim.t_err_ns, claim.t_ns + claim.t_err_ns) for claim in said] == [
        (began_ns, read.t_ns),
        (began_ns, read.t_ns),
    ]


def test_a_port_opened_in_time_keeps_its_close_bound(now: Moment) -> None:
    """Open before the board has its power: each claim is known to an eighth of a second."""
    witness = Witness("b", "console", CLAIMS)
    witness.opened(now.t_ns)
    for ms, text in ((300, "x"), (663, "link up")):
        found = witness.heard(text, ms, Moment(now.t_ns + 3_000_000_000 + ms * 1_000_000, 0))
    (claim,) = found
    assert claim.t_err_ns < 140_000_000


def test_the_console_dates_what_waited_for_the_serial_port(now: Moment) -> None:
    """It was open from the boot on, and tells of the same one."""
    together: list[Witness] = []
    console, serial = (Witness("b", name, CLAIMS, 0, together) for name in ("console", "serial"))
    console.opened(now.t_ns)
    booted_ns = now.t_ns + 5_000_000_000
    console.booted()
    for ms in (300, 663, 921):
        assert console.heard_plain("x", ms, Moment(booted_ns + ms * 1_000_000, 0))
    read = Moment(booted_ns + 1_400_000_000, 0)
    serial.opened(read.t_ns)
    (claim,) = serial.heard("link up", 663, read)
    assert abs(claim.t_ns - booted_ns - 663_000_000) <= claim.t_err_ns < 140_000_000


def test_a_console_of_another_boot_dates_nothing(now: Moment) -> None:
    """By its clock the claim would have been made before the serial port had its last line."""
    together: list[Witness] = []
    console, serial = (Witness("b", name, CLAIMS, 0, together) for name in ("console", "serial"))
    console.opened(now.t_ns)
    last = Moment(now.t_ns + 60_000_000_000, 0)
    for witness in (console, serial):
        witness.opened(now.t_ns)
        witness.heard("x", 55_000, last)
    read = Moment(last.t_ns + 20_000_000_000, 0)
    serial.opened(read.t_ns)
    (claim,) = serial.heard("link up", 663, read)
    assert claim.t_ns + claim.t_err_ns == read.t_ns
    assert claim.t_ns - claim.t_err_ns <= last.t_ns


@PURE
@given(
    st.lists(st.tuples(st.integers(0, 3_000), st.sampled_from(["line", "line", "line", "boot", "open"])), max_size=40),
    st.data(),
)
def test_the_truth_lies_within_the_bound(steps: list[tuple[int, str]], data: st.DataObject) -> None:
    """Whatever a closed port has kept, over boots and openings, a claim was made within the time that it is given."""
    witness = Witness("b", "serial", CLAIMS, began_ns=0)
    instant_ms, booted_ms, seen_ms, is_open = 1_000, 1_000, 0, False
    kept: list[tuple[str, int, int]] = []
    for wait_ms, kind in steps:
        instant_ms += wait_ms
        if kind == "open":
            is_open = not is_open
            if is_open:
                witness.opened(instant_ms * 1_000_000)
        else:
            booted_ms = instant_ms if kind == "boot" else booted_ms
            kept.append((kind, instant_ms, instant_ms - booted_ms))
        for what, true_ms, board_ms in kept if is_open else []:
            seen_ms = max(seen_ms, instant_ms + data.draw(st.integers(0, 200)))
            if what == "boot":
                witness.booted()
            for claim in witness.heard("link up", board_ms, Moment(seen_ms * 1_000_000, 0)):
                assert abs(claim.t_ns - true_ms * 1_000_000) <= claim.t_err_ns + 1_000_000
        kept = [] if is_open else kept
