"""Runs the cases one after the other, inside the virtual machine; each leaves a JUnit file and its artifacts.

usage, in the repository: python -m tests.proofs.in_machine FOLDER CASE…
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, BinaryIO

from hil.agent.places import COMING, SOCKET
from tests.proofs.cases import CASES, SCENARIOS, Case
from tests.proofs.pytest_runs import PYTEST, REPOSITORY

FLASHES = Path("/var/lib/hil/flash")
"""Where the agent keeps what virtual boards were flashed with (hil.agent.server.virtual)."""
AGENT = SOCKET.with_name("users-agent.sock")
SELECTED = ("-m", "hil and not soak")
KILLED = "killed"
"""Stands for a case: a run that is killed in the middle."""
RUN_S = 240
"""A case; most take 20 s to 40 s on two idle cores."""
KILLED_S = 20.0


def command(case: Case, artifacts: Path) -> list[str]:
    fault = ("--hil-virtual-fault", case.fault) if case.fault else ()
    firmware = ("--hil-firmware", str(build_of(case)), "--hil-flash", "never") if case.build is not None else ()
    places = ("--hil-artifacts", str(artifacts), "--junitxml", str(artifacts / "junit.xml"))
    scenarios = (f"{SCENARIOS}/{each}" for each in (*case.scenarios, *case.afterwards))
    return [*PYTEST, *SELECTED, *scenarios, *fault, *firmware, *places, *case.options]


def build_of(case: Case) -> Path:
    """Folder of the firmware that the bench names; written once in the life of this machine."""
    assert case.build is not None
    folder = Path(tempfile.gettempdir(), "-".join(("build", *case.build)))
    if not folder.exists():
        argv = [sys.executable, "-m", "hil.virtual.write_build", str(folder), *case.build]
        subprocess.run(argv, check=True, cwd=REPOSITORY, stdout=subprocess.DEVNULL)
    return folder


def run(case: Case, folder: Path) -> None:
    shutil.rmtree(FLASHES, ignore_errors=True)  # each case begins with a board as it is made
    with (folder / f"{case.name}.txt").open("wb") as output:
        if case.user:
            run_as_ordinary_user(case, folder, output)
        else:
            (folder / case.name).mkdir()
            own = {name: value for name, value in os.environ.items() if name != COMING}
            where = {"cwd": REPOSITORY, "env": own, "stdout": output, "stderr": output}
            call(command(case, folder / case.name), **where)


def call(argv: list[str], **how: Any) -> None:
    """Run a case; one that does not end is killed, leaves no report, and fails alone."""
    try:
        subprocess.call(argv, **how, timeout=RUN_S)
    except subprocess.TimeoutExpired:
        how["stdout"].write(f"did not end in {RUN_S} s\n".encode())


def run_as_ordinary_user(case: Case, folder: Path, output: BinaryIO) -> None:
    """pytest without any privilege, the agent as root's process; the evidence is the user's until the run is over."""
    open_the_way()
    environment = {**os.environ, COMING: str(AGENT), "PYTHONDONTWRITEBYTECODE": "1", "HOME": "/tmp"}
    with tempfile.TemporaryDirectory(dir="/tmp") as place, start_agent(case.user) as agent:
        os.chown(place, case.user, case.user)
        argv = command(case, Path(place, "evidence"))
        who = {"user": case.user, "group": case.user, "extra_groups": []}
        where = {"cwd": REPOSITORY, "env": environment, "stdout": output, "stderr": output}
        call(argv, **where, **who)
        agent.terminate()
        shutil.copytree(Path(place, "evidence"), folder / case.name)


def open_the_way() -> None:
    """Let an ordinary user reach the interpreter and the repository, on this machine that ends with the proof."""
    places = (Path(sys.executable), Path(os.path.realpath(sys.executable)), REPOSITORY / "pyproject.toml")
    for place in places:
        for parent in place.parents:
            parent.chmod(parent.stat().st_mode | 0o055)


def start_agent(user: int) -> subprocess.Popen[bytes]:
    """The agent as a service would run it, for one ordinary user."""
    AGENT.parent.mkdir(parents=True, exist_ok=True)
    what = ("--listen", str(AGENT), "--uid", str(user), "--allow-virtual")
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    return subprocess.Popen([sys.executable, "-P", "-m", "hil.agent", *what], env=environment)


def kill_in_the_middle(folder: Path) -> dict[str, object]:
    """SIGKILL pytest while a test runs; what is left of the bench afterwards, and of the timeline."""
    artifacts = folder / "killed"
    artifacts.mkdir()
    timeline = artifacts / "session" / "timeline.jsonl"
    argv = [*PYTEST, *SELECTED, f"{SCENARIOS}/test_replug.py", "--hil-artifacts", str(artifacts)]
    process = subprocess.Popen(argv, cwd=REPOSITORY)
    await_text(timeline, '"DhcpAck"', RUN_S)
    before = leftovers()
    process.send_signal(signal.SIGKILL)
    process.wait(KILLED_S)
    deadline = time.monotonic() + KILLED_S
    while any(leftovers().values()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return {"before": before, "after": leftovers(), "lines": timeline.read_text().count("\n")}


def leftovers() -> dict[str, list[str]]:
    """What hil has put on this machine: namespaces that can be entered, boards on the virtual bus."""
    namespaces = [path.name for path in Path("/run/netns").glob("hil-*") if path.exists()]
    devices = [path.name for path in Path("/sys/bus/usb/devices").glob("*-*") if ":" not in path.name]
    return {"namespaces": sorted(namespaces), "devices": sorted(d for d in devices if not d.endswith("-0"))}


def await_text(path: Path, text: str, within_s: float) -> None:
    deadline = time.monotonic() + within_s
    while not (path.exists() and text in path.read_text()):
        if time.monotonic() > deadline:
            raise SystemExit(f"{path}: no {text} within {within_s} s")
        time.sleep(0.1)


def main() -> None:
    folder = Path(sys.argv[1])
    known = {case.name: case for case in CASES}
    for name in sys.argv[2:]:
        if name == KILLED:
            (folder / "killed.json").write_text(json.dumps(kill_in_the_middle(folder)))
        else:
            run(known[name], folder)


if __name__ == "__main__":
    main()
