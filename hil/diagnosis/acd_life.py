"""What a board with a static address and the hosts beside it said by ARP, one link after the other."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from hil.clock import to_ns
from hil.diagnosis.signature import Sides
from hil.diagnosis.window import Window
from hil.expect import not_, one_of
from hil.timeline.events import (
    ArpReply,
    ArpRequest,
    Carrier,
    Event,
    IcmpEcho,
    IpPacket,
    ProfileRead,
    UsbSuspended,
)

NOBODY = "0.0.0.0"
STATIC = "static"


@dataclass(frozen=True, slots=True)
class Life:
    """From one link to the next; every list is by time."""

    link: Event | None
    """The carrier that it begins with; None where that was before the window."""
    until_ns: int
    probes: list[Event]
    announcements: list[Event]
    uses: list[Event]
    """Answers for the address, questions and packets from it."""
    claims: list[Event]
    """Frames in which a host has the address."""
    rivals: list[Event]
    """Probes of a host for it."""
    questions: list[Event]
    """Of a host that wants to talk to who has it."""
    echoes: list[Event]
    """The board's own requests for it, which a host has sent back."""
    sleeps: list[Event]
    """The bus was suspended."""

    @property
    def first_use(self) -> Event | None:
        """The first frame from the address, an announcement included."""
        return first([*self.uses, *self.announcements])


Look = Callable[[Life, list[Life]], Sides | None]
"""Evidence of one life, beside those that were before it."""


def first(events: Iterable[Event]) -> Event | None:
    return min(events, key=lambda event: event.t_ns, default=None)


def before(events: list[Event], event: Event) -> list[Event]:
    return [each for each in events if each.t_ns < event.t_ns]


def after(events: list[Event], event: Event, from_s: float = 0.0, to_s: float = float("inf")) -> list[Event]:
    """Those more than ``from_s`` and no more than ``to_s`` after ``event``."""
    return [each for each in events if from_s < (each.t_ns - event.t_ns) / 1e9 <= to_s]


def lives(window: Window) -> list[Life]:
    """Of a board with a static address, the latest first; none where the wire was not seen, or the role is another."""
    profile = window.told(ProfileRead)
    if not isinstance(profile, ProfileRead) or profile.role != STATIC or window.blind("packet") or not profile.address:
        return []
    links = window.all(Carrier(up=True))
    starts = [window.since_ns, *(link.t_ns - link.t_err_ns for link in links)]
    ends = [*starts[1:], window.until_ns]
    spans = zip([None, *links], starts, ends, strict=True)
    return [_life(window, profile.address, link, start, end) for link, start, end in spans][::-1]


def _life(window: Window, address: str, link: Event | None, start: int, end: int) -> Life:
    def seen(*patterns: Event) -> list[Event]:
        found = [event for pattern in patterns for event in window.all(pattern) if start <= event.t_ns < end]
        return sorted(found, key=lambda event: event.t_ns)

    def request(sender: str, **fields: Any) -> Event:
        return ArpRequest(sender=sender, **fields)

    own = board_macs(window)
    foreign = not_(one_of(*own))
    return Life(
        link=link,
        until_ns=end,
        probes=seen(request("board", sender_ip=NOBODY, target_ip=address)),
        announcements=seen(request("board", sender_ip=address, target_ip=address)),
        uses=seen(
            request("board", sender_ip=address, target_ip=not_(address)),
            ArpReply(sender_ip=address, sender="board"),
            IpPacket(src=address, sender="board"),
            IcmpEcho(src=address, sender="board"),
        ),
        claims=seen(
            request("host", sender_ip=address, sender_mac=foreign),
            ArpReply(sender_ip=address, sender="host", sender_mac=foreign),
        ),
        rivals=seen(request("host", sender_ip=NOBODY, target_ip=address, sender_mac=foreign)),
        questions=seen(request("host", sender_ip=not_(one_of(NOBODY, address)), target_ip=address)),
        echoes=seen(request("host", target_ip=address, sender_mac=one_of(*own))),
        sleeps=seen(UsbSuspended()),
    )


def board_macs(window: Window) -> tuple[str, ...]:
    """Hardware addresses that the board has spoken from; '' where it has not, which no host has either."""
    spoken = [*window.all(ArpRequest(sender="board")), *window.all(ArpReply(sender="board"))]
    return tuple(sorted({each.sender_mac for each in spoken if isinstance(each, ArpRequest | ArpReply)})) or ("",)


def judge(look: Look) -> Callable[[Window], Sides | None]:
    """``look`` at each life, the latest first, beside those that were before it; the first that shows anything."""

    def seen(window: Window) -> Sides | None:
        all_of_them = lives(window)
        found = (look(life, all_of_them[number + 1 :]) for number, life in enumerate(all_of_them))
        return next((sides for sides in found if sides is not None), None)

    return seen


def outlasts(life: Life, event: Event, for_s: float) -> bool:
    """Whether the life was seen for so long after ``event``."""
    return life.until_ns - event.t_ns >= to_ns(for_s)
