import pytest

from hil.expect.guard import Guard
from hil.expect.stage import STASH, Sighting
from hil.timeline.events import Carrier


def _seen(t_ns: int, err_ns: int = 0) -> Sighting:
    return Sighting(Carrier(t_ns=t_ns, t_err_ns=err_ns, board="a", source="netlink"), since_ns=0)


def _guard(*sightings: Sighting, allowed: int = 0, within_s: float | None = None) -> Guard:
    guard = Guard(step=0, allowed=allowed, after=None, before=None, within_s=within_s)
    for sighting in sightings:
        guard.notice(sighting, begun=True)
    return guard


@pytest.mark.parametrize(
    ("after_ns", "before_ns", "found"),
    [
        (None, None, 10),
        (9, None, 10),
        (10, None, 20),
        (None, 10, None),
        (None, 11, 10),
        (10, 20, None),
        (20, None, None),
    ],
)
def test_what_touches_a_neighbour_is_on_the_harmless_side(after_ns, before_ns, found):
    """Only what lies between the two for certain offends."""
    offender = _guard(_seen(20), _seen(10)).offender(after_ns, before_ns, 0)
    assert (offender and offender.event.t_ns) == found


def test_an_error_that_reaches_a_neighbour_excuses():
    """10 ± 2 may have happened at 12."""
    assert _guard(_seen(10, 2)).offender(8, None, 0) is None
    assert _guard(_seen(10, 2)).offender(None, 12, 0) is None
    assert _guard(_seen(10, 2)).offender(7, 13, 0) is not None


def test_the_first_beyond_the_allowance_offends():
    """at_most=2: the third, by time and not by arrival."""
    guard = _guard(_seen(30), _seen(10), _seen(20), _seen(40), allowed=2)
    assert guard.offender(None, None, 0).event.t_ns == 30
    assert guard.offender(10, None, 0).event.t_ns == 40
    assert guard.offender(20, None, 0) is None


def test_a_limit_ends_the_stretch():
    """Counted from where the stretch begins."""
    guard = _guard(_seen(1_000_000_001), within_s=1.0)
    assert guard.offender(None, None, 0) is None
    assert guard.offender(None, None, 1) is not None


def test_a_flood_is_kept_within_bounds():
    """The earliest stay once the stretch has begun, the latest before."""
    begun, waiting = _guard(), _guard()
    for t_ns in range(1, STASH + 100):
        begun.notice(_seen(t_ns), begun=True)
        waiting.notice(_seen(t_ns), begun=False)
    assert begun.dropped == waiting.dropped == 99
    assert begun.offender(None, None, 0).event.t_ns == 1
    assert waiting.offender(None, None, 0).event.t_ns == 100
