"""What is attached where."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hil.bench import Board, Power
from hil.device.discovery import Attached, await_board, boards_on_the_bus, require_board
from hil.errors import BenchError
from hil.testing.usb_tree import UsbTree

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


def test_a_board_in_its_bootloader_is_named_as_such() -> None:
    """The chip's own identities have no NCM; the message says what they are."""
    rom = Attached("1-1.2", 0x303A, 0x1001, "7C:DF:A1:00:00:01", "USB JTAG/serial debug unit")
    with pytest.raises(BenchError, match=r"debug unit\) is the bootloader, or USB-Serial/JTAG, not an application"):
        require_board(Board("s3-a", "1-1.2"), [rom])


def test_a_board_in_its_loader_is_awaited_all_the_same() -> None:
    """It is brought back before the first test."""
    rom = Attached("1-1.2", 0x303A, 0x0009, "0", "ESP32-S3")
    assert await_board(Board("s3-a", "1-1.2"), 0.0, lambda: [DISK, rom]) == ""


INSTEAD = "board s3-a: usb is '1-1.2': nothing is attached there; attached: 1-1.3 (0781:5581 Ultra)"


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    """A kernel that can disable the ports of hub 1-1, of which there are four."""
    tree = UsbTree(tmp_path)
    tree.add_hub("1-1", 4)
    tree.add_root_hub(2, 2, "platform/xhci-hcd.0")
    return tmp_path / "bus/usb/devices"


@pytest.mark.parametrize(
    "spec",
    [{"console": "1-1.3"}, {"power": Power("relay", name="lab-1")}, {"fallback": "192.0.2.7"}],
    ids=["console", "relay", "fallback"],
)
def test_a_dead_port_is_no_end_where_something_can_be_done(tmp_path: Path, spec: dict[str, Any]) -> None:
    """A bridge pulls EN, a relay takes the supply, a firmware is asked at its fallback address."""
    assert await_board(Board("s3-a", "1-1.2", **spec), 0.0, lambda: [DISK], devices=tmp_path) == INSTEAD


@pytest.mark.parametrize("path", ["1-1.2", "2-2"])
def test_a_dead_port_that_can_be_disabled_is_no_end(hub: Path, path: str) -> None:
    """Of a hub, or of a root hub."""
    instead = await_board(Board("s3-a", path), 0.0, lambda: [DISK], devices=hub)
    assert instead == INSTEAD.replace("1-1.2", path)


@pytest.mark.parametrize("path", ["1-1.5", "1-3.2", "3-1"])
def test_a_port_that_no_hub_has_is_an_error_of_the_bench(hub: Path, path: str) -> None:
    """The path in bench.toml is wrong; the message lists what is attached."""
    with pytest.raises(BenchError, match=rf"usb is '{path}': nothing is attached there; attached: 1-1\.3 \(0781"):
        await_board(Board("s3-a", path), 0.0, lambda: [DISK], devices=hub)


@pytest.mark.parametrize("spec", [{}, {"fallback": "192.0.2.7"}], ids=["port", "fallback"])
def test_a_board_elsewhere_makes_an_empty_port_a_wrong_path(hub: Path, spec: dict[str, Any]) -> None:
    """It may be the board; one that bench.toml names is another."""
    board, elsewhere = Board("s3-a", "1-1.2", **spec), replace(ESP, path="1-1.4")
    with pytest.raises(BenchError, match=r"nothing is attached there; attached: 1-1\.4 \(303a:4001 Espressif"):
        await_board(board, 0.0, lambda: [elsewhere], devices=hub)
    assert await_board(board, 0.0, lambda: [elsewhere], named=["1-1.2", "1-1.4"], devices=hub)


def test_whoever_asks_for_recovery_gets_it_all_the_same(tmp_path: Path) -> None:
    """Of a board that is not there; another vendor's device in its place is touched by nobody."""
    board = Board("s3-a", "1-1.2")
    assert await_board(board, 0.0, lambda: [DISK], absent=True, devices=tmp_path) == INSTEAD
    with pytest.raises(BenchError, match="is not an Espressif device"):
        await_board(Board("s3-a", "1-1.3"), 0.0, lambda: [DISK], absent=True, devices=tmp_path)


def test_a_dead_port_is_an_error_of_the_bench_where_nothing_can(tmp_path: Path) -> None:
    """And another vendor's device always is."""
    with pytest.raises(BenchError, match=r"usb is '1-1\.2': nothing is attached there"):
        await_board(Board("s3-a", "1-1.2"), 0.0, lambda: [DISK], devices=tmp_path)
    with pytest.raises(BenchError, match="is not an Espressif device"):
        await_board(Board("s3-a", "1-1.3", console="1-1.4"), 0.0, lambda: [DISK], devices=tmp_path)


def device(root: Path, where: str, name: str, vid: str) -> None:
    """A device of a made-up sysfs: its directory at ``where``, and the link that names it."""
    place = root / where / name
    place.mkdir(parents=True)
    (place / "idVendor").write_text(f"{vid}\n")
    (place / "idProduct").write_text("4001\n")
    (root / "devices").mkdir(exist_ok=True)
    (root / "devices" / name).symlink_to(place)


def test_real_boards_are_seen_and_virtual_ones_are_not(tmp_path: Path) -> None:
    """Only Espressif devices on real ports count; interfaces and other vendors do not."""
    device(tmp_path, "pci/usb1", "1-1.2", "303a")
    device(tmp_path, "pci/usb1", "1-1.3", "0781")
    device(tmp_path, "platform/vhci_hcd.0/usb3", "3-1", "303a")
    (tmp_path / "devices" / "1-1.2:1.0").mkdir()
    assert boards_on_the_bus(tmp_path / "devices") == ["1-1.2 (303a:4001)"]


def test_a_machine_without_usb_has_no_boards(tmp_path: Path) -> None:
    """No sysfs tree of USB devices is no error."""
    assert boards_on_the_bus(tmp_path / "none") == []
