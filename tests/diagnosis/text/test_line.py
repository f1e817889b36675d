"""One line of a log, cleaned."""

import pytest

from hil.diagnosis.text.line import SHOWN, TextLine, parts, printable


def texts(raw: str) -> list[str]:
    return [line.text for line in parts(raw)]


@pytest.mark.parametrize(
    ("raw", "when", "text"),
    [
        ("12:34:56.789 -> hello", "12:34:56.789", "hello"),
        ("[11:59:29]E (6637) task_wdt: x", "11:59:29", "E (6637) task_wdt: x"),
        ("2026-10-04 10:12:31 I (5) a: b", "2026-10-04 10:12:31", "I (5) a: b"),
        ("2026-10-04T10:12:31.1234567Z     /tools/x", "2026-10-04T10:12:31.1234567Z", "    /tools/x"),
        ("[2026-10-04T10:12:31+02:00] a", "2026-10-04T10:12:31+02:00", "a"),
        ("I (00:01:30.123) main: x", "", "I (00:01:30.123) main: x"),
        ("12:34:56", "", "12:34:56"),
    ],
)
def test_a_stamp_of_the_host_is_told_apart(raw: str, when: str, text: str) -> None:
    """It is kept beside the line, for who prints it; a time of the board's own is part of the line."""
    (line,) = parts(raw)
    assert (line.when, line.text) == (when, text)


def test_what_is_not_text_is_taken_away() -> None:
    """Colour, titles, NUL, noise before the text and blanks after it."""
    assert texts("\x1b]0;monitor\x07\x1b[0;31mE (5) a: b\x1b[0m \r\n") == ["E (5) a: b"]
    assert texts("\x00\x01\ufffd\ufffdG\x00uru\n") == ["Guru"]
    assert texts(" \t\r\n") == []


@pytest.mark.parametrize("escape", ["", "\ufffd", "^[", "ESC", "\u241b"])
def test_colours_without_their_control_character_are_taken_away(escape: str) -> None:
    """As they are left by copying from a terminal or a web page."""
    assert texts(f"{escape}[0;31mE (5) a: b{escape}[0m\n") == ["E (5) a: b"]
    assert texts(f"{escape}[0m\n") == []
    assert texts("x[0;1] = [0m]\n") == ["x[0;1] = [0m]"]
    assert texts("[0x3f400020] map\n") == ["[0x3f400020] map"]


def test_line_ends_that_a_terminal_shows_are_taken_away() -> None:
    """As CoolTerm and HTerm write them into what they save."""
    assert (
        texts("flash read err, 1000<CR><LF>\n")
        == texts("flash read err, 1000\u240d\u240a\r\n")
        == ["flash read err, 1000"]
    )
    assert texts("ets_main.c 371 <CR><LF>\n") == ["ets_main.c 371"]
    assert texts("<CR><LF>\n") == texts("\u240d\u240a\n") == []
    assert texts("vector<LF> x\n") == ["vector<LF> x"]


def test_a_bare_carriage_return_separates_lines() -> None:
    """Progress that overwrites itself is told part by part, with the number of the one line it is."""
    assert [(line.number, line.text) for line in parts("10 %\r20 %\rdone\r\n", 7)] == [
        (7, "10 %"),
        (7, "20 %"),
        (7, "done"),
    ]


@pytest.mark.parametrize(
    ("text", "ms"), [("I (315) a: b", 315), ("[   12][E][a.cpp:1] b", 12), ("I (a) b", -1), ("", -1)]
)
def test_the_boards_own_time_is_read(text: str, ms: int) -> None:
    """In ESP-IDF's form and in Arduino's."""
    assert TextLine(text).board_ms == ms


def test_what_is_shown_is_short_and_has_no_control_characters() -> None:
    """A quoted line cannot move the cursor, and a long one is cut."""
    assert printable("a\x1b[2Jb\x07") == "a\ufffd[2Jb\ufffd"
    assert len(printable("x" * 5000)) == SHOWN


def test_a_long_line_is_quoted_around_what_it_is_quoted_for() -> None:
    """With some of what stands before; the end and the beginning of a line as they are."""
    text = "." * 3000 + "Guru Meditation Error" + "," * 3000
    shown = printable(text, 3000)
    assert len(shown) == SHOWN
    assert shown.startswith("…....")
    assert ".Guru Meditation Error," in shown
    assert shown.endswith(",,…")
    assert printable("." * 3000 + "Guru", 3000) == "…" + "." * (SHOWN - 5) + "Guru"
    assert printable("Guru" + "." * 3000, 0) == "Guru" + "." * (SHOWN - 5) + "…"
    assert printable("x" * SHOWN, 100) == "x" * SHOWN
    assert printable("short", 4) == "short"
