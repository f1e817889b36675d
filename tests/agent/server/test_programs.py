"""Programs that the agent runs."""

import contextlib
import os
import select
import signal
from pathlib import Path

import pytest

from hil.agent.server import programs
from hil.clock import now_ns, to_s
from hil.errors import AgentError, SetupError


def script(place: Path, text: str) -> str:
    """A program of the test's own."""
    place.parent.chmod(0o755)
    place.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    place.chmod(0o755)
    return str(place)


def test_a_program_ends_with_its_status_and_its_words(tmp_path: Path) -> None:
    """Output and errors come in order; a failure is told with all of it."""
    ended = programs.run([script(tmp_path / "p", 'echo "got $1"; echo no relay >&2; exit 3'), "a b"], 5.0)
    assert (ended.status, ended.text) == (3, "got a b\nno relay\n")
    with pytest.raises(AgentError) as failed:
        ended.require_success()
    assert str(failed.value) == f"{tmp_path}/p a b ended with status 3: got a b / no relay"


def test_a_program_gets_nothing_of_the_callers_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a client has set cannot change what root's program does; there is no terminal either."""
    monkeypatch.setenv("LD_PRELOAD_OF_A_CLIENT", "x")
    ended = programs.run([script(tmp_path / "p", "env; read line || echo nothing to read")], 5.0)
    assert f"PATH={programs.SEARCH}" in ended.text.splitlines()
    assert "LD_PRELOAD_OF_A_CLIENT" not in ended.text
    assert ended.text.splitlines()[-1] == "nothing to read"


@pytest.mark.slow
def test_a_program_that_hangs_is_killed_with_its_children(tmp_path: Path) -> None:
    """After its time it and what it started are gone, and the message says so."""
    program = script(tmp_path / "p", f"echo waiting; sleep 100 & echo $! > {tmp_path}/child; wait")
    with pytest.raises(AgentError, match=r"p did not end within 0.3 s and was killed: waiting"):
        programs.run([program], 0.3)
    child = int((tmp_path / "child").read_text())
    with contextlib.suppress(ProcessLookupError):  # it is gone and nobody's zombie
        watch = os.pidfd_open(child)
        assert select.select([watch], [], [], 5.0)[0]
        os.close(watch)


@pytest.mark.slow
def test_a_program_whose_child_keeps_its_output_is_not_waited_for(tmp_path: Path) -> None:
    """A child in a session of its own is not killed with it, and may hold the pipe for as long as it lives."""
    program = script(tmp_path / "p", f"echo switched; setsid sleep 20 & echo $! > {tmp_path}/child; wait")
    began_ns = now_ns()
    with pytest.raises(AgentError, match=r"p did not end within 0.3 s and was killed: switched"):
        programs.run([program], 0.3)
    assert to_s(now_ns() - began_ns) < 10.0
    os.kill(int((tmp_path / "child").read_text()), signal.SIGKILL)


def test_a_program_that_others_may_write_is_not_run(tmp_path: Path) -> None:
    """It would run as root."""
    program = script(tmp_path / "p", "echo hello")
    Path(program).chmod(0o777)
    with pytest.raises(SetupError, match=r"p has mode 0777; only its owner may write it"):
        programs.run([program], 5.0)


def test_a_link_that_others_may_replace_is_not_followed(tmp_path: Path) -> None:
    """Whatever root's own program it names today."""
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs").chmod(0o777)
    tmp_path.chmod(0o755)
    (tmp_path / "theirs/relay").symlink_to("/bin/true")
    with pytest.raises(SetupError, match=r"theirs has mode 0777; only its owner may write it"):
        programs.run([str(tmp_path / "theirs/relay"), "on"], 5.0)


def test_a_file_that_is_no_program_is_named(tmp_path: Path) -> None:
    """The error holds the command."""
    program = script(tmp_path / "p", "")
    Path(program).chmod(0o644)
    with pytest.raises(SetupError, match=f"{tmp_path}/p on: cannot be run: Permission denied"):
        programs.run([program, "on"], 5.0)


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    """By its path alone: `hil init` writes allow lists, and no programs."""
    with pytest.raises(SetupError) as failed:
        programs.run([str(tmp_path / "usbrelay"), "on"], 5.0)
    assert str(failed.value) == f"{tmp_path}/usbrelay cannot be read: No such file or directory"


def test_a_missing_program_names_its_package(tmp_path: Path) -> None:
    """And where it was looked for."""
    with pytest.raises(SetupError, match=f"uhubctl is not in {tmp_path}; install the package uhubctl"):
        programs.find("uhubctl", "uhubctl", str(tmp_path))
    assert programs.find("sh", "dash") in ("/usr/bin/sh", "/bin/sh")


def test_a_program_that_says_nothing_says_so(tmp_path: Path) -> None:
    """An exit status alone is told as such."""
    with pytest.raises(AgentError, match="ended with status 1: it said nothing"):
        programs.run([script(tmp_path / "p", "exit 1")], 5.0).require_success()
