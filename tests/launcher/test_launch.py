"""Commands in the real machine, and what is put together for them.

The tests marked ``vm`` boot QEMU, a few seconds each; the first fetches a kernel where the cache has none.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hil.launcher.assemble import cache_directory, ready
from hil.launcher.guest import User
from hil.launcher.launch import agent_command, guest_environment
from hil.launcher.protocol import CONSOLE_LOG

LIMIT_S = 90.0
SCRIPT = """
import os, pathlib, sys, time
import beside
pathlib.Path("out/live.txt").write_text("growing")
print("begun", flush=True)
pathlib.Path("report.xml").write_text("<ok/>")
pathlib.Path(sys.argv[1]).write_text("named")
os.remove("stale")
print("here", os.environ["HIL_BENCH_HOST"], os.environ["GREETING"], os.getcwd(), os.getuid(), file=sys.stderr)
go = pathlib.Path("out/go")
while not go.exists():
    time.sleep(0.05)
print("ended", flush=True)
sys.exit(3)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """An empty directory to run in; skips where there is no machine."""
    if shutil.which("qemu-system-x86_64") is None and shutil.which("qemu-system-aarch64") is None:
        pytest.skip("there is no QEMU here: make test installs it")
    if ready(cache_directory(os.environ)) is None:
        pytest.skip("there is no kernel for the machine here: python -m hil.launcher --assemble fetches it")
    return tmp_path


@pytest.fixture
def launched(project: Path) -> Iterator["Launched"]:
    made = Launched(project)
    yield made
    made.close()


class Launched:
    """``python -m hil.launcher`` in a directory of its own, with its output."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._processes: list[subprocess.Popen[str]] = []

    def start(self, *argv: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "hil.launcher", "--artifacts", "out", "--", *argv]
        env = {**os.environ, "GREETING": "hello", "PYTHONPATH": str(Path(__file__).parents[2])}
        env.pop("PYTHONDONTWRITEBYTECODE", None)
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, cwd=self.directory, env=env, stdout=pipe, stderr=pipe, text=True)
        self._processes.append(process)
        return process

    def close(self) -> None:
        for process in self._processes:
            if process.poll() is None:
                process.kill()
            process.communicate(timeout=LIMIT_S)


def machines(artifacts: Path) -> list[str]:
    """QEMU processes that write to the console log in ``artifacts``."""
    log = f"path={artifacts / CONSOLE_LOG}".encode()
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = entry.read_bytes()
        except OSError:  # it ended
            continue
        if log in words and b"\0-M\0" in words:
            found.append(entry.parent.name)
    return found


def wait_until_gone(artifacts: Path) -> bool:
    """No QEMU is left within five seconds."""
    limit = time.monotonic() + 5.0
    while machines(artifacts) and time.monotonic() < limit:
        time.sleep(0.02)
    return not machines(artifacts)


@pytest.mark.vm
def test_a_command_runs_there_as_if_here(launched: Launched, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Output comes while it runs, artifacts grow, then status, written, named, compiled and removed files come back."""
    project = launched.directory
    (project / "stale").touch()
    (project / "beside.py").touch()
    (project / "script.py").write_text(SCRIPT)
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "named.txt"
    process = launched.start(sys.executable, "script.py", str(elsewhere))
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    assert (project / "out/live.txt").read_text() == "growing"
    assert process.poll() is None
    (project / "out/go").touch()
    output, errors = process.communicate(timeout=LIMIT_S)
    assert (process.returncode, output) == (3, "ended\n"), errors
    assert f"hello {project} {os.getuid()}\n" in errors
    assert (project / "report.xml").read_text() == "<ok/>"
    assert elsewhere.read_text() == "named"
    assert not (project / "stale").exists()
    assert list(project.glob("__pycache__/beside.*.pyc")), "what was compiled there is compiled here"
    assert wait_until_gone(project / "out")


@pytest.mark.vm
def test_an_interrupt_reaches_the_command_and_nothing_is_left(launched: Launched) -> None:
    """Pytest prints its summary of a KeyboardInterrupt, its status 2 comes back, QEMU is gone."""
    (launched.directory / "test_it.py").write_text(
        "import time\ndef test_it():\n    print('waiting', flush=True)\n    time.sleep(600)\n"
    )
    options = ("-s", "-c", "/dev/null", "-p", "no:hil", "-p", "no:cacheprovider", "-p", "no:hypothesispytest")
    process = launched.start(sys.executable, "-m", "pytest", *options, "test_it.py")
    assert process.stdout is not None
    while "waiting" not in process.stdout.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 2, errors
    assert "KeyboardInterrupt" in output
    assert wait_until_gone(launched.directory / "out")


@pytest.mark.vm
def test_the_end_of_the_output_waits_for_a_slow_reader(launched: Launched) -> None:
    """What the command wrote last comes seconds after its end, and a process left behind holds up nothing."""
    process = launched.start("sh", "-c", "sleep 600 & seq 100000")
    assert process.stdout is not None
    output = b""
    while piece := os.read(process.stdout.fileno(), 16_384):
        output += piece
        time.sleep(0.8)  # what is on its way at the command's end takes longer than a process left behind may stay
    _, errors = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 0, errors
    assert output.split() == [b"%d" % number for number in range(1, 100_001)]


@pytest.mark.vm
def test_the_launchers_death_is_the_machines(launched: Launched) -> None:
    """Even where nothing could be tidied up."""
    process = launched.start("sh", "-c", "echo up; sleep 600")
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    assert machines(launched.directory / "out")
    process.kill()
    assert wait_until_gone(launched.directory / "out")


@pytest.mark.vm
def test_a_kernel_panic_names_the_console_log(launched: Launched) -> None:
    """The log is kept among the artifacts and holds the kernel's words."""
    if os.getuid() != 0:
        pytest.skip("only root may make the guest's kernel panic")
    process = launched.start("sh", "-c", "echo c > /proc/sysrq-trigger")
    _, errors = process.communicate(timeout=LIMIT_S)
    log = launched.directory / "out" / CONSOLE_LOG
    assert process.returncode == 125
    assert f"the virtual machine ended by itself; QEMU: it said nothing; its console: {log}" in errors
    assert "Kernel panic" in log.read_text()


def test_a_terminals_width_and_colour_are_forwarded() -> None:
    """A pipe has neither; what the user set himself wins."""
    assert guest_environment({"A": "1"}, "tcg", None).items() >= {"A": "1", "HIL_BENCH_HOST": "tcg"}.items()
    shown = guest_environment({"COLUMNS": "70"}, "kvm", 120)
    wanted = {"COLUMNS": "70", "PY_COLORS": "1", "FORCE_COLOR": "1", "HIL_BENCH_HOST": "kvm"}
    assert shown.items() >= wanted.items()
    assert "FORCE_COLOR" not in guest_environment({"NO_COLOR": "1"}, "tcg", 80)


def test_the_agent_serves_the_one_who_runs_the_command() -> None:
    """Root or not, it is started with the machine, and the command knows where it will listen."""
    for uid in (0, 1000):
        command = " ".join(agent_command(User(uid, uid, ()), "/venv/bin/python"))
        assert f"/venv/bin/python -m hil.agent --listen /run/hil/agent.sock --uid {uid}" in command
    assert guest_environment({}, "tcg", None)["HIL_AGENT"] == "/run/hil/agent.sock"
