"""The hooks of a session on a bench, around what pytest itself does."""

import pytest

CONFTEST = """
from types import SimpleNamespace

import pytest

from hil.plugin.on_bench import OnBench
from hil.plugin.recovery import Recoveries
from hil.plugin.run import OUTCOME


class Run(SimpleNamespace):
    def begin(self):
        pass

    def leave(self):
        print("bench: left")

    def close(self):
        print("bench: closed")


def pytest_configure(config):
    bench = SimpleNamespace(name="none", virtual=False, boards=())
    options = SimpleNamespace(artifacts="nowhere")
    run = Run(
        bench=bench, options=options, where="here", opened=None, findings={}, skipped_checks=[], recoveries=Recoveries()
    )
    config.pluginmanager.register(OnBench(run), "on-bench")


@pytest.fixture
def board(request):
    yield
    print("board:", request.node.stash.get(OUTCOME, "interrupted"))
"""


def test_an_interrupted_test_leaves_its_board_before_the_bench_is_closed(pytester: pytest.Pytester) -> None:
    """What fixtures undo needs the bench; the summary comes, and the test has neither passed nor failed."""
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile("def test_it(board):\n    raise KeyboardInterrupt")
    result = pytester.runpytest_subprocess("-s", "-p", "no:hypothesispytest")
    result.stdout.fnmatch_lines(["*board: interrupted", "bench: closed", "hil: evidence in nowhere", "*no tests ran*"])
    result.stdout.no_fnmatch_line("bench: left")
    assert result.ret == pytest.ExitCode.INTERRUPTED


@pytest.mark.parametrize("body", ["pass", "assert 0"])
def test_boards_are_left_well_before_the_bench_is_closed(pytester: pytest.Pytester, body: str) -> None:
    """After the last test, whether it passed or failed."""
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(f"def test_it(board):\n    {body}")
    result = pytester.runpytest_subprocess("-s", "-p", "no:hypothesispytest")
    result.stdout.fnmatch_lines(["bench: left", "bench: closed", "hil: evidence in nowhere"])


@pytest.mark.parametrize(
    ("body", "outcome"),
    [("pass", "passed"), ("assert 0", "failed"), ("import pytest; pytest.skip()", "skipped")],
)
def test_a_board_is_told_what_its_test_came_to(pytester: pytest.Pytester, body: str, outcome: str) -> None:
    """When its fixture ends, the body has been judged."""
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(f"def test_it(board):\n    {body}")
    result = pytester.runpytest_subprocess("-s", "-p", "no:hypothesispytest")
    result.stdout.fnmatch_lines([f"*board: {outcome}"])


XDIST = """
def pytest_addoption(parser):
    parser.addoption("--numprocesses", type=int)
    parser.addoption("--tx", action="append", default=[])
"""


@pytest.mark.parametrize("asked", [("--numprocesses", "2"), ("--tx", "2*popen")])
def test_processes_that_share_a_bench_are_refused(pytester: pytest.Pytester, asked: tuple[str, ...]) -> None:
    """As pytest-xdist's options ask for them, in `addopts` for example; in one line, before the evidence is touched."""
    pytester.makeconftest(XDIST)
    pytester.makepyfile("def test_it():\n    pass")
    result = pytester.runpytest_inprocess("-m", "hil", "-p", "no:xdist", *asked)
    result.stderr.fnmatch_lines(["*tests on a bench run one after the other*leave pytest-xdist out: -n 0"])
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert not (pytester.path / "build").exists()


def test_hil_tests_that_are_left_out_take_any_number_of_processes(pytester: pytest.Pytester) -> None:
    """A session without a bench is none of hil's business."""
    pytester.makeconftest(XDIST)
    pytester.makepyfile("def test_it():\n    pass")
    assert pytester.runpytest_inprocess("-p", "no:xdist", "--numprocesses", "2").ret == pytest.ExitCode.OK
