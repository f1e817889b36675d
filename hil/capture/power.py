"""Runtime suspend of a board's USB device: an attribute without an event of its own, so it is polled.

``power/runtime_status`` moves only while ``power/control`` is ``auto`` (Documentation/ABI/testing/sysfs-devices-power);
until then only ``control`` is looked at, seldom.
"""

from hil.capture.boards import Boards
from hil.capture.source import Moment, Source
from hil.clock import NS_PER_MS
from hil.timeline.events import Event, UsbResumed, UsbSuspended

POLL_NS = 20 * NS_PER_MS
IDLE_POLL_NS = 250 * NS_PER_MS
SETTLED = {"active": False, "suspended": True}
"""``runtime_status`` by whether it means suspended; suspending and resuming are on the way."""


class PowerSource(Source):
    """Has no descriptor; each event's error is the distance of the two readings around the change."""

    channel = "sysfs"

    def __init__(self, board: str, path: str, boards: Boards) -> None:
        super().__init__(-1, board)
        self._path = path
        self._boards = boards
        self._suspended = False
        self._polled_ns = self.since_ns
        self.deadline_ns = self.since_ns

    def wake(self, now: Moment) -> list[Event]:
        automatic = self._boards.attribute(self._path, "power/control") == "auto"
        found = self._status(now) if automatic or self._suspended else []
        self._polled_ns = now.t_ns
        self.deadline_ns = now.t_ns + (POLL_NS if automatic or self._suspended else IDLE_POLL_NS)
        return found

    def _status(self, now: Moment) -> list[Event]:
        status = self._boards.attribute(self._path, "power/runtime_status")
        if not status:  # unplugged: what comes back is awake, and that is told by its own events
            self._suspended = False
        suspended = SETTLED.get(status, self._suspended)
        if suspended == self._suspended:
            return []
        self._suspended = suspended
        kind = UsbSuspended if suspended else UsbResumed
        bounded = Moment(now.t_ns, now.t_ns - self._polled_ns + now.err_ns)
        return [kind(self._path, **bounded.stamp(self.board, self.channel))]
