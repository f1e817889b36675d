"""From an image in flash to a firmware that runs."""

from dataclasses import replace
from pathlib import Path

import pytest

from hil.errors import VirtualBoardError, WireError
from hil.virtual.app_build import AppBuild
from hil.virtual.core_abi import FirmwareConfig
from hil.virtual.flash import FlashChip
from hil.virtual.registry import Application, Registry, furnish, image_at
from hil.virtual.rom.boot import boot
from hil.virtual.rom.images import APP_OFFSET, flash_files

MAC = "34:85:18:00:00:02"


def flash_with(build: AppBuild) -> FlashChip:
    flash = FlashChip()
    for each in flash_files(build.image()):
        flash.program(each.offset, each.data)
    return flash


def found(registry: Registry, flash: FlashChip) -> Application | None:
    outcome = boot(flash)
    assert outcome.app is not None
    assert outcome.app_offset is not None
    return registry.find(outcome.app, flash, outcome.app_offset)


def test_each_image_runs_its_own_build() -> None:
    """Config and TinyUSB are those of the image, not of the board's first build; the same image stays the same one."""
    registry = Registry(MAC)
    other = replace(registry.factory, config=FirmwareConfig(version="2.0.0", lease_s=30), tinyusb="0.19")
    application = found(registry, flash_with(other))
    assert application is not None
    assert (application.config.version, application.config.lease_s, application.usb.tinyusb) == ("2.0.0", 30, "0.19")
    assert application.usb.serial == "348518000002"
    assert found(registry, flash_with(other)) is application


@pytest.mark.parametrize("core", ["0" * 32, "../../tmp/evil", ""])
def test_an_image_of_an_unknown_core_runs_nothing(core: str) -> None:
    """A core is one that was compiled here; its name is no path."""
    assert found(Registry(MAC), flash_with(AppBuild(core))) is None


def test_a_config_that_the_core_refuses_runs_nothing() -> None:
    """And does not end the board."""
    registry = Registry(MAC)
    assert found(registry, flash_with(replace(registry.factory, config=FirmwareConfig(event_capacity=129)))) is None


def test_a_library_of_the_caller_is_its_own_core(tmp_path: Path) -> None:
    """Its digest stands in the image in place of that of the sources."""
    with pytest.raises(VirtualBoardError, match="No such file"):
        Registry(MAC, tmp_path / "missing.so")
    library = tmp_path / "core.so"
    library.write_bytes(b"\x7fELF")
    core = Registry(MAC, library).factory.core
    assert core.startswith("file-")
    assert core != Registry(MAC).factory.core


def test_a_new_board_holds_the_factory_build() -> None:
    """And boots it."""
    registry, flash = Registry(MAC, config=FirmwareConfig(version="3.1.4")), FlashChip()
    furnish(flash, registry.factory)
    assert boot(flash).app == registry.factory.description


def test_a_board_that_nobody_flashed_gets_the_build_of_now(tmp_path: Path) -> None:
    """One that was flashed, or erased, keeps what it has."""
    old, new, own = (AppBuild("ab" * 16, FirmwareConfig(version=version)) for version in ("1", "2", "3"))
    flash, note = FlashChip(), tmp_path / "board.factory"
    furnish(flash, old, note)
    furnish(flash, new, note)
    assert boot(flash).app == new.description
    for each in flash_files(own.image()):
        flash.erase(each.offset, len(each.data))
        flash.program(each.offset, each.data)
    furnish(flash, old, note)
    assert boot(flash).app == own.description
    flash.erase_all()
    furnish(flash, old, note)
    assert boot(flash).failure.startswith("invalid header")


def test_an_image_that_reaches_past_the_flash_is_none() -> None:
    """Whatever its header says."""
    flash = FlashChip()
    with pytest.raises(WireError):
        image_at(flash, APP_OFFSET)
    flash.program(flash.size - 24, AppBuild("").image().pack()[:24])
    with pytest.raises(WireError, match="reaches past the flash"):
        image_at(flash, flash.size - 24)
