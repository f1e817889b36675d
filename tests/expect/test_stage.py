import itertools

import pytest

from hil.expect.stage import Sighting, Slot, Stage
from hil.timeline.events import Carrier


def _seen(stage: Stage, t_ns: int, err_ns: int = 0, slots: tuple[int, ...] = (0,)) -> Sighting:
    event = Carrier(t_ns=t_ns, t_err_ns=err_ns, board="a", source="netlink")
    return Sighting(event, 0, tuple(stage.slots[index] for index in slots))


def _stage(*times: int, within_s: float | None = None, floor_ns: int = 0) -> Stage:
    stage = Stage([Slot(0, count, within_s) for count in times])
    stage.solve(floor_ns, floor_ns, (), ())
    return stage


def _taken(stage: Stage) -> list[int]:
    return [sighting.event.t_ns for sighting in stage.taken()]


@pytest.mark.parametrize("arrival", list(itertools.permutations([10, 20, 30])))
def test_the_earliest_event_is_taken_whatever_the_arrival(arrival):
    """One that arrives late takes the place of a later one."""
    stage = _stage(1)
    for t_ns in arrival:
        stage.notice(_seen(stage, t_ns))
    assert stage.complete
    assert _taken(stage) == [10]


def test_what_lies_before_the_floor_waits_for_the_floor_to_sink():
    """It is kept and taken when a stage before finds an earlier event."""
    stage = _stage(1, floor_ns=50)
    stage.notice(_seen(stage, 40))
    assert not stage.complete
    stage.solve(30, 30, (), ())
    assert _taken(stage) == [40]


def test_an_event_that_another_stage_has_is_left_alone():
    """Its id is among those used."""
    stage = _stage(1)
    first, second = _seen(stage, 10), _seen(stage, 20)
    stage.notice(first)
    stage.store(second)
    stage.solve(0, 0, {id(first.event)}, ())
    assert _taken(stage) == [20]


def test_the_floor_is_the_greatest_low_and_the_base_the_least_high():
    """100 ± 50 is taken for its low; that the stage is over at 110 is known from the other."""
    stage = _stage(1)
    stage.notice(_seen(stage, 100, 50))
    assert (stage.floor_ns(), stage.base_ns()) == (50, 150)
    stage.notice(_seen(stage, 110))
    assert (stage.floor_ns(), stage.base_ns()) == (50, 110)


def test_slots_make_room_for_each_other():
    """The event that only one slot can take gets it, and the set that fills all slots earliest is taken."""
    stage = _stage(1, 1)
    stage.notice(_seen(stage, 10, slots=(0, 1)))
    stage.notice(_seen(stage, 20, slots=(0,)))
    assert stage.complete
    assert [slot.taken[0].event.t_ns for slot in stage.slots] == [20, 10]


def test_a_limit_counts_from_the_base():
    """What is late for certain is not taken."""
    stage = _stage(1, within_s=1e-8)
    stage.notice(_seen(stage, 11))
    assert not stage.complete
    assert stage.due_ns() == 10
    stage.notice(_seen(stage, 11, 1))
    assert stage.complete


def test_events_of_one_instant_are_told_apart_by_what_they_are():
    """So that arrival decides nothing."""
    stage = _stage(1)
    a, b = (Carrier(interface=name, t_ns=1, t_err_ns=0, board="a", source="netlink") for name in "ab")
    for event in (b, a):
        stage.notice(Sighting(event, 0, (stage.slots[0],)))
    assert stage.taken()[0].event is a


def test_a_late_event_takes_the_place_of_a_later_one_in_a_stage_that_still_waits():
    """The slot it fits is full, another is empty: the choice is made anew all the same."""
    stage = _stage(1, 1)
    stage.notice(_seen(stage, 20, slots=(0,)))
    assert stage.notice(_seen(stage, 10, slots=(0,)))
    assert not stage.complete
    assert _taken(stage) == [10]
