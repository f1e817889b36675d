"""Prints what the proofs have come to, when all have run."""

import pytest

from tests.proofs.matrix import MATRIX, text


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The matrix of faults, where a proof of them has run."""
    rows = terminalreporter.config.stash.get(MATRIX, [])
    if rows:
        terminalreporter.section("faults, scenarios, findings")
        terminalreporter.write_line(text(rows))
