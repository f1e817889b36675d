"""The plugin without a bench: selection, marker, options, and what kind of wrong is shown."""

import pytest

from hil.plugin.options import asks_for

HIL_TEST = """
import pytest

@pytest.mark.hil{arguments}
def test_board():
    pass

def test_plain():
    pass
"""


def test_hil_tests_are_deselected_without_m(pytester: pytest.Pytester) -> None:
    """Plain pytest runs what needs no bench, and says that it left the rest out."""
    pytester.makepyfile(HIL_TEST.format(arguments=""))
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(passed=1, deselected=1)


def test_another_marker_expression_still_leaves_hil_out(pytester: pytest.Pytester) -> None:
    """Only an expression that names hil selects hil tests."""
    pytester.makepyfile(HIL_TEST.format(arguments=""))
    result = pytester.runpytest_inprocess("-m", "not slow", "-o", "markers=slow")
    result.assert_outcomes(passed=1, deselected=1)


@pytest.mark.parametrize(
    ("expression", "named"),
    [
        ("hil", True),
        ("slow or hil", True),
        ("not slow and (root or hil)", True),
        ("hil or not hil", True),
        ("not (slow or not hil)", True),
        ("not not hil", True),
        ("hil(role='static')", True),
        ("(not slow) and hil", True),
        ("", False),
        ("slow", False),
        ("not hil", False),
        ("not(hil)", False),
        ("not (slow or hil)", False),
        ("not (slow or (root and hil(needs='vbus_off')))", False),
        ("slow(why='hil')", False),
        ("slow(why=') or hil (')", False),
        ("hilly", False),
        (") not hil (", False),
    ],
)
def test_an_expression_names_hil_where_it_selects_it(expression: str, named: bool) -> None:
    """Under no `not`, or an even number of them, however deep."""
    assert asks_for("hil", expression) is named


def test_an_expression_that_leaves_hil_out_touches_no_evidence(pytester: pytest.Pytester) -> None:
    """Nor is the bench begun."""
    pytester.makepyfile(HIL_TEST.format(arguments=""))
    kept = pytester.path / "build" / "hil" / "timeline.jsonl"
    kept.parent.mkdir(parents=True)
    (kept.parent / ".hil-artifacts").touch()
    kept.touch()
    result = pytester.runpytest_inprocess("-m", "not (slow or hil)", "-o", "markers=slow")
    result.assert_outcomes(passed=1, deselected=1)
    assert kept.exists()


def test_an_unknown_need_is_refused_at_collection(pytester: pytest.Pytester) -> None:
    """The marker's argument is checked before anything runs, with the choices."""
    pytester.makepyfile(HIL_TEST.format(arguments="(needs='unplug')"))
    result = pytester.runpytest_inprocess("-m", "hil", "--collect-only")
    result.stderr.fnmatch_lines(["*test_board: marker hil: needs='unplug' is not known; known: 'vbus_off'*"])
    assert result.ret == pytest.ExitCode.USAGE_ERROR


def test_an_unknown_marker_argument_is_refused_at_collection(pytester: pytest.Pytester) -> None:
    """A misspelt keyword does not pass silently."""
    pytester.makepyfile(HIL_TEST.format(arguments="(need='suspend')"))
    result = pytester.runpytest_inprocess("-m", "hil", "--collect-only")
    result.stderr.fnmatch_lines(["*test_board: marker hil takes needs=… and role=…, not need*"])


def test_an_unknown_role_is_refused_at_collection(pytester: pytest.Pytester) -> None:
    """The roles are those of bench.toml."""
    pytester.makepyfile(HIL_TEST.format(arguments="(role='router')"))
    result = pytester.runpytest_inprocess("-m", "hil", "--collect-only")
    result.stderr.fnmatch_lines(["*test_board: marker hil: role='router' is not known; known: dhcp-server, *"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--hil-tinyusb", "0.15"], "*--hil-tinyusb is '0.15'; known: '0.19', '0.21'*"),
        (["--hil-bench", "none.toml"], "*none.toml: cannot be read: No such file or directory*"),
        (["--hil-bench", "b.toml", "--hil-virtual-fault", "x"], "*--hil-virtual-fault 'x' needs the virtual bench*"),
        (["--hil-bench", "b.toml", "--hil-virtual-boards", "2"], "*--hil-virtual-boards 2 needs the virtual bench*"),
        (["--hil-flash", "often"], "*--hil-flash is 'often'; known: 'auto', 'always', 'never'*"),
        (["--hil-virtual-role", "router"], "*--hil-virtual-role is 'router'; known: 'dhcp-server', *'static'*"),
        (["--hil-bench", "b.toml", "--hil-virtual-role", "static"], "*--hil-virtual-role 'static' needs the virtual*"),
        (["--hil-bench", "b.toml", "--hil-tinyusb", "0.19"], "*--hil-tinyusb 0.19 needs the virtual bench*"),
        (["--hil-bench", ""], "*--hil-bench is ''; wanted FILE, or no --hil-bench"),
        (["--hil-board", "s3-a"], "*--hil-board is 's3-a'; the bench virtual has virtual-s3"),
        (["--hil-firmware", "none"], "*--hil-firmware is 'none': No such file or directory"),
        (["--hil-firmware", 300 * "x"], "*--hil-firmware is 'xxx*': File name too long"),
        (["--hil-virtual-fault", "deaf"], "*--hil-virtual-fault is 'deaf'; known: ack-dropped, *, or the path of *"),
        (["--hil-virtual-fault", "none.py:from_boot=2"], "*-fault is 'none.py:from_boot=2': No such file *"),
        (["--hil-virtual-boards", "5"], "*--hil-virtual-boards is '5'; wanted a whole number from 1 to 4*"),
    ],
)
def test_a_wrong_option_is_one_clear_line(pytester: pytest.Pytester, arguments: list[str], message: str) -> None:
    """A bad value ends the run before collection, naming value and choices."""
    result = pytester.runpytest_inprocess("-m", "hil", *arguments)
    result.stderr.fnmatch_lines([message])
    assert result.ret == pytest.ExitCode.USAGE_ERROR


@pytest.mark.parametrize(
    ("says", "message"),
    [
        ('profile = "mini"', "*bench.toml: board.a.profile: profile 'mini' is not known; known: *"),
        (
            'profile = "mine.toml"',
            "*bench.toml: board.a.profile: *mine.toml: cannot be read: No such file*",
        ),
        (
            'profile = "reference-static"',
            "*bench.toml: board.a.role is 'dhcp-server'; its profile reference-static is for 'static'",
        ),
    ],
)
def test_a_wrong_profile_is_one_clear_line(pytester: pytest.Pytester, says: str, message: str) -> None:
    """Whose board it is; scenarios of another role than its firmware's would fail a board that is right."""
    pytester.makefile(".toml", bench=f'[bench]\nname = "b"\n[[board]]\nname = "a"\nusb = "1-1"\n{says}\n')
    result = pytester.runpytest_inprocess("-m", "hil", "--hil-bench", "bench.toml")
    result.stderr.fnmatch_lines([message])
    assert result.ret == pytest.ExitCode.USAGE_ERROR


def test_a_run_that_only_asks_has_no_evidence(pytester: pytest.Pytester) -> None:
    """And says nothing of any."""
    pytester.makepyfile(HIL_TEST.format(arguments=""))
    result = pytester.runpytest_inprocess("-m", "hil", "--collect-only", "-q")
    result.stdout.no_fnmatch_line("*hil: evidence*")


def test_the_header_lists_every_virtual_board(pytester: pytest.Pytester) -> None:
    """--hil-virtual-boards puts further boards on the bench, each with a name of its own."""
    pytester.makepyfile(HIL_TEST.format(arguments=""))
    result = pytester.runpytest_inprocess("-m", "hil", "--collect-only", "--hil-virtual-boards", "2")
    result.stdout.fnmatch_lines(["hil: board virtual-s3 on *", "hil: board virtual-s3-2 on *"])


def test_the_header_says_what_is_flashed(pytester: pytest.Pytester) -> None:
    """And when; of the board under test alone."""
    pytester.mkdir("build")
    pytester.makepyfile(HIL_TEST.format(arguments=""))
    arguments = ("--hil-virtual-boards", "2", "--hil-firmware", "build", "--hil-flash", "always")
    result = pytester.runpytest_inprocess("-m", "hil", "--collect-only", *arguments)
    result.stdout.fnmatch_lines(["hil: board virtual-s3 is flashed with build: always"])
    result.stdout.no_fnmatch_line("hil: board virtual-s3-2 is flashed*")


def test_the_header_says_which_bench(pytester: pytest.Pytester) -> None:
    """The virtual bench is named in capitals."""
    pytester.makepyfile(HIL_TEST.format(arguments=""))
    result = pytester.runpytest_inprocess("-m", "hil", "--collect-only")
    result.stdout.fnmatch_lines(["hil: bench virtual (VIRTUAL), on *", "hil: board virtual-s3 *profile reference*"])


def test_a_harness_error_in_a_test_body_is_an_error(pytester: pytest.Pytester) -> None:
    """The bench's fault is shown as ERROR, with its own text and no traceback."""
    pytester.makepyfile(
        """
        from hil import HarnessError

        def test_body():
            raise HarnessError("the cable is in the drawer")
        """
    )
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*raise HarnessError(*", "HarnessError: the cable is in the drawer"])


def test_a_board_failure_is_a_failure(pytester: pytest.Pytester) -> None:
    """The product's fault is shown as FAILED, with its own text."""
    pytester.makepyfile(
        """
        from hil import BoardFailure

        def test_body():
            raise BoardFailure("no lease")
        """
    )
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["no lease"])


def test_a_board_failure_in_a_fixture_is_a_failure_too(pytester: pytest.Pytester) -> None:
    """What the board does wrong before the test's body is still the board's; JUnit says so by a property."""
    pytester.makepyfile(
        """
        import pytest
        from hil import BoardFailure

        @pytest.fixture
        def dead():
            raise BoardFailure("not on the bus")

        def test_body(dead):
            pass
        """
    )
    result = pytester.runpytest_inprocess("--junitxml=junit.xml")
    result.assert_outcomes(failed=1)
    assert '<property name="hil_kind" value="board"' in (pytester.path / "junit.xml").read_text()


def test_a_fixture_outside_a_hil_run_says_what_is_missing(pytester: pytest.Pytester) -> None:
    """`board` without -m hil is an error of the test that says so."""
    pytester.makepyfile("def test_plain(board):\n    pass\n")
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*the fixture 'bench' needs `-m hil` and the marker hil*"])


OTHER = """
import pytest

@pytest.fixture
def host():
    return "another plugin's"
"""


@pytest.mark.parametrize(("asked", "outcome"), [((), {"passed": 1}), (("-m", "hil or not hil"), {"failed": 1})])
def test_another_plugins_fixture_of_one_name_is_its_own(
    pytester: pytest.Pytester, asked: tuple[str, ...], outcome: dict[str, int]
) -> None:
    """As pytest-testinfra's `host`; where `-m` names hil it is hil's."""
    pytester.makepyfile(other=OTHER)
    pytester.makepyfile(
        test_it="""
        def test_it(request):
            definition = request._fixturemanager.getfixturedefs("host", request.node)[-1]
            assert definition.func.__module__ == "other"
        """
    )
    pytester.syspathinsert()
    pytester.makefile(".toml", bench='[bench]\nname = "b"\n[[board]]\nname = "a"\nusb = "1-1"\n')
    given = ("-p", "other", "--hil-bench", "bench.toml", *asked)
    pytester.runpytest_subprocess(*given).assert_outcomes(**outcome)


def test_every_option_has_help_and_an_ini_twin(pytester: pytest.Pytester) -> None:
    """`pytest --help` lists each --hil-… option and each hil_… ini value."""
    text = pytester.runpytest_inprocess("--help").stdout.str()
    names = (
        "bench",
        "board",
        "artifacts",
        "tinyusb",
        "repeat",
        "virtual-boards",
        "virtual-role",
        "virtual-fault",
        "flash",
        "firmware",
    )
    for name in names:
        assert f"--hil-{name}" in text
        assert f"hil_{name.replace('-', '_')}" in text


def test_a_test_that_leaves_nothing_leaves_no_folder(pytester: pytest.Pytester) -> None:
    """What it does leave stays, in a folder of its own."""
    pytester.makeconftest(
        """
        import pytest
        from pathlib import Path
        from hil.plugin.run import RUN

        class Run:
            def folder(self, item):
                return Path("evidence", item.name)

        @pytest.fixture
        def run(request):
            request.config.stash[RUN] = Run()
            yield
            del request.config.stash[RUN]
        """
    )
    pytester.makepyfile(
        """
        def test_quiet(run, artifacts):
            assert artifacts.is_dir()

        def test_loud(run, artifacts):
            (artifacts / "log").write_text("x")
        """
    )
    pytester.runpytest_inprocess().assert_outcomes(passed=2)
    assert [str(each.relative_to(pytester.path)) for each in pytester.path.glob("evidence/**/*")] == [
        "evidence/test_loud",
        "evidence/test_loud/log",
    ]
