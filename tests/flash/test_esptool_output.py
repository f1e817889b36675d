"""What esptool says, and where it goes."""

import pytest
from esptool.logger import log

from hil.flash.esptool_output import KEPT, Heard, heard


def test_output_is_kept_while_a_chip_is_talked_to(capsys: pytest.CaptureFixture[str]) -> None:
    """Lines for the error message, the progress bar as numbers; at other times it prints as ever."""
    parts: list[tuple[int, int]] = []
    into = Heard(on_part=lambda done, total: parts.append((done, total)))
    with heard(into):
        log.print("Connecting...", end="")
        log.print("....")
        log.note("slow")
        log.stage()
        log.progress_bar(3, 10, "Writing", "")
        for number in range(KEPT):
            log.print(f"line {number}")
    assert (parts, len(into.lines), into.lines[-1]) == ([(3, 10)], KEPT, f"line {KEPT - 1}")
    assert capsys.readouterr().out == ""
    log.print("for somebody else")
    assert capsys.readouterr().out == "for somebody else\n"


def test_the_innermost_conversation_hears() -> None:
    """And the outer one again afterwards."""
    outer, inner = Heard(), Heard()
    with heard(outer):
        with heard(inner):
            log.print("a")
        log.print("b")
    assert (list(inner.lines), list(outer.lines)) == (["a"], ["b"])
