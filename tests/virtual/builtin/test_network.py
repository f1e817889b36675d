"""What makes two boards look like one."""

from dataclasses import replace

from hil.virtual.builtin.network import TwinBoards
from hil.virtual.usb.descriptors import FirmwareUsb


def test_two_boards_become_twins() -> None:
    """Serial number and both addresses are the same; what else the descriptors say stays each board's own."""
    one, other = (FirmwareUsb.for_chip(mac, "0.19") for mac in ("34:85:18:00:00:02", "34:85:18:00:00:04"))
    assert one != other
    twin = TwinBoards({}).identity(one)
    assert twin == TwinBoards({}).identity(other) == replace(one, serial=twin.serial, host_mac=twin.host_mac)
    assert (twin.serial, twin.host_mac, twin.board_mac) == ("123456", "02:02:11:22:33:01", "02:02:11:22:33:00")
