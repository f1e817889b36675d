"""What the table says of one fault, and how it is proven."""

from dataclasses import dataclass
from typing import Literal

Beyond = Literal["cable", "chip", "loader", "lwIP", "TinyUSB"]
"""What makes a fault that no setting of the firmware's build makes."""


@dataclass(frozen=True, slots=True)
class Proof:
    """One run on a faulty board: when the fault begins, and what is run."""

    begins: str
    """What follows the fault's name in ``--hil-virtual-fault``, such as 'from_boot=2'; '' for from the start."""
    scenarios: tuple[str, ...]
    """Files of tests/hil, or ``file::test`` in them, in the order in which they run; the last one finds the fault."""
    passes_before: int = 0
    """Tests that pass before the fault is found."""
    options: tuple[str, ...] = ()
    """Further options of pytest."""
    build: tuple[str, ...] | None = None
    """The firmware of the bench, by the options of ``hil.virtual.write_build``; None: none."""
    afterwards: tuple[str, ...] = ()
    """Tests that run after them and pass: the board has been brought back."""


def started(scenario: str, options: tuple[str, ...] = ()) -> tuple[Proof, Proof]:
    """Proofs by a scenario that starts the board itself: from its first start on, and from its second."""
    return Proof("", (scenario,), options=options), Proof("from_boot=2", (scenario,), options=options)


def running(scenario: str, before: str, options: tuple[str, ...] = ()) -> tuple[Proof, Proof]:
    """Proofs by a scenario that takes the board as it is; the second time ``before`` has started it once more."""
    late = Proof("from_boot=2", (before, scenario), passes_before=1, options=options)
    return Proof("", (scenario,), options=options), late


@dataclass(frozen=True, slots=True)
class Entry:
    """One fault."""

    fault: str
    """Its name for ``--hil-virtual-fault``."""
    wrong: str
    """What the board or the cable does."""
    seen_in: str
    """Firmware, issue or specification where it was met."""
    finding: str
    """Name of the one finding that must come out."""
    proofs: tuple[Proof, ...]
    """At two timings at least; the first one is in `make test`, the others in `make soak`."""
    port_mistake: str = ""
    """Name in firmware/components/port_mistakes of what a build does wrong to have it; '' where the port has none."""
    kconfig: tuple[str, ...] = ()
    """Settings of Kconfig that give a build the fault, 'CONFIG_NAME=value'."""
    beyond_build: Beyond | None = None
    """Who makes it, where neither these nor a mistake of the core do: the fault in `hil.virtual.builtin` says which
    mistakes of the core those are."""
    long: bool = False
    """All of its proofs are left to `make soak`: its board comes and goes for most of a minute, or others of its kind
    are in `make test`."""

    @property
    def scenarios(self) -> tuple[str, ...]:
        """Those that find it, each once."""
        return tuple(dict.fromkeys(proof.scenarios[-1] for proof in self.proofs))
