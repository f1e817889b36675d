"""Starting the virtual board's process: which faults may run, what it must answer, how it ends."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hil.agent.protocol import StartVirtual
from hil.agent.server.virtual import Configured, VirtualProcess, VirtualProcesses, flash_file, permitted_faults
from hil.errors import AgentRefused, SetupError, VirtualBoardError

REQUEST = StartVirtual("v", "bus", ["late-dhcp"], "0.21", "dhcp-server")
ANSWER = (
    "import json, os, socket, sys, time\n"
    "control = socket.socket(fileno=int(sys.argv[1]))\n"
    "said = json.loads(control.makefile('rb').readline())\n"
    "assert said == {'id': 1, 'do': 'configure', 'board': 'v', 'supply': 'bus', 'faults': ['late-dhcp'],"
    " 'tinyusb': '0.21', 'firmware': {'role': 'dhcp-server'}}, said\n"
    "assert set(os.environ) <= {'PATH', 'LC_ALL', 'PYTHONPATH', 'LC_CTYPE'}, sorted(os.environ)\n"
)
GOOD = "{'id': 1, 'ok': True, 'usb': '1-1', 'console': '1-2', 'lan': 'hil-lan', 'address': '192.0.2.7', 't_ns': 5}"


def configured(script: str, within_s: float = 20.0) -> tuple[Configured, int]:
    """What a process with this script is understood to answer, and the status with which it ends."""

    async def run() -> tuple[Configured, int]:
        process = VirtualProcess((sys.executable, "-c", script))
        try:
            return await process.configure(REQUEST, REQUEST.faults, within_s), await process.end()
        finally:
            await process.end()
            process.control.close()

    return asyncio.run(run())


def test_a_virtual_board_says_where_it_is() -> None:
    """It is told what to be, in a clean environment, and TERM ends it."""
    answer, status = configured(ANSWER + f"control.send((json.dumps({GOOD}) + '\\n').encode()); time.sleep(60)")
    assert answer == Configured("1-1", "1-2", "hil-lan", "192.0.2.7", 5)
    assert status == -15


WAITS = (sys.executable, "-c", "import socket, sys; socket.socket(fileno=int(sys.argv[1])).recv(1)")


def test_a_process_is_there_before_it_is_asked_for() -> None:
    """The first is the one that was started ahead, the second a new one; what nobody asked for is ended."""

    async def run() -> None:
        processes = VirtualProcesses(WAITS, ahead=True)
        spare = processes._spare
        assert spare is not None
        first, second = processes.start(), processes.start()
        assert first is spare
        assert second.pid != first.pid
        for process in (first, second):
            process.control.close()
            await process.end()
        unused = VirtualProcesses(WAITS, ahead=True)
        left = unused._spare
        await unused.close()
        assert left is not None
        assert not left.runs

    asyncio.run(run())


def test_a_process_that_died_while_it_waited_is_replaced() -> None:
    """A client never gets a dead one."""

    async def run() -> None:
        processes = VirtualProcesses(WAITS, ahead=True)
        dead = processes._spare
        assert dead is not None
        await dead.end()
        process = processes.start()
        assert process is not dead
        assert process.runs
        process.control.close()
        await process.end()
        dead.control.close()

    asyncio.run(run())


@pytest.mark.slow
def test_a_process_that_ignores_term_is_killed() -> None:
    """KILL follows where TERM did not help."""

    async def run() -> int:
        script = (
            "import signal, sys, socket; signal.signal(15, signal.SIG_IGN); s = socket.socket(fileno=int(sys.argv[1]))"
        )
        process = VirtualProcess((sys.executable, "-c", script + "; s.send(b'x'); signal.pause()"))
        await asyncio.get_running_loop().sock_recv(process.control, 1)
        process.control.close()
        return await process.end(0.1)

    assert asyncio.run(run()) == -9


class Stuck(VirtualProcess):
    """A process in the kernel's state D: no signal ends it."""

    def __init__(self) -> None:
        super().__init__(WAITS)
        self._real, self._process = self._process, Unkillable(self._process)  # type: ignore[assignment]

    def close(self) -> None:
        self._real.kill()
        self._real.wait(5.0)
        self.control.close()


class Unkillable:
    """Signals reach it and do nothing."""

    def __init__(self, real: "subprocess.Popen[bytes]") -> None:
        self.pid = real.pid

    def poll(self) -> None:
        """It runs."""

    def send_signal(self, number: int) -> None:
        """Nothing comes of it."""


@pytest.mark.slow
def test_a_process_that_nothing_ends_is_told_in_time() -> None:
    """It hangs in the kernel: the error names it and says where to look."""

    async def run() -> None:
        process = Stuck()
        with pytest.raises(VirtualBoardError) as told:
            await process.end(0.05)
        words = f"has not ended 0.05 s after SIGKILL; 'cat /proc/{process.pid}/stack' says where it hangs"
        assert str(told.value) == f"the virtual board's process {process.pid} {words}"
        process.close()

    asyncio.run(run())


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (GOOD.replace("'1-1'", "'../1-1'"), "usb is '../1-1'; wanted the form"),
        (GOOD.replace("hil-lan", "eth0"), "lan is 'eth0'; wanted the form"),
        (GOOD.replace("'id': 1", "'id': 2"), "wanted the reply to 'configure'"),
        ("{'id': 1, 'ok': False, 'error': 'no vhci'}", "refused 'configure': 'no vhci'"),
    ],
)
def test_a_wrong_answer_is_named(answer: str, words: str) -> None:
    """What the process answers is checked like any message."""
    with pytest.raises(VirtualBoardError) as failed:
        configured(ANSWER + f"control.send((json.dumps({answer}) + '\\n').encode()); time.sleep(60)")
    assert words in str(failed.value)


def test_a_process_that_dies_is_named_with_its_status() -> None:
    """A process that ends instead of answering is an error with its exit status."""
    with pytest.raises(VirtualBoardError, match="process ended with status 3, not answering"):
        configured("import os; os._exit(3)")


def test_a_silent_process_has_a_deadline() -> None:
    """A process that does not answer is an error in time."""
    with pytest.raises(VirtualBoardError, match=r"did not answer 'configure' within 0.05 s"):
        configured("import time; time.sleep(60)", 0.05)


def test_built_in_faults_are_passed_on() -> None:
    """Names with or without a value need no permission."""
    faults = ["late-dhcp", "drop_offer=3", "delay:after_s=0.5,from_boot=2"]
    assert permitted_faults(faults, 1000, False) == faults


@pytest.mark.parametrize("fault", ["--help", "Drop", "a b", "", "x;y", "a=$(id)"])
def test_what_is_no_fault_is_refused(fault: str) -> None:
    """Neither options nor shell words pass."""
    with pytest.raises(AgentRefused, match="is neither a built-in fault's name nor a path"):
        permitted_faults([fault], 0, True)


@pytest.mark.parametrize("fault", ["f.py", "./f.py", "/tmp/f.txt", "x=/f.py", "/tmp/f.py;id", "/tmp/f.PY"])
def test_a_file_is_named_by_an_absolute_path(fault: str) -> None:
    """A path that means different files to agent and client is refused."""
    with pytest.raises(AgentRefused, match=r"is named by an absolute path that ends in \.py"):
        permitted_faults([fault], 0, True)


def test_a_users_file_does_not_run_as_root(tmp_path: Path) -> None:
    """Code that anybody but root can have written is refused, unless the agent was started to accept it."""
    path = tmp_path / "faults.py"
    path.write_text("")
    path.chmod(0o666)
    with pytest.raises(AgentRefused, match=r"would run as root: .*; or start the agent with --allow-fault-files"):
        permitted_faults([str(path)], 1000, False)
    assert permitted_faults([f"{path}:Slow"], 1000, True) == [f"{path.resolve()}:Slow"]
    assert permitted_faults([str(path)], 0, False) == [str(path.resolve())]


def test_a_link_is_judged_by_where_it_leads(tmp_path: Path) -> None:
    """The file that is passed on is the one that was judged."""
    path = tmp_path / "faults.py"
    path.write_text("")
    (tmp_path / "link.py").symlink_to(path)
    assert permitted_faults([str(tmp_path / "link.py")], 0, False) == [str(path.resolve())]


def test_a_file_with_a_colon_in_its_name_is_refused(tmp_path: Path) -> None:
    """What the agent judged and what the board's process would load must be the same file."""
    path = tmp_path / "a.py:b.py"
    path.write_text("")
    (tmp_path / "link.py").symlink_to(path)
    with pytest.raises(AgentRefused, match="has a colon in its name"):
        permitted_faults([str(tmp_path / "link.py")], 0, True)


def test_a_fault_file_that_is_missing_is_refused(tmp_path: Path) -> None:
    """A path without a file is named."""
    with pytest.raises(AgentRefused, match="is not a Python file"):
        permitted_faults([str(tmp_path / "none.py")], os.getuid(), True)


def test_each_user_has_a_directory_of_flash_files(tmp_path: Path) -> None:
    """The agent names the file; a directory that others could write is refused."""
    assert flash_file("s3-a", 1000, tmp_path) == tmp_path / "1000" / "s3-a.flash"
    assert flash_file("s3-a", 1001, tmp_path).parent != flash_file("s3-a", 1000, tmp_path).parent
    assert (tmp_path / "1000").stat().st_mode & 0o777 == 0o700
    (tmp_path / "1000").chmod(0o770)
    with pytest.raises(SetupError, match=r"1000 must be a directory that uid \d+ alone can write"):
        flash_file("s3-a", 1000, tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(SetupError, match="keep their flash there"):
        flash_file("s3-a", 1000, tmp_path / "file")


def test_the_flash_file_is_part_of_the_configuration() -> None:
    """Where there is one."""
    script = (
        "import json, socket, sys; s = socket.socket(fileno=int(sys.argv[-1])); "
        "m = json.loads(s.recv(9999)); answer = {'id': 1, 'ok': False, 'error': m['flash']}; "
        "s.send(json.dumps(answer).encode() + b'\\n')"
    )

    async def scenario() -> None:
        process = VirtualProcess((sys.executable, "-c", script))
        with pytest.raises(VirtualBoardError, match="/x/y-flash"):
            await process.configure(REQUEST, [], flash="/x/y-flash")
        process.control.close()
        await process.end()

    asyncio.run(scenario())
