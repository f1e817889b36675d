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
    """'' where the server named none that can be reached."""
    server: str
    lease_s: int


@dataclass(frozen=True, slots=True)
class OwnAddress(Command):
    """Put an address on the interface that nobody has leased."""

    address: str
    prefix: int


@dataclass(frozen=True, slots=True)
class ClearAddress(Command):
    """Take the leased address off the interface."""

    address: str
    reason: str
    """expired, nak, other-address or link-down."""


@dataclass(frozen=True, slots=True)
class SetLinkLocal(Command):
    """Put an address of 169.254/16 on the interface."""

    address: str


@dataclass(frozen=True, slots=True)
class ClearLinkLocal(Command):
    """Take it off again."""

    address: str
    reason: str
    """lease, conflict or link-down."""


@dataclass(frozen=True, slots=True)
class StateChanged(Command):
    """The DHCP client moved; states are named as in :mod:`hil.personas.states`."""

    state: str
    previous: str


@dataclass(frozen=True, slots=True)
class GaveUp(Command):
    """Nothing is awaited any more of what was."""

    awaited: str
    """OFFER, ACK or carrier."""
    tries: int
    """Messages sent, or due to be sent, in vain."""


@dataclass(frozen=True, slots=True)
class Doubted(Command):
    """A reply has something wrong about it."""

    message: str
    """OFFER, ACK or NAK."""
    reason: str
    """One of :data:`hil.personas.replies.REASONS`."""
    taken: bool
    """Whether the client acted on it all the same."""
    address: str
    server: str


@dataclass(frozen=True, slots=True)
class Note(Command):
    """Something worth telling a person."""

    text: str
