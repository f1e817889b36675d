"""What a board has seen of its host, counted over all of its boots: the virtual bench's own witness of an action."""

from dataclasses import dataclass


@dataclass(slots=True)
class Seen:
    """How often each has happened."""

    bus_resets: int = 0
    mounts: int = 0
    """SET_CONFIGURATION 1."""
    unmounts: int = 0
    """SET_CONFIGURATION 0."""
    suspends: int = 0
    resumes: int = 0
    holds: int = 0
    """EN has fallen."""
