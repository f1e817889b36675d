"""``python -m hil.launcher``."""

import pytest

from hil.launcher.__main__ import parse


def test_words_after_the_dashes_are_the_command() -> None:
    """Its own options stay with it."""
    options = parse(["-v", "--timeout", "5", "--", "pytest", "-q", "-v"])
    assert options.command == ["pytest", "-q", "-v"]
    assert (options.verbose, options.timeout) == (True, 5.0)


def test_nothing_to_do_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    """With the way to write it."""
    with pytest.raises(SystemExit):
        parse([])
    assert "python -m hil.launcher -- CMD" in capsys.readouterr().err
