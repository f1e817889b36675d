"""A board that leaves the bus, as `disconnects-in-test` does, at another point and under a name no finding can know."""

from collections.abc import Sequence

from hil.virtual.faults import Fault
from hil.virtual.firmware import UsbConnect, UsbDisconnect
from hil.virtual.points import Injection, Later, Point


class LoosePlug(Fault):
    """Loses contact for 0.8 s each time its link has come up."""

    def at_point(self, point: Point, now_ms: int) -> Sequence[Injection]:
        if point is not Point.LINK_LISTEN:
            return ()
        return (Later(0.05, UsbDisconnect()), Later(0.85, UsbConnect()))
