"""What may differ between DHCP clients: the figures of RFC 2131 that every implementation chooses for itself."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Backoff:
    """When a message is sent again: ``delays_s`` in turn, the last one for ever, each randomised."""

    delays_s: tuple[float, ...]
    jitter_low_s: float = -1.0
    """RFC 2131 section 4.1: a uniform value between -1 and +1 second is added."""
    jitter_high_s: float = 1.0
    tries: int = 0
    """Messages sent before the client gives up; 0 never."""

    def delay_s(self, sent: int, dice: float) -> float:
        """Seconds to wait after the ``sent``-th message (1 is the first); ``dice`` is uniform in 0…1."""
        base = self.delays_s[min(sent, len(self.delays_s)) - 1]
        return max(0.1, base + self.jitter_low_s + dice * (self.jitter_high_s - self.jitter_low_s))


@dataclass(frozen=True)
class ClientProfile:
    """One client implementation; the defaults are RFC 2131's own words."""

    name: str
    requested: tuple[int, ...] = (1, 3, 6)
    """Option 55, in the order the client sends it."""
    discover: Backoff = field(default_factory=lambda: Backoff((4, 8, 16, 32, 64)))
    request: Backoff = field(default_factory=lambda: Backoff((4, 8, 16, 32, 64), tries=4))
    reboot: Backoff = field(default_factory=lambda: Backoff((4, 8), tries=2))
    pause_s: float = 0.0
    """After giving up: silence before the next DISCOVER; 0 starts at once (RFC 2131 section 3.1 step 5)."""
    gather_s: float = 0.0
    """How long offers are collected before one is asked for."""
    nak_needs_server: bool = False
    """Whether a NAK without option 54 is ignored."""
    broadcast_flag: bool = False
