"""The pytest plugin, as far as every session loads it: options, the marker, fixtures, and whose fault a failure is.

Most sessions of an installation have no bench to run on, so this imports next to nothing of hil. A session whose ``-m``
names hil registers :mod:`hil.plugin.on_bench` beside it.
"""

from collections.abc import Generator
from types import ModuleType

import pytest

from hil.plugin import fixtures, options, verdict

FIXTURES = ("artifacts", "bench", "board", "expect", "host", "neighbour", "timeline")


def pytest_addoption(parser: pytest.Parser) -> None:
    options.add(parser)


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Fixtures come after those of other plugins, so that hil's are the ones; in a session without a bench they give
    way: pytest-testinfra has a ``host`` too."""
    config.addinivalue_line("markers", options.MARKER)
    plugins = [] if options.names_hil(config) else config.pluginmanager.get_plugins()
    holder = ModuleType("hil fixtures")
    for name in FIXTURES:
        if not any(hasattr(plugin, name) for plugin in plugins):
            setattr(holder, name, getattr(fixtures, name))
    config.pluginmanager.register(holder, "hil-fixtures")


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """The conftest.py of scenarios imports hil."""
    if options.asks_for("hil", str(early_config.known_args_namespace.markexpr)):
        from hil.plugin import loading

        loading.as_compiled()


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """Read the options; run the same command line in the machine where this kernel cannot hold the virtual bench."""
    if not options.names_hil(config):
        return None
    from hil.plugin import on_bench

    return on_bench.start(config)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Hil tests run only where ``-m`` names them."""
    if options.names_hil(config):
        return
    hil = [item for item in items if item.get_closest_marker("hil")]
    if hil:
        config.hook.pytest_deselected(items=hil)
        items[:] = [item for item in items if item not in hil]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if call.excinfo is not None:
        verdict.shape(item, report, call.excinfo)
    return report


def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, str] | None:
    """A HarnessError is an ERROR and a BoardFailure a FAILED, wherever in a test it comes from."""
    return verdict.status(report)
