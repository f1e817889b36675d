"""Faults by name and by file, and what is said when that fails."""

from pathlib import Path

import pytest

from hil.errors import VirtualBoardError
from hil.virtual.builtin import BUILTIN
from hil.virtual.fault_loader import load
from hil.virtual.faults import Arming

GOOD = """
from hil.virtual.faults import Fault

class Deaf(Fault):
    keys = frozenset({"every"})

    def frame_from_host(self, frame):
        return []
"""


def fault_file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(text)
    return path


def message(text: str) -> str:
    with pytest.raises(VirtualBoardError) as caught:
        load(text)
    return str(caught.value)


@pytest.mark.parametrize("name", sorted(BUILTIN))
def test_every_built_in_fault_loads_by_its_name_and_says_where_it_was_seen(name: str) -> None:
    """Its docstring has a source and a finding."""
    fault = load(name).fault
    assert type(fault) is BUILTIN[name]
    assert "Source:" in str(type(fault).__doc__)
    assert "Finding:" in str(type(fault).__doc__)


def test_conditions_are_read_from_the_text() -> None:
    """from_boot, from_mount and after_s arm a fault."""
    armed = load("no-link-notification:from_boot=1,from_mount=2,after_s=1.5")
    assert armed.arming == Arming(from_boot=1, from_mount=2, after_s=1.5)


def test_a_file_gives_its_one_fault(tmp_path: Path) -> None:
    """The fault takes the file's name and gets the options that are its own."""
    armed = load(f"{fault_file(tmp_path, GOOD)}:every=3,from_mount=2")
    assert (armed.fault.name, armed.fault.options, armed.arming) == ("mine", {"every": "3"}, Arming(from_mount=2))


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    """The message lists the built-in faults."""
    known = ", ".join(sorted(BUILTIN))
    assert message("no-link") == f"fault 'no-link' is unknown; known: {known}, or the path of a .py file"


def test_an_unknown_key_is_answered_with_the_known_ones(tmp_path: Path) -> None:
    """Keys of the fault and of its arming are both named."""
    text = f"{fault_file(tmp_path, GOOD)}:evry=3"
    assert message(text) == f"fault {text!r}: unknown key 'evry'; known: after_s, every, from_boot, from_mount"


@pytest.mark.parametrize(
    ("conditions", "error"),
    [
        ("from_mount=two", "invalid literal for int() with base 10: 'two'"),
        ("after_s", "'after_s' is no key=value"),
        ("from_boot=-1", "from_boot, from_mount and after_s cannot be negative"),
    ],
)
def test_nonsense_in_a_condition_is_named(conditions: str, error: str) -> None:
    """The message holds the whole text and what is wrong in it."""
    text = f"no-link-notification:{conditions}"
    assert message(text) == f"fault {text!r}: {error}"


def test_a_file_without_a_fault_or_with_two_is_refused(tmp_path: Path) -> None:
    """Exactly one subclass is wanted; the message says what was found."""
    path = fault_file(tmp_path, "from hil.virtual.faults import Fault\n")
    assert message(str(path)) == f"{path}: expected one subclass of hil.virtual.faults.Fault, found none"
    path = fault_file(tmp_path, GOOD + "\nclass Other(Fault):\n    pass\n")
    assert message(str(path)) == f"{path}: expected one subclass of hil.virtual.faults.Fault, found Deaf, Other"


def test_a_file_that_raises_is_named_with_its_line(tmp_path: Path) -> None:
    """The place is that of the user's code, not of the loader."""
    path = fault_file(tmp_path, "\n\n1 / 0\n")
    assert message(str(path)) == f"{path}:3: ZeroDivisionError: division by zero, while loading {path}"


def test_a_file_with_a_syntax_error_is_named_with_its_line(tmp_path: Path) -> None:
    """A file that cannot be compiled is told like one that raises."""
    path = fault_file(tmp_path, "x = 1\ndef broken(:\n")
    assert message(str(path)).startswith(f"{path}:2: SyntaxError: ")


def test_a_missing_file_is_named() -> None:
    """The whole path is shown, as the process may have another working directory."""
    assert message("/nowhere/mine.py") == "/nowhere/mine.py: no such fault file"
