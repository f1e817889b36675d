"""Faults of the USB device: when they strike."""

from hil.virtual.builtin.usb import AWAY_S, CALLBACK_S, AlternateSettingNotRearmed, DisconnectsInTest, UsbTaskStarved
from hil.virtual.firmware import UsbConnect, UsbDisconnect
from hil.virtual.points import Later, Point, StallUsb


def test_the_usb_task_is_kept_by_each_mount_and_by_nothing_else() -> None:
    """The callback blocks for 4.6 s."""
    fault = UsbTaskStarved({})
    struck = {point: list(fault.at_point(point, 0)) for point in Point}
    assert struck.pop(Point.MOUNTED) == [StallUsb(CALLBACK_S)]
    assert not any(struck.values())


def test_no_endpoint_is_armed_anew() -> None:
    """Whichever data interface it is."""
    assert not AlternateSettingNotRearmed({}).rearms(3)


def test_the_board_drops_off_with_the_first_frame_of_each_mount() -> None:
    """Later frames of the same mount leave it where it is, and so does a frame before any mount."""
    fault = DisconnectsInTest({})
    drop = (UsbDisconnect(), Later(AWAY_S, UsbConnect()))
    assert fault.at_point(Point.FRAME_SENT, 0) == ()
    for _ in range(2):
        assert fault.at_point(Point.MOUNTED, 0) == ()
        assert fault.at_point(Point.FRAME_SENT, 1) == drop
        assert fault.at_point(Point.FRAME_SENT, 2) == ()
