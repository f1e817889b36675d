"""The event vocabulary: one table in C, in the firmware's documentation and in hil's profile."""

import ctypes
import re
from itertools import count, takewhile

from hil import profiles
from hil.virtual.build import ensure_library
from hil.virtual.core_abi import load
from tests.firmware.toolchain import FIRMWARE

ROLES = {"all", "server", "client", "static"}


def in_c() -> list[str]:
    """Names as the core's library gives them, in its order."""
    library: ctypes.CDLL = load(ensure_library())
    texts = (library.fw_event_text(number) for number in count())
    return [text.decode() for text in takewhile(lambda text: text is not None, texts)]


def in_table() -> list[tuple[str, set[str]]]:
    """Names and roles as firmware/EVENTS.md has them."""
    rows = re.findall(r"^\| `(\w+)` \| ([\w, ]+) \|", (FIRMWARE / "EVENTS.md").read_text(), re.MULTILINE)
    return [(name, set(roles.split(", "))) for name, roles in rows]


def test_table_has_the_events_of_the_core_in_its_order() -> None:
    """Each name that the core can record has its line, and each line is a name of the core."""
    assert [name for name, _ in in_table()] == in_c()


def test_roles_are_those_that_there_are() -> None:
    """A line names roles of Kconfig, or all."""
    assert [(name, roles) for name, roles in in_table() if not roles <= ROLES] == []


def test_profile_claims_what_the_core_records() -> None:
    """Profile reference knows every event, and no event that the core does not have."""
    assert {claim.name for claim in profiles.load("reference").claims} == set(in_c())


def test_profile_has_the_flags_of_the_core() -> None:
    """The flags of /status are the first events of the table, in that order."""
    flags = list(profiles.load("reference").flags.names)
    assert flags == [name for name, _ in in_table()][: len(flags)]
    assert re.search(rf"FW_EVENT_{flags[-1]},\s+FW_EVENT_FLAGS,", (FIRMWARE / "core/src/event_log.h").read_text())
