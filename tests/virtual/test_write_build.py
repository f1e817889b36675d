"""A build folder, as ``idf.py build`` leaves it."""

import json
from pathlib import Path

import pytest

from hil.virtual.app_build import AppBuild
from hil.virtual.write_build import main, reference_build
from hil.wire.esp_image import Image


def written(folder: Path) -> AppBuild | None:
    args = json.loads((folder / "flasher_args.json").read_text())
    files = {offset: (folder / name).read_bytes() for offset, name in args["flash_files"].items()}
    assert list(files) == ["0x0", "0x8000", "0x10000"]
    assert (folder / args["app"]["file"]).read_bytes() == files["0x10000"]
    return AppBuild.of_image(Image.parse(files["0x10000"]))


def test_the_reference_is_what_a_new_board_holds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And its digest is told."""
    assert main([str(tmp_path)]) == 0
    assert written(tmp_path) == reference_build()
    assert capsys.readouterr().out == reference_build().elf_sha256 + "\n"


def test_a_variant_has_what_was_asked_for(tmp_path: Path) -> None:
    """Version, fields of the config, TinyUSB, size, and a core that no machine has."""
    options = ["--version", "9.9", "--set", "lease_s=30", "--tinyusb", "0.19", "--code-bytes", "1000000", "--no-build"]
    assert main([str(tmp_path), *options]) == 0
    build = written(tmp_path)
    assert build is not None
    assert (build.config.version, build.config.lease_s, build.tinyusb, build.core) == ("9.9", 30, "0.19", "0" * 32)
    assert (tmp_path / "hil-reference.bin").stat().st_size > 1_000_000


@pytest.mark.parametrize(
    ("setting", "words"),
    [("lease", "wanted NAME=VALUE; names: role, "), ("lease_s=x", "invalid literal"), ("address=1.2.3", "address is")],
)
def test_what_fits_no_config_is_named(
    tmp_path: Path, setting: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """And nothing is written."""
    assert main([str(tmp_path / "build"), "--set", setting]) == 1
    assert words in capsys.readouterr().err
    assert not (tmp_path / "build").exists()


def test_a_folder_that_cannot_be_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In one line."""
    (tmp_path / "build").touch()
    assert main([str(tmp_path / "build")]) == 1
    assert f"Not a directory: '{tmp_path}/build/bootloader'\n" in capsys.readouterr().err


def test_a_flash_of_no_size_that_there_is_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the sizes that there are."""
    with pytest.raises(SystemExit, match="2"):
        main([str(tmp_path), "--flash-mb", "3"])
    assert "invalid choice: 3 (choose from 1, 2, 4, 8" in capsys.readouterr().err
