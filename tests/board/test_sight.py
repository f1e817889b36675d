"""What a board can see of an action."""

import pytest

from hil.board import sight
from hil.errors import BenchError


def test_losing_power_is_also_a_disconnect() -> None:
    """A bench that cuts VBUS satisfies a scenario that needs a disconnect."""
    assert sight.mildest("disconnect", frozenset({"vbus_off", "suspend"})) == "vbus_off"


def test_the_mildest_way_is_chosen() -> None:
    """Where both are offered, the data lines go and the supply stays."""
    assert sight.mildest("disconnect", frozenset({"vbus_off", "disconnect"})) == "disconnect"


def test_a_disconnect_does_not_cut_power() -> None:
    """A scenario that needs VBUS off is not satisfied by less."""
    assert sight.mildest("vbus_off", frozenset({"disconnect", "suspend"})) is None


def test_an_unknown_need_lists_the_known_ones() -> None:
    """A misspelt need is refused with the choices."""
    with pytest.raises(BenchError, match="needs='unplug' is not known; known: 'vbus_off', 'disconnect'"):
        sight.ways("unplug")
