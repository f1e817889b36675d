"""The ways into the chip's loader that a profile names."""

import pytest

from hil.errors import BenchError
from hil.profiles import load
from hil.profiles.loader import Loader, read_loader
from hil.toml_table import Table


def test_nothing_is_known_of_a_firmware_that_names_none() -> None:
    """Either identity will do then."""
    assert load("generic").loader == Loader()
    assert load("generic").knows("loader.serial") is False


def test_the_reference_obeys_a_line_and_comes_up_as_serial_jtag() -> None:
    """Beside its HTTP path."""
    reference = load("reference")
    assert reference.loader == Loader(serial="bootloader", identity="serial-jtag")
    assert reference.http.bootloader == "/bootloader"


def test_micropython_is_asked_by_a_statement_or_its_lines() -> None:
    """It is the one firmware that gets a Ctrl-C."""
    assert load("micropython").loader == Loader(repl="import machine; machine.bootloader()", lines=True)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"identity": "1001"}, r"loader.identity is '1001'; known: 'serial-jtag', 'usb-otg'"),
        ({"serial": "a\nb"}, r"loader.serial is 'a\\nb'; wanted a line of at most 80 printable characters"),
        ({"serial": "x", "repl": "y()"}, r"wanted either serial or repl: a REPL takes every line for a statement"),
        ({"touch": True}, r"loader.touch"),
    ],
)
def test_a_mistake_is_named(values: dict[str, object], said: str) -> None:
    """Key, value, choices."""
    with pytest.raises(BenchError, match=said):
        read_loader(Table(values, "mine.toml: loader."))
