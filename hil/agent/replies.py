"""What the agent's answers become for its callers."""

import errno
import socket
from dataclasses import dataclass

from hil.errors import AgentError

CONNECT_ERRORS = {
    "refused": errno.ECONNREFUSED,
    "timeout": errno.ETIMEDOUT,
    "unreachable": errno.EHOSTUNREACH,
}


class ConnectFailed(OSError):
    """A TCP connection did not come about, by no fault of the harness; ``errno`` is set.

    Attributes:
        kind: refused, timeout or unreachable.
    """

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(CONNECT_ERRORS[kind], text)
        self.kind = kind


class PortWatched(AgentError):
    """A serial port is watched for this client, who has to let go of it first."""


class PortHeld(AgentError):
    """Another process has a serial port open; the message names it."""


@dataclass(frozen=True)
class Done:
    """The agent did it at ``t_ns`` (CLOCK_MONOTONIC), give or take ``t_err_ns``."""

    t_ns: int
    t_err_ns: int


@dataclass(frozen=True)
class Hello:
    """What the agent says of itself."""

    pid: int
    boards: tuple[str, ...]
    """Names in its allow list."""
    virtual: bool
    """The virtual board may be started."""
    modules: tuple[str, ...]
    """Kernel modules that may be loaded, beside those of the virtual bench."""
    last_restored: str | None
    """What was undone for a client before this one, told once."""


@dataclass
class VirtualHandle:
    """A running virtual board."""

    socket: socket.socket
    """Its control socket: JSON lines; ``configure`` with id 1 has been said."""
    usb: str
    """Topology path of its USB port."""
    console: str
    """Topology path of its UART bridge, or ''."""
    lan: str
    """Namespace from which ``address`` is reached, or ''."""
    address: str
    """Its fallback IPv4 address, or ''."""
    pid: int
    t_ns: int
    """Instant at which it was configured."""
