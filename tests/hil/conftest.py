"""What the scenarios of flashing put into a board."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from hil import OpenBench, UsbBoard

MakeBuild = Callable[..., Path]
ON_OTG = "HIL_FIRMWARE_ON_OTG"


@pytest.fixture
def make_build(request: pytest.FixtureRequest, bench: OpenBench, tmp_path: Path) -> MakeBuild:
    """Makes a build that the virtual board runs, with so many bytes of code; a real board has only its own.

    Other settings are fields of the virtual board's :class:`~hil.virtual.core_abi.FirmwareConfig`.
    """
    if not bench.virtual:
        pytest.skip("a second build is made for the virtual board alone")
    from dataclasses import replace

    from hil.virtual.write_build import reference_build, write_build

    tinyusb = request.config.getoption("--hil-tinyusb") or "0.21"

    def make(version: str = "", code_bytes: int = 0, **settings: int) -> Path:
        build = replace(reference_build(), tinyusb=tinyusb, code_bytes=code_bytes)
        config = replace(build.config, version=version or build.config.version, **settings)
        folder = tmp_path / (version or "reference")
        write_build(folder, replace(build, config=config))
        return folder

    return make


@pytest.fixture
def firmware(request: pytest.FixtureRequest, board: UsbBoard, bench: OpenBench) -> Path:
    """The build that the board is to run: bench.toml's, or the one that a virtual board holds from the start."""
    if not board.chip.bootloader.ways():
        pytest.skip(f"board {board.name} has no way into its loader")
    if board.spec.firmware:
        return Path(board.spec.firmware)
    if not bench.virtual:
        pytest.skip(f"bench.toml names no firmware for board {board.name}")
    make: MakeBuild = request.getfixturevalue("make_build")
    return make()


@pytest.fixture
def firmware_on_otg(request: pytest.FixtureRequest, board: UsbBoard, bench: OpenBench) -> Path:
    """A build that goes to its loader with the PHY left on USB-OTG; for a real board, whoever has one names it."""
    if ON_OTG in os.environ:
        return Path(os.environ[ON_OTG])
    if not bench.virtual:
        pytest.skip(f"{ON_OTG} names no build for board {board.name} that leaves the PHY on USB-OTG")
    make: MakeBuild = request.getfixturevalue("make_build")
    return make("7.2.0", loader_phy_on_otg=1)
