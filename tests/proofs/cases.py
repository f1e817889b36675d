"""What is proven on the virtual bench: faulty boards, and the scenarios that must name them."""

from dataclasses import dataclass

from hil.catalogue import FAULTS, Entry, Proof
from hil.catalogue.scenarios import (
    AT_RANDOM,
    CLEARED,
    CLIENT,
    CONNECT,
    ENTERED,
    FLASHED,
    LEFT_ALONE,
    LIMITED,
    REPLUG,
    RETREATED,
    STATIC,
    SUSPEND,
    TWO,
    TWO_BOARDS,
)

SCENARIOS = "tests/hil"
FILES = "tests/proofs/faults"
FLASHED_FIRST = ("--hil-flash", "auto")
NO_BUILD = "no virtual build of hil-reference 0.1.0"


@dataclass(frozen=True)
class Case:
    """One run of some scenarios on one board."""

    name: str
    fault: str
    """As --hil-virtual-fault takes it; '' for a clean board."""
    scenarios: tuple[str, ...]
    """In the order in which they run; the last one must find the fault."""
    finding: str
    """The only finding that may come out; '' for none."""
    passes_before: int = 0
    """Tests that pass before the fault begins."""
    options: tuple[str, ...] = ()
    soak: bool = True
    """Left to `make soak`: one case of each fault is enough for every change."""
    user: int = 0
    """0: root, with an agent of its own; else an ordinary user, with the agent as a separate root process."""
    build: tuple[str, ...] | None = None
    """Options of ``hil.virtual.write_build`` for the bench's firmware; None: it names none."""
    afterwards: tuple[str, ...] = ()
    """Tests that run last, on a board that has been brought back, and pass."""
    skips: str = ""
    """Why each of the scenarios, of one test each, is skipped; '' where none is."""


def _proven(entry: Entry, number: int, proof: Proof) -> Case:
    begins = f"{entry.fault}:{proof.begins}" if proof.begins else entry.fault
    name = f"{entry.fault}-{number}"
    return Case(
        name,
        begins,
        proof.scenarios,
        entry.finding,
        proof.passes_before,
        proof.options,
        soak=number > 1 or entry.long,
        build=proof.build,
        afterwards=proof.afterwards,
    )


CLEAN = (
    Case("clean-0.19", "", (CONNECT, REPLUG, SUSPEND), "", 3, ("--hil-tinyusb", "0.19")),
    Case("clean-macos", "", ("test_connect.py", "test_replug.py", SUSPEND), "", 5, ("-m", "hil and soak")),
    Case("clean-silence", "", ("test_replug.py", "test_silence.py"), "", 6, ("--hil-tinyusb", "0.19")),
    Case("clean-log-and-http", "", ("test_terminal.py", "test_http.py"), "", 11, ("--hil-tinyusb", "0.19")),
    Case("clean-enumerated-anew", "", ("test_enumerated_anew.py", "test_sequence.py"), "", 3),
    Case("clean-two-boards", "", (TWO_BOARDS,), "", 1, TWO),
    Case("clean-loader", "", (ENTERED, CLEARED, FLASHED, REPLUG, CONNECT), "", 5, build=("--version", "0.9.9")),
    Case("clean-flash", "", ("test_flash.py",), "", 3),
    Case("clean-static", "", ("test_static_address.py",), "", 8, STATIC),
    Case("clean-static-long", "", (RETREATED, LEFT_ALONE), "", 2, (*STATIC, "-m", "hil")),
    Case("clean-static-limited", "", (LIMITED,), "", 1, (*STATIC, "-m", "hil")),
    Case("clean-static-boots", "", (AT_RANDOM,), "", 1, (*STATIC, "-m", "hil")),
    Case("clean-client", "", ("test_dhcp_client.py",), "", 5, CLIENT),
    Case("clean-alien", "", (CONNECT, SUSPEND), "", build=("--no-build",), options=FLASHED_FIRST, skips=NO_BUILD),
    Case("clean-ordinary-user", "", (CONNECT, REPLUG, SUSPEND), "", 3, soak=False, user=65534),
)
FROM_FILES = (
    Case("notification-file", f"{FILES}/mute_endpoint.py", (CONNECT,), "link-notification-missing"),
    Case("server-file", f"{FILES}/deaf_port.py", (CONNECT,), "dhcp-server-silent"),
    Case("plug-file", f"{FILES}/loose_plug.py", (CONNECT,), "board-left-the-bus"),
    Case("sends-file", f"{FILES}/sleepy_stack.py", (SUSPEND,), "sends-rejected-while-suspended"),
)
"""The same faults under other names: a finding reads nothing but the timeline."""
BUILTIN = tuple(_proven(entry, number, proof) for entry in FAULTS for number, proof in enumerate(entry.proofs, 1))
CASES = (*CLEAN, *BUILTIN, *FROM_FILES)
