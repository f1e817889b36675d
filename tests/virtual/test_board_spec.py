"""What configure may say."""

from typing import Any

import pytest

from hil.errors import VirtualBoardError
from hil.virtual.board_spec import BoardSpec


def test_a_name_is_enough() -> None:
    """Everything else has a default."""
    spec = BoardSpec.parse({"board": "s3-a"})
    assert (spec.supply, spec.tinyusb, spec.address, spec.faults) == ("bus", "0.21", "", ())
    assert spec.lan_name == "hil-lan-s3-a"


def test_two_names_make_two_chips() -> None:
    """The MAC is made from the name, with a last bit that is free for the host's address."""
    first, second = (BoardSpec.parse({"board": name}).mac for name in ("s3-a", "s3-b"))
    assert first != second
    assert int(first[-2:], 16) % 2 == 0
    assert BoardSpec.parse({"board": "s3-a", "chip_mac": "34:85:18:00:00:02"}).mac == "34:85:18:00:00:02"


def test_the_firmware_can_be_built_differently() -> None:
    """Fields of the firmware's configuration are taken by name."""
    assert BoardSpec.parse({"board": "s3-a", "firmware": {"lease_s": 120}}).firmware.lease_s == 120


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({}, "configure: board is None; wanted the form [a-z0-9][a-z0-9-]{0,30}"),
        ({"board": "../x"}, "configure: board is '../x'; wanted the form [a-z0-9][a-z0-9-]{0,30}"),
        ({"board": "a", "supply": "battery"}, "configure: supply is 'battery'; known: 'bus', 'own'"),
        ({"board": "a", "tinyusb": "0.5"}, "configure: tinyusb is '0.5'; known: '0.19', '0.21'"),
        ({"board": "a", "faults": "x"}, "configure: faults is 'x', which has the wrong type"),
        ({"board": "a", "faults": [1]}, "configure: faults is [1], which has the wrong type"),
        ({"board": 5}, "configure: board is 5, which has the wrong type"),
    ],
)
def test_what_cannot_be_used_is_named(fields: dict[str, Any], error: str) -> None:
    """The message holds the field, its value and the choices."""
    with pytest.raises(VirtualBoardError) as caught:
        BoardSpec.parse(fields)
    assert str(caught.value) == error


def test_unknown_fields_are_named_with_the_known_ones() -> None:
    """Of the message and of the firmware's configuration."""
    with pytest.raises(VirtualBoardError, match=r"configure: unknown field 'suply'; known: board, supply, faults, "):
        BoardSpec.parse({"board": "a", "suply": "bus"})
    with pytest.raises(VirtualBoardError, match=r"configure: firmware has no 'leases'; known: role, "):
        BoardSpec.parse({"board": "a", "firmware": {"leases": 1}})
