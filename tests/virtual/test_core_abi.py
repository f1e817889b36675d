"""hil.virtual.core_abi: Python and C agree on every field."""

import ctypes.util
from dataclasses import fields, replace
from pathlib import Path

import pytest

from hil.errors import VirtualBoardError
from hil.virtual import core_abi
from hil.virtual.build import ensure_library
from hil.virtual.core_abi import Config, FirmwareConfig
from hil.virtual.points import Point


def test_defaults_are_those_of_the_core() -> None:
    """The defaults of FirmwareConfig are, byte for byte, what fw_default_config() fills in."""
    library = core_abi.load(ensure_library())
    filled = Config()
    library.fw_default_config(filled)
    assert bytes(core_abi.to_c(FirmwareConfig())) == bytes(filled)


def test_every_field_has_its_twin() -> None:
    """The dataclass and the structure name the same fields."""
    assert {field.name for field in fields(FirmwareConfig)} == {name for name, *_ in Config._fields_}


def test_points_are_those_of_the_core() -> None:
    """Number by number the same names, and no point more."""
    library = core_abi.load(ensure_library())
    assert [library.fw_point_name(point).decode().upper() for point in Point] == [point.name for point in Point]
    assert library.fw_point_name(len(Point)) is None


def test_every_mistake_is_a_field_and_says_what_it_is() -> None:
    """The core's table of mistakes names fields of the config, each once, with its meaning and its source."""
    library = core_abi.load(ensure_library())
    names = []
    while (name := library.fw_mistake_name(len(names))) is not None:
        assert library.fw_mistake_what(len(names))
        assert library.fw_mistake_source(len(names))
        names.append(name.decode())
    known = [field.name for field in fields(FirmwareConfig)]
    mistakes = ["event_discards_hidden", *known[known.index("link_ignores_stack") : known.index("start_ms")]]
    assert names == mistakes


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"role": "router"}, "role is 'router': known: dhcp-server, dhcp-client, static"),
        ({"tick_ms": -1}, "tick_ms is -1: not an unsigned 32-bit number"),
        ({"tick_ms": 1 << 32}, "tick_ms is 4294967296"),
        ({"tick_ms": "soon"}, "tick_ms is 'soon'"),
        ({"address": "192.168.7"}, "address is '192.168.7'"),
        ({"elf_sha256": "x" * 65}, "elf_sha256 is 'x+': longer than 64 bytes"),
        ({"version": "x" * 32}, "version is 'x+': longer than 31 bytes"),
        ({"project": "a\0b"}, "with a NUL"),
    ],
)
def test_value_that_does_not_fit_is_named(change: dict[str, object], message: str) -> None:
    """A config value that C cannot hold is refused with its name and value."""
    with pytest.raises(VirtualBoardError, match=message):
        core_abi.to_c(replace(FirmwareConfig(), **change))  # type: ignore[arg-type]


def test_library_that_is_none_is_refused(tmp_path: Path) -> None:
    """A file that is no library is an error with its path."""
    (tmp_path / "libfw_core.so").write_bytes(b"no ELF")
    with pytest.raises(VirtualBoardError, match=r"libfw_core\.so"):
        core_abi.load(tmp_path / "libfw_core.so")


def test_library_without_the_core_is_refused() -> None:
    """Any other library is refused by the function it lacks."""
    with pytest.raises(VirtualBoardError, match="fw_core_size"):
        core_abi.load(Path(ctypes.util.find_library("c") or "libc.so.6"))
