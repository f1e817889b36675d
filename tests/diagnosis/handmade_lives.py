"""What a board with a static address and the hosts beside it say by ARP, made by hand."""

from collections.abc import Sequence

from hil.testing.handmade import action, at, attached, names
from hil.timeline.events import ArpReply, ArpRequest, Carrier, Event, ProfileRead

ADDRESS, ASKER, NOBODY = "192.168.7.1", "192.168.7.253", "0.0.0.0"
BOARD_MAC, HOST_MAC = "02:02:11:22:33:02", "02:02:11:22:33:01"
STATIC = at(-5.0, ProfileRead("mine", ADDRESS, 24, "", "", "", "static"), "harness")
SERVER = at(-5.0, ProfileRead("mine", ADDRESS, 24, "", "", "", "dhcp-server"), "harness")
END_S = 20.0


def request(t_s: float, sender: str, sender_ip: str, target_ip: str = ADDRESS) -> Event:
    mac = BOARD_MAC if sender == "board" else HOST_MAC
    return at(t_s, ArpRequest(target_ip, sender_ip, mac, sender), "packet")


def probes(*at_s: float) -> list[Event]:
    return [request(t_s, "board", NOBODY) for t_s in at_s]


def announcements(*at_s: float) -> list[Event]:
    return [request(t_s, "board", ADDRESS) for t_s in at_s]


def claims(*at_s: float) -> list[Event]:
    """Another host announces the address."""
    return [request(t_s, "host", ADDRESS) for t_s in at_s]


def rival(t_s: float) -> list[Event]:
    return [request(t_s, "host", NOBODY)]


def asked(since_s: float, until_s: float, answered_from_s: float = 1e9) -> list[Event]:
    """A host asks each quarter of a second, and is answered from ``answered_from_s`` on."""
    found: list[Event] = []
    t_s = since_s
    while t_s < until_s:
        found.append(request(t_s, "host", ASKER))
        if t_s >= answered_from_s:
            found.append(at(t_s + 0.01, ArpReply(ADDRESS, BOARD_MAC, ASKER, "board"), "packet"))
        t_s += 0.25
    return found


def link(t_s: float, t_err_s: float = 0.0) -> list[Event]:
    return [at(t_s, Carrier(True, "usb0"), "netlink", t_err_s)]


def found(*parts: Sequence[Event], profile: Event = STATIC, end_s: float = END_S) -> list[str]:
    return names([profile, *(event for part in parts for event in part)], end_s)


UP = [attached(1.0), *link(2.0)]
ROUND = probes(2.5, 3.7, 5.2)
TAKEN = announcements(7.2, 9.2)
CLEAN = [*UP, *ROUND, *TAKEN, *asked(2.0, END_S, 7.3)]


def echoes(*at_s: float) -> list[Event]:
    """The board's own probes come back."""
    return [at(t_s, ArpRequest(ADDRESS, NOBODY, BOARD_MAC, "host"), "packet") for t_s in at_s]


def booted(t_s: float, *pauses_s: float) -> list[Event]:
    """The supply comes, a link, a host that talks to others, and probes with so long pauses between them."""
    sent, last_s = [t_s + 2.5], t_s + 2.5
    for pause_s in pauses_s:
        last_s += pause_s
        sent.append(last_s)
    heard = [request(t_s + 2.1, "host", ASKER, "192.168.7.77")]
    return [*action(t_s, "plug", "vbus_off"), attached(t_s + 1.0), *link(t_s + 2.0), *heard, *probes(*sent)]
