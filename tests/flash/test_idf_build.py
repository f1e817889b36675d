"""Build folders of ESP-IDF, as they should be and otherwise."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hil.errors import BuildError
from hil.flash.idf_build import FLASHER_ARGS, read_build

Make = Callable[..., Path]
PURE = settings(
    deadline=None,
    derandomize=True,
    database=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def test_a_build_folder(make_build: Make) -> None:
    """Its three files, its size of flash, and its application; the file itself names the folder too."""
    build = read_build(make_build("2.1"))
    assert [str(region) for region in build.regions] == [
        "bootloader/bootloader.bin at 0x0",
        "partition_table/partition-table.bin at 0x8000",
        "hello.bin at 0x10000",
    ]
    assert build.app is not None
    assert (build.app.version, build.flash_bytes, build.left_out) == ("2.1", 8 << 20, ())
    assert read_build(Path(build.source) / FLASHER_ARGS) == build


def edited(folder: Path, edit: Callable[[dict[str, Any]], object]) -> Path:
    path = folder / FLASHER_ARGS
    content = json.loads(path.read_text())
    edit(content)
    path.write_text(json.dumps(content))
    return folder


def test_nvs_of_a_build_is_left_out(make_build: Make) -> None:
    """What a build would put into NVS stays where it is, and the build says so."""
    folder = make_build()
    (folder / "nvs.bin").write_bytes(b"\xfe" * 0x6000)
    build = read_build(edited(folder, lambda content: content["flash_files"].update({"0x9000": "nvs.bin"})))
    assert build.left_out == ("nvs.bin at 0x9000 (nvs): NVS stays",)
    assert build.region(0x9000) is None


WRONG: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "another chip": (
        lambda c: c["extra_esptool_args"].update(chip="esp32c3"),
        "extra_esptool_args.chip is 'esp32c3': a build for another chip than 'esp32s3'",
    ),
    "no files": (lambda c: c.pop("flash_files"), "flash_files is None; wanted an object"),
    "no offset": (
        lambda c: c["flash_files"].update({"here": "x"}),
        "flash_files['here'] is 'here'; wanted an offset such as '0x10000'",
    ),
    "no name": (lambda c: c["flash_files"].update({"0x1": 5}), "flash_files['0x1'] is 5; wanted a file's name"),
    "a file that is missing": (
        lambda c: c["flash_files"].update({"0x20000": "gone.bin"}),
        "gone.bin: cannot be read: No such file or directory",
    ),
    "encrypted boot loader": (
        lambda c: c.update(bootloader={"offset": "0x0", "file": "bootloader/bootloader.bin", "encrypted": "true"}),
        "bootloader is to be encrypted while it is flashed; hil flashes plain images",
    ),
    "encrypted": (
        lambda c: c["app"].update(encrypted="true"),
        "app is to be encrypted while it is flashed; hil flashes plain images",
    ),
    "a size": (
        lambda c: c["flash_settings"].update(flash_size="lots"),
        "flash_settings.flash_size is 'lots'; wanted such as '8MB'",
    ),
    "a part": (lambda c: c.update(app=[]), "app is []; wanted an object"),
}


@pytest.mark.parametrize(("edit", "text"), WRONG.values(), ids=WRONG)
def test_a_wrong_file_is_named(make_build: Make, edit: Callable[[dict[str, Any]], object], text: str) -> None:
    """With its key, its value and what is wanted."""
    folder = edited(make_build(), edit)
    with pytest.raises(BuildError) as refused:
        read_build(folder)
    assert str(refused.value).endswith(text)
    assert str(refused.value).startswith(str(folder))


def test_no_build(tmp_path: Path, make_build: Make) -> None:
    """Nothing there, a folder without a build, one whose build lies beneath, no JSON."""
    with pytest.raises(BuildError) as refused:
        read_build(tmp_path / "gone")
    assert str(refused.value) == (
        f"{tmp_path}/gone: no such file or folder; wanted the build folder of an ESP-IDF project (it holds "
        "flasher_args.json) or a merged image"
    )
    with pytest.raises(BuildError, match=r"x: cannot be read: File name too long"):
        read_build(tmp_path / ("x" * 300))
    with pytest.raises(BuildError, match=r"no flasher_args.json in it: .*; has the project been built\?"):
        read_build(tmp_path)
    make_build().rename(tmp_path / "build")
    with pytest.raises(BuildError, match=rf"{tmp_path}/build has one"):
        read_build(tmp_path)
    (tmp_path / "build" / FLASHER_ARGS).write_bytes(b"{\xff")
    with pytest.raises(BuildError, match="not JSON"):
        read_build(tmp_path / "build")


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=8)
    | st.sampled_from(["0x0", "0x8000", "a.bin", "8MB"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
KEYS = ("flash_files", "app", "partition-table", "flash_settings", "extra_esptool_args")


@PURE
@given(
    st.dictionaries(st.sampled_from(KEYS), JSON | st.dictionaries(st.sampled_from(["0x0", "0x8000"]), JSON), max_size=5)
)
def test_any_json_is_a_build_or_an_error(tmp_path: Path, content: dict[str, Any]) -> None:
    """Only BuildError escapes."""
    (tmp_path / FLASHER_ARGS).write_text(json.dumps(content))
    (tmp_path / "a.bin").write_bytes(b"\xaa\x50" + bytes(64))
    with pytest.raises(BuildError):
        read_build(tmp_path)


@PURE
@given(st.binary(max_size=200))
def test_any_bytes_are_no_build(tmp_path: Path, data: bytes) -> None:
    """Only BuildError escapes, of the file as of a merged image."""
    for name in (FLASHER_ARGS, "merged.bin"):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(BuildError):
            read_build(tmp_path / name)
