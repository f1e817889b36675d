"""Which rung comes next."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.device.ladder import LADDER, NAMES, State, next_rung


def climb(*states: State, able: tuple[str, ...] = NAMES) -> list[str]:
    """The rungs tried while the board is in one state after another, the last one for good."""
    tried: list[str] = []
    at = list(states)
    while (rung := next_rung(at[0], tried, able)) is not None:
        tried.append(rung)
        at = at[1:] or at
    return tried


@pytest.mark.parametrize(
    ("state", "rungs"),
    [
        (State.WELL, []),
        (State.FOREIGN, []),
        (State.UNPLUGGED, ["plug", "plug"]),
        (
            State.SUSPENDED,
            ["resume", "reset", "http_reset", "usb_reset", "port_cycle", "power_cycle", "flash", "flash"],
        ),
        (State.HALF_FLASHED, ["leave_loader", "flash", "reset", "port_cycle", "power_cycle", "flash"]),
        (State.IN_DOUBT, ["flash", "flash"]),
        (State.NOTHING, ["wait", "reset", "http_reset", "port_cycle", "power_cycle", "flash", "flash"]),
        (State.LOADER, ["leave_loader", "reset", "power_cycle", "flash", "flash", "leave_loader"]),
    ],
)
def test_the_gentlest_comes_first(state: State, rungs: list[str]) -> None:
    """For a board that stays where it is, until nothing is left."""
    assert climb(state) == rungs


def test_a_boot_loop_that_ends_in_the_loader_is_flashed() -> None:
    """An image that does not run: reset in vain, then power, then the known build."""
    assert climb(State.RESTARTING, able=("wait", "reset", "flash"))[:3] == ["wait", "reset", "flash"]


def test_what_the_bench_has_not_is_not_tried() -> None:
    """A board without bridge, switch and build is waited for."""
    assert climb(State.NOTHING, able=("wait",)) == ["wait"]


def test_another_state_goes_on_with_its_own_gentlest() -> None:
    """A board that sleeps, is reset, and wakes in its loader is led out of that."""
    assert climb(State.SUSPENDED, State.SUSPENDED, State.LOADER)[:3] == ["resume", "reset", "leave_loader"]


def test_a_cable_that_a_rung_has_left_out_is_put_back() -> None:
    """A power cycle that fails half way is not the end of a climb that began with a pulled cable."""
    loader, out = State.LOADER, State.UNPLUGGED
    able = ("plug", "leave_loader", "power_cycle", "flash")
    assert climb(out, loader, loader, out, loader, State.WELL, able=able) == [
        "plug", "leave_loader", "power_cycle", "plug", "flash",
    ]  # fmt: skip


@given(st.lists(st.sampled_from(list(State)), min_size=1, max_size=60), st.sets(st.sampled_from(NAMES)))
def test_every_climb_ends(states: list[State], able: set[str]) -> None:
    """Wherever the board goes, no rung is tried more often than it may be, and none that the bench has not."""
    tried = climb(*states, able=tuple(able))
    assert len(tried) <= sum(rung.times for rung in LADDER)
    assert set(tried) <= able
