"""What a board is called by the numbers of its device descriptor."""

import pytest

from hil.board.identity import LOADERS, Identity


@pytest.mark.parametrize(
    ("vid", "pid", "identity"),
    [
        (0x303A, 0x1001, Identity.SERIAL_JTAG),
        (0x303A, 0x0009, Identity.USB_OTG),
        (0x303A, 0x4001, Identity.APPLICATION),
        (0x303A, 0x4000, Identity.APPLICATION),
        (0x303A, 0x0002, Identity.APPLICATION),  # the S2's loader is none of this chip
        (0x10C4, 0xEA60, Identity.OTHER),
        (0x10C4, 0x1001, Identity.OTHER),
    ],
)
def test_two_numbers_make_an_identity(vid: int, pid: int, identity: Identity) -> None:
    """The chip's own two are loaders; every other product of the vendor is an application."""
    assert Identity.of(vid, pid) is identity


def test_loaders_are_the_chips_own_identities() -> None:
    """An application is none, and neither is an empty port."""
    assert {Identity.SERIAL_JTAG, Identity.USB_OTG} == LOADERS


def test_an_identity_reads_as_people_say_it() -> None:
    """With its numbers, for messages."""
    assert str(Identity.USB_OTG) == "the ROM's loader over USB-OTG (303a:0009)"
