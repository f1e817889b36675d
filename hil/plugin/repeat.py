"""``--hil-repeat N``: each hil test N times, and how often it passed.

A rate of a few runs is known only roughly. The interval printed beside it is Wilson's score interval (E. B. Wilson,
"Probable Inference, the Law of Succession, and Statistical Inference", JASA 22, 1927), which stays within 0…1 and says
something of 10 out of 10 too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import sqrt
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from hil.plugin.verdict import ERROR, FAILED, OUTCOMES, PASSED, SKIPPED, outcome_of

if TYPE_CHECKING:
    from hil.diagnosis import Finding

REPETITION = "hil_repetition"
"""Argument that tells the repetitions of a test apart, and JUnit property of each: '3 of 10'."""
NORMAL_95 = 1.959964
"""Quantile of the normal distribution for a two-sided interval of 95 %."""
"""The worse the later: a test's setup, body and teardown count as the worst of them."""


def base(nodeid: str) -> str:
    """The node id without its repetition, which is the last part of it: what all repetitions of a test share."""
    head = nodeid.rpartition("repeat-")[0]
    return head.removesuffix("[") if head.endswith("[") else f"{head.removesuffix('-')}]"


def interval(passed: int, runs: int) -> tuple[float, float]:
    """Wilson's interval of 95 % for a rate of ``passed`` in ``runs``; (0, 1) where there was no run."""
    if runs == 0:
        return 0.0, 1.0
    z2 = NORMAL_95**2
    middle = passed + z2 / 2
    half = NORMAL_95 * sqrt(passed * (runs - passed) / runs + z2 / 4)
    return max(0.0, (middle - half) / (runs + z2)), min(1.0, (middle + half) / (runs + z2))


@dataclass(slots=True)
class Tally:
    """What became of the repetitions of one test."""

    outcomes: Counter[str] = field(default_factory=Counter)
    findings: Counter[str] = field(default_factory=Counter)

    @property
    def text(self) -> str:
        """'9/10 passed, 95 % interval 0.60 to 0.98; 1 error; link-notification-missing 1'.

        The rate is that of the repetitions that came to a verdict about the board.
        """
        runs = self.outcomes[PASSED] + self.outcomes[FAILED]
        low, high = interval(self.outcomes[PASSED], runs)
        parts = [f"{self.outcomes[PASSED]}/{runs} passed, 95 % interval {low:.2f} to {high:.2f}"]
        parts += [f"{self.outcomes[kind]} {kind}" for kind in (ERROR, SKIPPED) if self.outcomes[kind]]
        parts += [f"{name} {times}" for name, times in sorted(self.findings.items())]
        return "; ".join(parts)


class Repetitions:
    """A pytest plugin that runs each hil test ``times`` times and sums up.

    Args:
        findings: of each failed test, by node id; filled while the tests run.
    """

    def __init__(self, times: int, findings: Mapping[str, Sequence[Finding]]) -> None:
        self.tallies: dict[str, Tally] = {}
        self._times = times
        self._findings = findings
        self._worst: dict[str, str] = {}
        self._to_junit: Callable[[str, object], None] | None = None

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Keep the way to JUnit's properties of the suite: by a fixture, which pytest wants as a plain function."""

        @pytest.fixture(scope="session", autouse=True)
        def suite_property(record_testsuite_property: Callable[[str, object], None]) -> None:
            self._to_junit = record_testsuite_property

        holder = ModuleType("hil_suite_property")
        vars(holder)["suite_property"] = suite_property
        session.config.pluginmanager.register(holder)

    def pytest_report_header(self) -> str:
        return f"hil: each test {self._times} times"

    @pytest.hookimpl(trylast=True)
    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Make a test of each repetition; being last, its part of the id is the last one."""
        if metafunc.definition.get_closest_marker("hil"):
            metafunc.fixturenames.append(REPETITION)
            numbers = range(1, self._times + 1)
            metafunc.parametrize(REPETITION, numbers, ids=[f"repeat-{number}" for number in numbers])

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        if isinstance(item, pytest.Function) and hasattr(item, "callspec"):
            number = item.callspec.params.get(REPETITION)
            if number is not None:
                item.user_properties.append((REPETITION, f"{number} of {self._times}"))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note what one part of a repetition came to; the worst of them counts."""
        if REPETITION in dict(report.user_properties):
            known = self._worst.get(report.nodeid, PASSED)
            self._worst[report.nodeid] = max(known, outcome_of(report), key=OUTCOMES.index)

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        outcome = self._worst.pop(nodeid, None)
        if outcome is not None:
            tally = self.tallies.setdefault(base(nodeid), Tally())
            tally.outcomes[outcome] += 1
            tally.findings.update(finding.name for finding in self._findings.get(nodeid, ()))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        for test, tally in self.tallies.items():
            terminalreporter.write_line(f"hil: {test}: {tally.text}")

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """Before the JUnit file is written: one property of the suite for each test."""
        if self._to_junit is not None:
            for test, tally in self.tallies.items():
                self._to_junit(f"hil_repeat {test}", tally.text)
