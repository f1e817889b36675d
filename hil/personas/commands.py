"""What a persona wants done; the caller does it, the persona touches nothing."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Command:
    """Base of all commands."""


@dataclass(frozen=True, slots=True)
class SendFrame(Command):
    """Put an Ethernet frame on the interface."""

    frame: bytes


@dataclass(frozen=True, slots=True)
class SetAddress(Command):
    """Put the leased address on the interface."""

    address: str
    prefix: int
    router: str
    """'' where the server named none."""
    server: str
    lease_s: int


@dataclass(frozen=True, slots=True)
class ClearAddress(Command):
    """Take the leased address off the interface."""

    address: str
    reason: str
    """expired, nak, link-down or released."""


@dataclass(frozen=True, slots=True)
class StateChanged(Command):
    """The machine moved; states are named as in RFC 2131 figure 5."""

    state: str
    previous: str


@dataclass(frozen=True, slots=True)
class Note(Command):
    """Something worth telling a person, such as giving up."""

    text: str
