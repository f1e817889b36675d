"""What a log's claims show, by a profile of the user's own."""

from pathlib import Path

import pytest

from hil.capture.claims import Claims, message_of
from hil.diagnosis.text.claims import MOST_SHOWN, BoardClaims
from hil.diagnosis.text.line import parts
from hil.profiles import load

LAMP = r"""
name = "lamp"
role = "dhcp-server"
[log]
line = 'net: (?P<name>[A-Z_]+)(?: (?P<detail>.+))?'
complete = true
[[claim]]
name = "BOOT"
once_per = "boot"
[[claim]]
name = "USB_MOUNTED"
[[claim]]
name = "NCM_LINK_UP"
says = "the host is told"
misleads = "the host may not have heard it"
source = "main.c"
[[claim]]
name = "NCM_LINK_DOWN"
[[claim]]
name = "FIRST_RX"
[[claim]]
name = "DHCP_DISCOVER_RX"
[[claim]]
name = "DHCP_OFFER_TX"
"""
UP = ("I (310) net: BOOT", "I (663) net: USB_MOUNTED", "I (921) net: NCM_LINK_UP kick")
LATER = "I (6000) lamp: tick"
ASKS = ("I (1200) net: DHCP_DISCOVER_RX", "I (2300) net: DHCP_DISCOVER_RX")


def read(tmp_path: Path, *texts: str, profile: str = LAMP) -> BoardClaims:
    path = tmp_path / "lamp.toml"
    path.write_text(profile)
    known = load(str(path))
    claims = BoardClaims(known, Claims.from_profile(message_of(known)).find)
    for number, text in enumerate(texts, 1):
        claims.hear(parts(text, number))
    return claims


def names(claims: BoardClaims) -> list[str]:
    return [finding.name for finding in claims.findings()]


def test_claims_are_shown_with_their_line_their_time_and_what_is_known_against_them(tmp_path: Path) -> None:
    """Those of the last boot."""
    claims = read(tmp_path, *UP, "rst:0x1 (POWERON),boot:0x8 (SPI_FAST_FLASH_BOOT)", "", *UP[1:], "net: FIRST_RX")
    assert claims.text().splitlines() == [
        "claims    profile lamp: 6, of the last boot 3",
        "  says         line 6  at 663 ms: USB_MOUNTED",
        "  says         line 7  at 921 ms: NCM_LINK_UP: kick",
        "  says         line 8  FIRST_RX",
        "  but                  NCM_LINK_UP: the host may not have heard it",
    ]


def test_a_log_without_a_claim_says_so(tmp_path: Path) -> None:
    """The profile may be another firmware's."""
    assert read(tmp_path, LATER).text() == "claims    profile lamp: no line is one of them"


def test_of_many_claims_the_latest_are_shown(tmp_path: Path) -> None:
    """What is kept does not grow with the log."""
    lines = read(tmp_path, *["I (663) net: USB_MOUNTED"] * 5000).text().splitlines()
    assert lines[0] == f"claims    profile lamp: 5000, of the last boot 5000, the last {MOST_SHOWN}"
    assert lines[-1].split() == ["says", "line", "5000", "at", "663", "ms:", "USB_MOUNTED"]
    assert len(lines) == 1 + MOST_SHOWN


@pytest.mark.parametrize(
    "anew",
    ["rst:0xc (SW_CPU),boot:0x8 (SPI)", "I (24) boot: ESP-IDF v5.3.1 2nd stage bootloader", UP[0], "I (5) lamp: up"],
)
def test_a_board_starts_anew(anew: str, tmp_path: Path) -> None:
    """By the ROM, the loader, what is said once in a boot, or a time that goes back."""
    claims = read(tmp_path, *UP, LATER, anew)
    assert f"of the last boot {int(anew == UP[0])}" in claims.text()
    assert names(claims) == []


def test_a_host_that_was_never_heard_is_no_carrier(tmp_path: Path) -> None:
    """The link is up, five seconds have gone by, and no frame has come."""
    (finding,) = read(tmp_path, *UP, LATER).findings()
    assert finding.name == "no-carrier"
    assert [each.text for each in finding.supports] == [
        "the board says",
        "the board says",
        "no FIRST_RX in the 5.1 s after that, and no line of this log is lost",
    ]


@pytest.mark.parametrize(
    "others",
    [
        ("I (5000) lamp: tick",),
        ("I (950) net: FIRST_RX", LATER),
        ("I (990) net: NCM_LINK_DOWN", LATER),
        (*ASKS[:1], LATER),
    ],
)
def test_a_host_that_may_have_been_heard_is_not(others: tuple[str, ...], tmp_path: Path) -> None:
    """It is too soon, a frame came, or the link went down again."""
    assert names(read(tmp_path, *UP, *others)) == []


def test_a_server_that_never_answers_is_silent(tmp_path: Path) -> None:
    """The host asks again and again."""
    claims = read(tmp_path, *UP, *ASKS, LATER)
    assert names(claims) == ["dhcp-server-silent"]
    assert claims.findings()[0].supports[1].text == "2 times in all, the last"


@pytest.mark.parametrize("others", [ASKS[:1], (*ASKS, "I (2310) net: DHCP_OFFER_TX"), (*ASKS, "I (2900) lamp: tick")])
def test_a_server_that_answers_or_still_may_is_not(others: tuple[str, ...], tmp_path: Path) -> None:
    """One question, an answer, or too little time for one."""
    late = () if "tick" in others[-1] else (LATER,)
    assert names(read(tmp_path, *UP, *others, *late)) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("complete = true", ""),
        ('name = "FIRST_RX"', 'name = "FIRST_RX"\nsilence = "not said before a terminal is open"\nsource = "main.c"'),
        ('name = "FIRST_RX"', 'name = "FIRST_RX"\nnever = "nobody calls it"\nsource = "main.c"'),
        ('[[claim]]\nname = "FIRST_RX"', ""),
    ],
)
def test_silence_that_proves_nothing_shows_nothing(old: str, new: str, tmp_path: Path) -> None:
    """Lines may be lost, the profile knows why the claim may be missing, or the firmware does not make it."""
    profile = LAMP.replace(old, new)
    assert profile != LAMP
    assert names(read(tmp_path, *UP, LATER, profile=profile)) == []


def test_only_a_server_can_be_a_silent_one(tmp_path: Path) -> None:
    """By the profile's role."""
    assert names(read(tmp_path, *UP, *ASKS, LATER, profile=LAMP.replace("dhcp-server", "dhcp-client"))) == []
