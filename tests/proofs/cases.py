"""What is proven on the virtual bench: faulty boards, and the scenarios that must name them."""

from dataclasses import dataclass

CONNECT, REPLUG, SUSPEND = (f"tests/hil/test_{name}.py" for name in ("connect", "replug", "suspend"))
FILES = "tests/proofs/faults"


@dataclass(frozen=True)
class Case:
    """One run of some scenarios on one faulty board."""

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
    """Left to `make soak`: one case of each kind is enough for every change."""
    user: int = 0
    """0: root, with an agent of its own; else an ordinary user, with the agent as a separate root process."""


CASES = (
    Case("clean-0.19", "", (CONNECT, REPLUG, SUSPEND), "", 3, ("--hil-tinyusb", "0.19")),
    Case("clean-ordinary-user", "", (CONNECT, REPLUG, SUSPEND), "", 3, soak=False, user=65534),
    Case("notification-from-start", "no-link-notification", (CONNECT,), "link-notification-missing", soak=False),
    Case("notification-after-replug", "no-link-notification:from_boot=2", (REPLUG,), "link-notification-missing"),
    Case("notification-file", f"{FILES}/mute_endpoint.py", (CONNECT,), "link-notification-missing"),
    Case("server-from-start", "dhcp-server-not-started", (CONNECT,), "dhcp-server-silent", soak=False),
    Case("server-after-replug", "dhcp-server-not-started:from_boot=2", (REPLUG,), "dhcp-server-silent"),
    Case("server-file", f"{FILES}/deaf_port.py", (CONNECT,), "dhcp-server-silent"),
    Case(
        "sends-from-start", "sends-rejected-while-suspended", (SUSPEND,), "sends-rejected-while-suspended", soak=False
    ),
    Case(
        "sends-after-replug",
        "sends-rejected-while-suspended:from_boot=2",
        (REPLUG, SUSPEND),
        "sends-rejected-while-suspended",
        1,
    ),
    Case("sends-file", f"{FILES}/sleepy_stack.py", (SUSPEND,), "sends-rejected-while-suspended"),
)
