"""What a firmware can say: the tables of a profile, and how each slip of the pen is named."""

import tomllib

import pytest

from hil.errors import BenchError
from hil.profiles.claims import BOOT, Claim, Sequence, read_claims, read_sequences
from hil.toml_table import Table


def claims(text: str) -> tuple[Claim, ...]:
    """The claims of a file."""
    return read_claims(Table(tomllib.loads(text), "mine.toml: ").tables("claim"))


def row(name: str, *lines: str) -> str:
    """One [[claim]] table."""
    return "\n".join(["[[claim]]", f'name = "{name}"', *lines, ""])


KNOWN = claims(row("UP") + row("DOWN") + row("GONE", 'never = "no call site"', 'source = "main.c"'))


def test_a_claim_is_called_by_its_name_unless_it_says_otherwise() -> None:
    """The firmware's own word is kept beside the scenarios'."""
    up, down = claims(row("UP") + row("DOWN", 'called = "link-lost"'))
    assert (up.called, down.called) == ("UP", "link-lost")


def test_everything_that_is_known_of_a_claim_is_kept() -> None:
    """What it says, how it misleads, and where that is known from."""
    (claim,) = claims(
        row("UP", 'says = "asked"', 'misleads = "no carrier"', 'silence = "x"', 'once_per = "boot"', 'source = "s"')
    )
    assert claim == Claim("UP", "UP", "", False, "", "asked", "no carrier", "x", BOOT, "s")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (row("usb up"), r"claim\.usb up\.name is 'usb up'; wanted capitals, digits and underscores"),
        (row("UP") + row("UP"), r"claim\.UP\.name is 'UP'; two \[\[claim\]\] tables have that name"),
        (
            row("UP") + row("ON", 'called = "UP"'),
            r"claim\.ON\.called is 'UP'; the firmware cannot call two claims 'UP'",
        ),
        (row("UP", 'called = ""'), r"claim\.UP\.called is ''; wanted the firmware's own word"),
        (row("UP", 'patern = "up"'), r"claim\.UP\.patern is not a known key; known: called, log_only, misleads, name"),
        (row("UP", "pattern = 3"), r"claim\.UP\.pattern is 3; wanted a string"),
        (
            row("UP", 'never = "x"', 'pattern = "up"'),
            r"claim\.UP\.never is 'x'; what is never said has neither pattern",
        ),
        (row("UP", "log_only = true"), r"claim\.UP\.log_only is True; wanted a pattern beside it"),
        (row("UP", 'misleads = "x"', 'source = "s"'), r"claim\.UP\.misleads is 'x'; wanted beside it: says"),
        (row("UP", 'misleads = "x"', 'says = "y"'), r"claim\.UP\.misleads is 'x'; wanted beside it: source"),
        (row("UP", 'silence = "x"'), r"claim\.UP\.silence is 'x'; wanted beside it: source"),
        (row("UP", 'never = "x"'), r"claim\.UP\.never is 'x'; wanted beside it: source"),
        (row("UP", 'once_per = "mount"'), r"claim\.UP\.once_per is 'mount'; known: 'UP', 'boot'"),
        ("claim = 3", r"claim is 3; wanted \[\[claim\]\] tables"),
    ],
)
def test_a_slip_of_the_pen_is_named(text: str, message: str) -> None:
    """File, table, key, value and what would be right."""
    with pytest.raises(BenchError, match=r"^mine\.toml: " + message):
        claims(text)


# ---- order --------------------------------------------------------------------------------------


def sequences(order: str, name: str = "connect", extra: str = "") -> tuple[Sequence, ...]:
    """The sequences of a file with one."""
    text = f'[[sequence]]\nname = "{name}"\norder = {order}\nsource = "main.c"\n{extra}'
    return read_sequences(Table(tomllib.loads(text), "mine.toml: ").tables("sequence"), KNOWN)


def test_an_order_is_a_set_of_chains() -> None:
    """Between two chains nothing is said."""
    (sequence,) = sequences('["UP < DOWN < UP", "UP<DOWN"]')
    assert sequence.chains == (("UP", "DOWN", "UP"), ("UP", "DOWN"))
    assert sequence.claims == ("UP", "DOWN")


@pytest.mark.parametrize(
    ("order", "message"),
    [
        ("[]", "wanted chains such as 'NETIF_READY < NCM_LINK_UP'"),
        ('["UP"]', "wanted chains such as 'NETIF_READY < NCM_LINK_UP'"),
        ('["UP < SIDEWAYS"]', "'SIDEWAYS' is no claim that can be made; known: UP, DOWN"),
        ('["UP < GONE"]', "'GONE' is no claim that can be made; known: UP, DOWN"),
        ('["UP < "]', "'' is no claim that can be made"),
        ('"UP < DOWN"', "wanted an array"),
    ],
)
def test_an_order_of_what_is_not_claimed_is_refused(order: str, message: str) -> None:
    """A chain that could never be judged would be skipped for ever."""
    with pytest.raises(BenchError, match=r"^mine\.toml: sequence\.connect\.order is .*" + message):
        sequences(order)


def test_a_sequence_stands_once() -> None:
    """Its chains belong in one table."""
    with pytest.raises(BenchError, match=r"sequence\.connect\.name is 'connect'; two \[\[sequence\]\] tables"):
        sequences('["UP < DOWN"]', extra='[[sequence]]\nname = "connect"\norder = ["UP < DOWN"]\nsource = "x"\n')
