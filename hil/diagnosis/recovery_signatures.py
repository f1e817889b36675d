"""What the board does about a silent host: too little, too much, or too early."""

from collections.abc import Iterator
from itertools import pairwise

from hil.diagnosis.departures import RECOVERY, Departure, departures
from hil.diagnosis.finding import Evidence
from hil.diagnosis.signature import Sides, Signature, frames, held, seen
from hil.diagnosis.window import ESPRESSIF, LOADERS, Window
from hil.expect import regex
from hil.timeline.events import BoardSaid, Carrier, PersonaState, Started, UsbAttached, UsbDetached, UsbSuspended

SILENCE_NS = 4_000_000_000
"""A board that recovers does so within about 2.5 s of the mount (mcu-apple-bridge: 250 + 250 + 2000 ms)."""
STORM = 3
STORM_GAP_NS = 7_000_000_000
"""Detach, attach, kick, grace and an enumeration; with a backoff that holds the third distance is longer than that."""
TOO_EARLY_MS = 1500
"""No board can know of a host's silence so soon after the mount."""


def _no_recovery_after_silence(window: Window) -> Sides | None:
    """The latest enumeration began inside the window, and since then both sides keep silent."""
    latest = window.enumerations()[0]
    attached = latest.first(UsbAttached(vid=ESPRESSIF))
    carrier = held(latest, Carrier(up=True))
    if not isinstance(attached, UsbAttached) or attached.pid in LOADERS:
        return None
    if carrier is None or window.blind("packet") or frames(latest, "host"):
        return None
    silent_ns = window.until_ns - carrier.t_ns
    if silent_ns < SILENCE_NS:
        return None
    supports = [
        Evidence("the board is on the bus", attached),
        Evidence("the interface has carrier", carrier),
        *seen("the host has given up", latest.last(PersonaState(state="FAILED"))),
        Evidence(f"no frame of the host for {silent_ns / 1e9:.1f} s"),
        Evidence("the board has neither dropped the link nor left the bus, and says nothing of a recovery"),
    ]
    contradicts = [
        *seen("the board dropped the link", latest.first_after(Carrier(up=False), carrier)),
        *seen("the board left the bus", latest.first(UsbDetached(path=window.port))),
        *seen("the board recovered", window.first(BoardSaid(name="USB_RECOVER"))),
        *seen("the bus was suspended", latest.first(UsbSuspended())),
        *seen("it was told to leave for its loader", latest.first(Started(action="enter_bootloader"))),
    ]
    return supports, contradicts


def _recovery_storm(window: Window) -> Sides | None:
    """Recovery after recovery at the same short distance; the count of attempts never rises."""
    row = max(_rows(departures(window)), key=len, default=[])
    if len(row) < STORM:
        return None
    last = row[-1]
    seconds = (last.event.t_ns - row[0].event.t_ns) / 1e9
    supports = [
        Evidence(f"the board left the bus {len(row)} times in {seconds:.1f} s, first", row[0].event),
        Evidence("last", last.event),
        *seen("the board says that it recovers, as if for the first time", last.because),
    ]
    counted = window.first(BoardSaid(name="USB_RECOVER", detail=regex(r"[2-9]|\d\d|gave")))
    return supports, seen("the board counts its attempts", counted)


def _rows(found: list[Departure]) -> Iterator[list[Departure]]:
    """Recoveries one after the other, none of them long after the one before."""
    row: list[Departure] = []
    for former, each in pairwise([None, *found]):
        assert each is not None
        if each.reason != RECOVERY:
            yield row
            row = []
        elif row and former is not None and each.event.t_ns - former.event.t_ns > STORM_GAP_NS:
            yield row
            row = [each]
        else:
            row.append(each)
    yield row


def _recovery_timer_underflow(window: Window) -> Sides | None:
    """By the board's own clock it recovers from silence right after a mount, and the host sees it go."""
    gone = [departure for departure in departures(window) if departure.reason == RECOVERY]
    for mounted, recovered in _hasty(window):
        after = [each.event for each in gone if abs(each.event.t_ns - recovered.t_ns) < STORM_GAP_NS]
        if after:
            ms = recovered.board_ms - mounted.board_ms
            supports = [
                Evidence("the board says that it was mounted", mounted),
                Evidence(f"{ms} ms later by its own clock it has waited long enough for a frame", recovered),
                Evidence("it leaves the bus", after[0]),
            ]
            return supports, []
    return None


def _hasty(window: Window) -> Iterator[tuple[BoardSaid, BoardSaid]]:
    """A mount and the recovery too soon after it, told through the same channel."""
    mounts: dict[str, BoardSaid] = {}
    for event in window.events:
        if not isinstance(event, BoardSaid) or event.board_ms < 0:
            continue
        if event.name == "USB_MOUNTED":
            mounts[event.via] = event
        elif event.name == "USB_RECOVER" and "attempt" in event.detail:
            mounted = mounts.pop(event.via, None)
            if mounted is not None and 0 <= event.board_ms - mounted.board_ms < TOO_EARLY_MS:
                yield mounted, event


RECOVERY_SIGNATURES: tuple[Signature, ...] = (
    Signature(
        name="no-recovery-after-silence",
        title="the host has given up and the board leaves it at that",
        look=_no_recovery_after_silence,
        cause="a host that has cached a failure asks again only when the link or the device comes anew, and the "
        "firmware does nothing about a host from which no frame comes.",
        remedy="watch for the first frame after each mount; after 2 s of silence drop the link or leave the bus "
        "(tud_disconnect, tud_connect), a few times with growing pauses.",
        source="mcu-apple-bridge main/network_setup.c at 0d5a385, no_rx_after_mount; Apple bootp dhcp.c",
        across_enumerations=True,
    ),
    Signature(
        name="recovery-storm",
        title="the board drops off the bus again and again",
        look=_recovery_storm,
        cause="the mount that a recovery causes clears the count of attempts and the backoff, so neither ever holds.",
        remedy="clear them on a received frame, and on a mount only where the board's own reconnect did not cause it.",
        source="mcu-apple-bridge main/network_setup.c at 0d5a385, tud_mount_cb",
        across_enumerations=True,
    ),
    Signature(
        name="recovery-timer-underflow",
        title="the board recovers from a silence that has not been",
        look=_recovery_timer_underflow,
        cause="the clock was read before a kick and the time of a mount inside the kick subtracted from it: unsigned, "
        "that is 49 days.",
        remedy="read the clock after the kick, or compare by deadline: (int32_t)(now - deadline) >= 0.",
        source="mcu-apple-bridge main/network_setup.c at 0d5a385, the watchdog task",
        across_enumerations=True,
    ),
)
"""What can be wrong with the recovery."""
