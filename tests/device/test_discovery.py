"""What is attached where."""

import pytest

from hil.bench import Board
from hil.device.discovery import Attached, require_board
from hil.errors import BenchError

ESP = Attached("1-1.2", 0x303A, 0x4001, "123456", "Espressif Device")
DISK = Attached("1-1.3", 0x0781, 0x5581, "x", "Ultra")


def test_the_board_at_its_path_is_returned() -> None:
    """The device is found by topology path, whatever its product id."""
    assert require_board(Board("s3-a", "1-1.2"), [DISK, ESP]) is ESP


def test_an_empty_path_lists_what_is_attached() -> None:
    """Nothing at the path is an error of the bench file, with the choices."""
    with pytest.raises(BenchError, match=r"usb is '1-1\.4': nothing is attached there; attached: 1-1\.2 \(303a:4001"):
        require_board(Board("s3-a", "1-1.4"), [ESP, DISK])


def test_another_vendors_device_is_refused() -> None:
    """A disk at the board's path is never touched."""
    with pytest.raises(BenchError, match=r"1-1\.3 \(0781:5581 Ultra\) is not an Espressif device"):
        require_board(Board("s3-a", "1-1.3"), [ESP, DISK])
