"""Everything that is known of one firmware, in one value."""

import tomllib

import pytest

from hil.errors import BenchError, MisuseError
from hil.profiles.profile import Profile, read_profile
from hil.toml_table import Table

MINE = """
name = "mine"
role = "dhcp-client"
[http]
status = "/status"
[flags]
names = ["up"]
[[claim]]
name = "LINK_UP"
called = "up"
[[claim]]
name = "LINK_DOWN"
pattern = "link down"
[[claim]]
name = "LEASED"
never = "not yet"
source = "main.c"
[[sequence]]
name = "connect"
order = ["LINK_DOWN < LINK_UP"]
source = "main.c"
"""


def profile(text: str = MINE) -> Profile:
    """A file's profile."""
    return read_profile(Table(tomllib.loads(text), "mine.toml: "))


def test_what_is_never_said_cannot_be_claimed() -> None:
    """It is known all the same."""
    assert profile().can_claim == {"LINK_UP", "LINK_DOWN"}
    leased = profile().claim("LEASED")
    assert leased is not None
    assert leased.never == "not yet"


def test_the_firmwares_words_become_the_scenarios() -> None:
    """One that the profile does not have is kept."""
    assert [profile().named(word) for word in ("up", "LINK_DOWN", "sideways")] == ["LINK_UP", "LINK_DOWN", "sideways"]


@pytest.mark.parametrize(
    ("what", "known"),
    [
        ("http.status", True),
        ("http.events", False),
        ("http.stream", False),
        ("http.one_task", False),
        ("network.address", False),
        ("claim.LINK_UP", True),
        ("claim.LEASED", False),
        ("claim.SIDEWAYS", False),
        ("sequence.connect", True),
        ("sequence.sleep", False),
        ("events.capacity", False),
    ],
)
def test_what_is_known_can_be_asked_by_name(what: str, known: bool) -> None:
    """Paths, addresses, limits, claims and orders."""
    assert profile().knows(what) is known


@pytest.mark.parametrize("what", ["http.colour", "colour.http", "", "http"])
def test_what_no_profile_has_is_an_error_of_the_test(what: str) -> None:
    """The message lists what there is."""
    with pytest.raises(MisuseError, match=r"knows\('.*'\): profiles have claim\.…, sequence\.…, http\.…"):
        profile().knows(what)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"name is missing; wanted a word"),
        (MINE.replace('"dhcp-client"', '"client"'), r"role is 'client'; known: 'dhcp-client', 'dhcp-server', 'static'"),
        ('colour = "red"\n' + MINE, r"colour is not a known key; known: about, claim, events, extends, flags"),
        (MINE.replace('names = ["up"]', ""), r"claim is \[.*\]; nothing says LINK_UP: wanted its pattern, log\.line"),
        (
            MINE.replace('status = "/status"', ""),
            r"claim is \[.*\]; nothing says LINK_UP: .* http\.status with its flag",
        ),
        (MINE.replace('status = "/status"', 'events = "/events"'), r"events\.when_full is missing"),
    ],
)
def test_a_slip_of_the_pen_is_named(text: str, message: str) -> None:
    """File, key, value and what would be right."""
    with pytest.raises(BenchError, match=r"^mine\.toml: " + message):
        profile(text)
