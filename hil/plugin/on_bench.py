"""A session that runs on a bench: where it runs, and the hooks that no other session needs."""

from __future__ import annotations

import sys
from collections.abc import Generator

import pytest

from hil.errors import BenchError, HarnessError
from hil.plugin import marker, options, reporting
from hil.plugin.repeat import Repetitions
from hil.plugin.run import OUTCOME, RUN, Run
from hil.plugin.verdict import OUTCOMES, PASSED, outcome_of
from hil.whereabouts import inside, whereabouts


def start(config: pytest.Config) -> int | None:
    """Read the options, then see to the evidence of the run before and to where the bench can be.

    Returns:
        The exit status of the run in the machine, or None where pytest is to go on here.

    Raises:
        pytest.UsageError: an option or the bench file is wrong, or neither this kernel nor a machine will do.
    """
    try:
        given = options.read(config)
        run = Run(options=given, bench=given.load_bench(), where=whereabouts())
        config.stash[RUN] = run
        run.say = lambda line: reporting.say(config, line)
        config.pluginmanager.register(OnBench(run), "hil-on-bench")
        if given.repeat > 1:
            config.pluginmanager.register(Repetitions(given.repeat, run.findings), "hil-repeat")
        if _only_asks(config):
            return None
        _require_one_process(config)
        config.add_cleanup(reporting.clear_artifacts(given.artifacts, shared=inside()))
        if inside():
            return None
        for line in reporting.left_out(run):
            print(line)
        return _launch(config, run) if run.bench.virtual else None
    except HarnessError as error:
        raise pytest.UsageError(str(error)) from error


def _launch(config: pytest.Config, run: Run) -> int | None:
    from hil.launcher.launch import run as run_in_machine
    from hil.launcher.planning import plan as plan_bench

    plan = plan_bench()
    if plan.native:
        return None
    argv = [sys.executable, "-m", "pytest", *map(str, config.invocation_params.args)]
    return run_in_machine(argv, plan=plan, rootdir=config.rootpath, artifacts=run.options.artifacts)


def _only_asks(config: pytest.Config) -> bool:
    """Whether nothing will be run: --collect-only, --fixtures, --markers, --help, --version."""
    names = ("collectonly", "showfixtures", "show_fixtures_per_test", "markers", "help", "version", "setuponly")
    return any(config.getoption(name, False) for name in names)


def _require_one_process(config: pytest.Config) -> None:
    """
    Raises:
        BenchError: pytest-xdist is to spread the tests over processes, and there is one bench.
    """
    if config.getoption("numprocesses", None) or config.getoption("tx", None):
        raise BenchError("tests on a bench run one after the other, in one process; leave pytest-xdist out: -n 0")


class OnBench:
    """Hooks of a session that runs on a bench."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        if not _only_asks(session.config):
            self._run.begin()

    def pytest_report_header(self) -> list[str]:
        return reporting.header(self._run)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """The marker's arguments are checked before anything runs."""
        for item in items:
            marker.check(item)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """hil.plugin was registered first, so its wrapper is the inner one and has told whose fault it is."""
        report = yield
        if call.when == "call" or not report.passed:
            item.stash[OUTCOME] = max(item.stash.get(OUTCOME, PASSED), outcome_of(report), key=OUTCOMES.index)
        if call.excinfo is not None and report.failed:
            reporting.explain_failure(self._run, item, report, call.excinfo.value)
        return report

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if not _only_asks(terminalreporter.config):
            reporting.summary(self._run, terminalreporter)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, exitstatus: int) -> None:
        """After pytest has undone what an interrupted test holds: its fixtures still need the bench."""
        if exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):  # whoever interrupts waits for no board
            self._run.leave()
        self._run.close()

    def pytest_unconfigure(self) -> None:
        self._run.close()
