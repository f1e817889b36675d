"""Bandwidth of the bus, with time as an argument."""

import pytest

from hil.virtual.usb.throttle import OCTETS_PER_S, FullSpeedBus, PollGrid


def test_a_busy_bus_carries_1216_bytes_in_a_millisecond() -> None:
    """Transfers one after the other take 19 packets a frame, whatever their size."""
    bus = FullSpeedBus(catch_up_s=0)
    ends = [bus.reserve(3200, 10.0) for _ in range(100)]
    assert ends[-1] - 10.0 == pytest.approx(100 * 50 / 19 * 0.001)
    assert 100 * 3200 / (ends[-1] - 10.0) == pytest.approx(OCTETS_PER_S)


def test_short_packets_cost_as_much_as_full_ones() -> None:
    """A packet of one byte, and one of none, takes a nineteenth of a frame like one of 64."""
    costs = [FullSpeedBus(catch_up_s=0).reserve(octets, 0.0) for octets in (0, 1, 64, 65)]
    assert costs == pytest.approx([0.001 / 19, 0.001 / 19, 0.001 / 19, 0.002 / 19])


def test_a_late_timer_does_not_cost_bandwidth_but_a_pause_is_not_saved_up() -> None:
    """Transfers begun up to 2 ms late keep the rate; after a long pause at most 2 ms worth of bytes go at once."""
    bus = FullSpeedBus()
    now_s, octets = 0.0, 0
    while now_s < 1.0:
        now_s = max(now_s, bus.reserve(640, now_s)) + 0.0005
        octets += 640
    assert octets / now_s == pytest.approx(OCTETS_PER_S, rel=0.01)
    at_once = 0
    while bus.reserve(64, 100.0) <= 100.0:
        at_once += 64
    assert 0 < at_once <= 0.002 * OCTETS_PER_S


def test_both_directions_share_the_bus() -> None:
    """Whoever reserves takes from the same frame."""
    bus = FullSpeedBus(catch_up_s=0)
    inward, outward = bus.reserve(1216, 0.0), bus.reserve(1216, 0.0)
    assert (inward, outward) == pytest.approx((0.001, 0.002))


def test_an_interrupt_endpoint_is_asked_at_most_once_an_interval() -> None:
    """The first poll fixes the phase, later ones lie on its grid and are at most one interval away."""
    grid = PollGrid()
    assert grid.next_poll(32, 5.0) == 5.0
    assert grid.next_poll(32, 5.0) == pytest.approx(5.032)
    assert grid.next_poll(32, 5.031) == pytest.approx(5.032)
    assert grid.next_poll(32, 5.0319999999) == pytest.approx(5.064)
    assert grid.next_poll(32, 6.0) == pytest.approx(6.024)
