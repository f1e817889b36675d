"""Which board a device path belongs to."""

from collections.abc import Callable
from pathlib import Path

from hil.capture.boards import Boards
from hil.capture.claims import Claims

PATHS = {"usb": "1-1", "console": "1-1.4"}


def test_device_and_its_interfaces_belong_to_the_board(tmp_path: Path) -> None:
    """A path component must be the topology path itself, or an interface of it."""
    boards = Boards(tmp_path)
    board = boards.add("s3-a", {"usb": "1-1"}, Claims())
    assert boards.owner("/devices/x/usb1/1-1/1-1:1.0/net/eth0") == (board, "1-1")
    assert boards.owner("/devices/x/usb1/1-11/1-11:1.0") is None
    assert boards.owner("/devices/x/usb1") is None


def test_address_of_a_board_that_is_plugged_in_is_read(sysfs: Callable[[str, str], Path]) -> None:
    """A board that is there already has its bus address at once."""
    sysfs("busnum", "1")
    boards = Boards(sysfs("devnum", "12"))
    assert boards.add("s3-a", {"usb": "1-1"}, Claims()).address == (1, 12)
    assert boards.add("s3-b", {"usb": "1-2"}, Claims()).address is None


def test_attribute_that_is_not_there_is_empty(tmp_path: Path) -> None:
    """Reading while a device goes away is no error."""
    assert Boards(tmp_path).attribute("1-1", "power/control") == ""
