"""A board goes into its loader when it is told to, is flashed there, and comes back as what it was."""

from pathlib import Path

import pytest

from hil import Expect, Host, HttpReply, Identity, UsbAttached, UsbBoard, UsbDetached, never, not_
from hil.board.identity import LOADERS

WAYS = (
    "dtr_rts",
    "power",
    "serial",
    "http",
    pytest.param("micropython", marks=pytest.mark.soak),
    pytest.param("touch1200", marks=pytest.mark.soak),
)


def connect(board: UsbBoard, host: Host, expect: Expect) -> None:
    """What a board must do for a host that has just come."""
    ios = host.persona("ios")
    leased = ios.connect(board.name)
    assert board.in_pool(leased)
    if board.knows("http.status"):
        expect.sequence(HttpReply("/status", 200), after=board.status(), within_s=2.0)


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.hil(role="dhcp-server")
def test_the_loader_is_entered_and_left(board: UsbBoard, host: Host, expect: Expect, how: str) -> None:
    """At the board's own topology path a loader comes and answers; out of it the application comes, and serves."""
    if how not in board.chip.bootloader.ways():
        pytest.skip(
            f"board {board.name} has no way {how!r}; it has: {', '.join(board.chip.bootloader.ways()) or 'none'}"
        )
    if how == "http":
        host.persona("ios").connect(board.name)
    entered = board.enter_bootloader(how)
    assert entered.port == "console" or entered.identity in LOADERS
    assert entered.port == "console" or board.identity is entered.identity
    left = board.leave_bootloader()
    assert left.identity is Identity.APPLICATION
    connect(board, host, expect)


@pytest.mark.hil
def test_a_reset_of_the_core_leads_out_once_the_order_is_cleared(board: UsbBoard) -> None:
    """As esptool's own reset after a flash: nothing but the bit that the firmware set kept the chip in its loader."""
    if "serial" not in board.chip.bootloader.ways():
        pytest.skip(f"board {board.name} has no way 'serial', which sets the bit and nothing else")
    assert board.enter_bootloader("serial").identity in LOADERS
    assert board.leave_bootloader(plain=True).identity is Identity.APPLICATION


@pytest.mark.hil
def test_the_loader_answers_at_the_bridge(board: UsbBoard) -> None:
    """EN and IO0 by the bridge's lines: the ROM waits for a download at its UART, whatever USB shows."""
    if not board.spec.console:
        pytest.skip(f"board {board.name} has no console in bench.toml")
    assert board.enter_bootloader("dtr_rts", at="console").port == "console"
    assert board.leave_bootloader().identity is Identity.APPLICATION


@pytest.mark.hil(role="dhcp-server")
def test_a_board_in_its_loader_is_flashed_and_serves(
    board: UsbBoard, host: Host, expect: Expect, firmware: Path
) -> None:
    """At one topology path a loader, then the application that was put in, and a host's lease."""
    entered = board.enter_bootloader()
    assert entered.port == "console" or board.identity in LOADERS
    board.flash(firmware)
    came = UsbAttached(path=board.spec.usb, vid=0x303A)
    expect.sequence(UsbDetached(path=board.spec.usb), came, since=entered, within_s=60.0)
    connect(board, host, expect)


@pytest.mark.hil(role="dhcp-server")
def test_a_board_is_flashed_over_the_roms_own_usb(
    board: UsbBoard, host: Host, expect: Expect, firmware: Path, firmware_on_otg: Path
) -> None:
    """A firmware leaves the PHY as it is: 303a:0009 comes at the same path, answers, and takes the known firmware."""
    how = next((way for way in ("serial", "http") if way in board.chip.bootloader.ways()), None)
    if how is None:
        pytest.skip(f"board {board.name} has no way 'serial' or 'http', by which the firmware leaves the PHY as it is")
    board.flash(firmware_on_otg)
    try:
        if how == "http":
            host.persona("ios").connect(board.name)
        entered = board.enter_bootloader(how, identity=Identity.USB_OTG)
        assert board.identity is Identity.USB_OTG
    finally:
        back = board.flash(firmware)
    assert back.flashed.written > 0
    other = never(UsbAttached(path=board.spec.usb, pid=0x1001))
    came = UsbAttached(path=board.spec.usb, vid=0x303A, pid=not_(0x1001))
    expect.sequence(UsbDetached(path=board.spec.usb), other, came, since=entered, within_s=60.0)
    connect(board, host, expect)


@pytest.mark.hil(role="dhcp-server")
def test_a_board_that_is_left_in_its_loader_is_recovered(board: UsbBoard, host: Host, expect: Expect) -> None:
    """As an aborted flash leaves it: the gentlest rung leads out, and the board serves."""
    if not board.chip.bootloader.ways():
        pytest.skip(f"board {board.name} has no way into its loader")
    board.enter_bootloader()
    recovered = board.recover()
    assert recovered.rungs == ("leave_loader",)
    connect(board, host, expect)
