"""What host and machine say to each other on port 1, one line each.

======== ============================= ==================================================================
to host  ``phase NAME UPTIME``         a phase began: ``shell``, ``start`` (of the command), ``end`` (of it)
to host  ``exit STATUS``               all its output has been sent; its exit status as a shell gives it
to host  ``done``                      all it wrote has been sent: nothing follows
to guest ``group NAME``                the signal, to the command's process group, as a terminal sends it
to guest ``alone NAME``                the signal, to the command itself, as ``kill`` sends it
======== ============================= ==================================================================
"""

import signal
from dataclasses import dataclass, field

from hil.clock import now_ns, to_s
from hil.errors import HarnessError

CONSOLE_LOG = "machine-console.log"
"""Name of the file in the artifacts that gets what the machine's kernel prints."""
FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Signals of ours that the command gets."""


def order(number: int) -> bytes:
    """The line that hands signal ``number`` on."""
    to = "alone" if number == signal.SIGTERM else "group"
    return f"{to} {signal.Signals(number).name.removeprefix('SIG')}\n".encode()


@dataclass(frozen=True, slots=True)
class Phase:
    """When a phase began."""

    uptime_s: float
    """By the machine's clock, since its kernel started."""
    elapsed_s: float
    """By ours, since QEMU was started."""


@dataclass
class Outcome:
    """What the machine has said so far."""

    started_ns: int = field(default_factory=now_ns)
    phases: dict[str, Phase] = field(default_factory=dict)
    status: int | None = None
    done: bool = False
    _rest: bytes = b""

    def feed(self, data: bytes) -> None:
        """Take bytes, in pieces of any size.

        Raises:
            HarnessError: a line means nothing.
        """
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._hear(line.decode(errors="replace"))

    def _hear(self, line: str) -> None:
        match line.split():
            case ["phase", name, uptime]:
                self.phases[name] = Phase(float(uptime), to_s(now_ns() - self.started_ns))
            case ["exit", status]:
                self.status = int(status)
            case ["done"]:
                self.done = True
            case _:
                raise HarnessError(f"the virtual machine said {line!r}; known: phase NAME UPTIME, exit STATUS, done")

    def timing(self) -> dict[str, float]:
        """Seconds since QEMU's start by phase; ``kernel`` is the machine's own time until its shell ran."""
        shell = {"kernel": self.phases["shell"].uptime_s} if "shell" in self.phases else {}
        return {**shell, **{name: round(phase.elapsed_s, 3) for name, phase in self.phases.items()}}
