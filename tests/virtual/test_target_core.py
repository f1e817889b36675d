"""The core as machine code of the ESP32-S3: an ELF file, an image that esptool accepts, and the board that boots it."""

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hil.errors import SetupError
from hil.virtual.app_build import AppBuild
from hil.virtual.build import find_sources, source_digest
from hil.virtual.core_abi import FirmwareConfig
from hil.virtual.flash import FlashChip
from hil.virtual.registry import Registry
from hil.virtual.rom.boot import boot
from hil.virtual.rom.images import flash_files
from hil.virtual.target_core import Linked, find_target_compiler, link
from hil.virtual.write_build import main

CONFIG = FirmwareConfig(project="linked", version="4.5.6", lease_s=30)


@pytest.fixture(scope="module")
def build() -> AppBuild:
    """Of the sources of this checkout, with a config that is not the default."""
    return AppBuild(source_digest(find_sources()), CONFIG, "0.19", code_bytes=70_001)


@pytest.fixture(scope="module")
def linked(build: AppBuild) -> Linked:
    """The build, linked once; a skip by name where the compiler is missing."""
    try:
        find_target_compiler()
    except SetupError as error:
        pytest.skip(str(error))
    return link(build)


@pytest.fixture
def changed_sources(tmp_path: Path) -> Path:
    """A copy of the core's sources with a constant more."""
    copy = tmp_path / "src"
    shutil.copytree(find_sources(), copy)
    source = copy / "boot_sequence.c"
    source.write_text(source.read_text() + "\nextern const int added;\nconst int added = 1;\n")
    return copy


@pytest.mark.slow
def test_esptool_accepts_the_image(linked: Linked, tmp_path: Path) -> None:
    """Checksum and digest are valid, and the description names project, version and the ELF file's SHA-256."""
    path = tmp_path / "app.bin"
    path.write_bytes(linked.image.pack())
    command = [sys.executable, "-m", "esptool", "--chip", "esp32s3", "image-info", str(path)]
    told = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
    facts = dict(line.split(": ", 1) for line in told.splitlines() if ": " in line)
    assert facts["Checksum"].endswith(" (valid)")
    assert facts["Validation hash"].endswith(" (valid)")
    assert (facts["Project name"], facts["App version"]) == ("linked", "4.5.6")
    assert facts["ELF file SHA256"] == hashlib.sha256(linked.elf).hexdigest()


@pytest.mark.slow
def test_the_board_boots_it_and_reports_its_description(linked: Linked, build: AppBuild) -> None:
    """The boot loader reads it from flash; what runs is the host's build of the same sources with the same config."""
    flash = FlashChip()
    for each in flash_files(linked.image):
        flash.program(each.offset, each.data)
    outcome = boot(flash)
    assert outcome.app is not None
    assert outcome.app_offset is not None
    assert outcome.app == linked.image.description
    assert AppBuild.of_image(linked.image) == build
    application = Registry("34:85:18:00:00:02").find(outcome.app, flash, outcome.app_offset)
    assert application is not None
    assert application.usb.tinyusb == "0.19"
    assert application.config.lease_s == 30
    application.firmware.boot("POWERON", 0)
    version = json.loads(application.firmware.http("GET", "/version", 1).body)
    assert (version["project"], version["version"]) == ("linked", "4.5.6")
    assert version["elf_sha256"] == hashlib.sha256(linked.elf).hexdigest()


@pytest.mark.slow
def test_a_change_of_a_source_changes_the_elf(linked: Linked, build: AppBuild, changed_sources: Path) -> None:
    """And nothing else does: linked again, in another folder, it is the same to the byte."""
    assert link(build).elf == linked.elf
    changed = link(build, sources=changed_sources)
    assert changed.elf != linked.elf
    assert changed.image.description != linked.image.description


@pytest.mark.slow
def test_write_build_leaves_the_elf_beside_the_image(
    linked: Linked, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As ``idf.py build`` does; its digest is told, and is not that of the build without machine code."""
    del linked
    assert main([str(tmp_path), "--target-core", "--project", "mine"]) == 0
    digest = hashlib.sha256((tmp_path / "mine.elf").read_bytes()).hexdigest()
    assert capsys.readouterr().out == digest + "\n"
    assert main([str(tmp_path), "--project", "mine"]) == 0
    assert capsys.readouterr().out != digest + "\n"


def test_a_missing_compiler_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the command that installs it; nothing is written."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main([str(tmp_path / "build"), "--target-core"]) == 1
    assert "no xtensa-lx106-elf-gcc on the path; `tools/setup firmware` installs it" in capsys.readouterr().err
    assert not (tmp_path / "build").exists()
