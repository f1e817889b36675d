"""hil faults."""

from hil.catalogue import Entry, Proof
from hil.cli.faults import markdown, matrix

ENTRY = Entry(
    "mute",
    "says nothing",
    "a lab",
    "nothing-heard",
    (Proof("", ("test_connect.py",)), Proof("from_boot=2", ("test_connect.py", "test_replug.py::test_ten"))),
)


def test_the_matrix_has_a_line_for_each_scenario_that_finds_a_fault() -> None:
    """Columns are as wide as their widest cell; nothing trails."""
    assert matrix([ENTRY]).splitlines() == [
        "fault  scenario  finding",
        "mute   connect   nothing-heard",
        "mute   test_ten  nothing-heard",
    ]


def test_the_table_says_what_is_wrong_and_where_it_was_seen() -> None:
    """One row a fault, as docs/faults.md has it."""
    row = "| `mute` | says nothing | a lab | `nothing-heard` | connect, test_ten |"
    assert markdown([ENTRY]).splitlines()[2] == row
