"""A board takes a firmware, says that it runs it, and is not written where nothing has changed."""

from collections.abc import Callable
from pathlib import Path

import pytest

from hil import Expect, FlashProgress, Host, UsbAttached, UsbBoard, UsbDetached
from hil.board.identity import Identity


def require_confirmed(board: UsbBoard, confirmed: bool) -> None:
    """Where the firmware has no way to tell, the check is skipped by name."""
    if not confirmed:
        board.on_skipped_check("what runs after a flash: the firmware has no way to tell")


@pytest.mark.hil(role="dhcp-server")
def test_a_flashed_board_runs_its_firmware_and_serves(
    board: UsbBoard, host: Host, expect: Expect, firmware: Path
) -> None:
    """Flashed twice, it is written once at most; each time it comes back, says what it runs, and gives a lease."""
    board.flash(firmware)
    again = board.flash(firmware)
    assert (again.what, again.flashed.written) == ("unchanged", 0)
    require_confirmed(board, again.confirmed)
    expect.sequence(UsbDetached(path=board.spec.usb), UsbAttached(path=board.spec.usb), since=again, within_s=15.0)
    assert board.identity is Identity.APPLICATION
    assert board.in_pool(host.persona("ios").connect(board.name))


@pytest.mark.hil
def test_of_a_new_version_only_what_differs_is_written(
    board: UsbBoard, firmware: Path, make_build: Callable[..., Path]
) -> None:
    """A version that differs in a few bytes takes a few sectors; the board then says that it runs it."""
    old, new = make_build("7.0.0", 200_000), make_build("7.0.1", 200_000)
    try:
        assert board.flash(old).running is not None
        result = board.flash(new)
        assert result.what == "changed"
        assert result.flashed.written <= 4 * 4096
        assert result.running is not None
        assert result.running.version == "7.0.1"
    finally:
        board.flash(firmware)


@pytest.mark.hil
def test_a_board_is_flashed_over_its_console(
    board: UsbBoard, expect: Expect, firmware: Path, make_build: Callable[..., Path]
) -> None:
    """The bridge brings the chip into its loader and out of it, and carries the firmware."""
    if not board.spec.console:
        pytest.skip(f"board {board.name} has no console in bench.toml")
    try:
        result = board.flash(make_build("7.1.0", 20_000), over="console")
        assert result.running is not None
        assert result.running.version == "7.1.0"
        expect.sequence(FlashProgress("done", 100), since=result, within_s=15.0)
    finally:
        board.flash(firmware)
