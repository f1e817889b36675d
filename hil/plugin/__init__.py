"""The pytest plugin: options, the marker, fixtures and what is told at the end. Every hook calls into hil."""

import sys
from collections.abc import Generator

import pytest

from hil.bench import ROLES
from hil.board import sight
from hil.errors import HarnessError
from hil.launcher.whereabouts import inside, whereabouts
from hil.plugin import options, reporting
from hil.plugin.fixtures import artifacts, bench, board, expect, host, timeline
from hil.plugin.run import RUN, Run

__all__ = ["artifacts", "bench", "board", "expect", "host", "timeline"]

MARKER = (
    "hil(needs=None, role=None): runs on a bench; needs names the least that a board must see of the test's actions "
    f"({', '.join(sight.NEEDS)}), role what its firmware must be ({', '.join(ROLES)})"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    options.add(parser)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", MARKER)


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """Read the options; run the same command line in the machine where this kernel cannot hold the virtual bench."""
    if not options.names_hil(config):
        return None
    try:
        given = options.read(config)
        run = Run(options=given, bench=given.load_bench(), where=whereabouts())
        config.stash[RUN] = run
        if _only_asks(config):
            return None
        reporting.clear_artifacts(given.artifacts)
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


def pytest_sessionstart(session: pytest.Session) -> None:
    run = session.config.stash.get(RUN, None)
    if run is not None and not _only_asks(session.config):
        run.begin()


def pytest_report_header(config: pytest.Config) -> list[str]:
    run = config.stash.get(RUN, None)
    return [] if run is None else reporting.header(run)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Hil tests run only where ``-m`` names them; their marker's arguments are checked."""
    if RUN in config.stash:
        for item in items:
            _check_marker(item)
        return
    hil = [item for item in items if item.get_closest_marker("hil")]
    if hil:
        config.hook.pytest_deselected(items=hil)
        items[:] = [item for item in items if item not in hil]


def _check_marker(item: pytest.Item) -> None:
    for marker in item.iter_markers("hil"):
        unknown = set(marker.kwargs) - {"needs", "role"}
        if marker.args or unknown:
            wrong = ", ".join(sorted(unknown)) or f"{marker.args[0]!r} without a name"
            raise pytest.UsageError(f"{item.nodeid}: marker hil takes needs=… and role=…, not {wrong}")
        role = marker.kwargs.get("role")
        if role not in (None, *ROLES):
            raise pytest.UsageError(f"{item.nodeid}: marker hil: role={role!r} is not known; known: {', '.join(ROLES)}")
        try:
            if marker.kwargs.get("needs") is not None:
                sight.ways(marker.kwargs["needs"])
        except HarnessError as error:
            raise pytest.UsageError(f"{item.nodeid}: marker hil: {error}") from error


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    run = item.config.stash.get(RUN, None)
    if call.excinfo is not None:
        reporting.shape(item, report, call.excinfo)
        if run is not None and report.failed:
            reporting.explain_failure(run, item, report)
    return report


def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, str] | None:
    """A HarnessError is an ERROR and a BoardFailure a FAILED, wherever in a test it comes from."""
    return reporting.status(report)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    run = config.stash.get(RUN, None)
    if run is not None:
        reporting.summary(run, terminalreporter)


def pytest_sessionfinish(session: pytest.Session) -> None:
    run = session.config.stash.get(RUN, None)
    if run is not None:
        run.close()


def pytest_unconfigure(config: pytest.Config) -> None:
    run = config.stash.get(RUN, None)
    if run is not None:
        run.close()
