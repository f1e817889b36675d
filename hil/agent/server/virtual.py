"""Starting the virtual board: a fixed program with a fixed command line, configured through its control socket.

The control socket carries JSON lines, ``{"id", "do", …}`` → ``{"id", "ok", "t_ns", …}``. The agent speaks the first of
them itself, ``configure``, and learns from the answer which topology paths the virtual board has.
"""

import asyncio
import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hil
from hil.agent.allow import require_owned
from hil.agent.protocol import StartVirtual, shown
from hil.agent.server.namespaces import PREFIX
from hil.bench import BOARD_NAME, TOPOLOGY_PATH
from hil.clock import Deadline
from hil.errors import AgentRefused, SetupError, VirtualBoardError

COMMAND = (sys.executable, "-P", "-m", "hil.virtual", "--control-fd")
FLASHES = Path("/var/lib/hil/flash")
"""One directory for each user: no client names a file, and no user's board runs what another's was flashed with."""
CONFIGURE_WITHIN_S = 60.0
END_WITHIN_S = 5.0
OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_REPLY_LIMIT = 65_536
_BUILT_IN = re.compile(r"[a-z][a-z0-9_-]*([=:][A-Za-z0-9_=,.:+-]*)?")
_IPV4 = r"\d{1,3}(\.\d{1,3}){3}"


@dataclass(frozen=True)
class Configured:
    """What the virtual board's process answered to ``configure``."""

    usb: str
    console: str
    lan: str
    """Name of the namespace from which its fallback address is reached, or ''."""
    address: str
    """Its fallback IPv4 address, or ''."""
    t_ns: int


def permitted_faults(faults: list[str], client_uid: int, files_allowed: bool) -> list[str]:
    """The faults as they may be passed on: names of built-in ones as they are, files by their real path.

    A file of faults is Python that runs as root: it must be root's own, or the client must be root, or the agent
    must have been started with ``--allow-fault-files``.

    Raises:
        AgentRefused: a file that may not run, or neither a name nor a file.
    """
    return [_fault(fault, client_uid == 0 or files_allowed) for fault in faults]


def _fault(fault: str, any_file: bool) -> str:
    if "/" not in fault and ".py" not in fault.lower():
        if not _BUILT_IN.fullmatch(fault):
            raise AgentRefused(f"fault {shown(fault)} is neither a built-in fault's name nor a path to a .py file")
        return fault
    name, dot, rest = fault.partition(".py")
    if not name.startswith("/") or not dot or (rest and not re.fullmatch(r":[A-Za-z0-9_=,.:+-]*", rest)):
        raise AgentRefused(f"fault {shown(fault)}: a file of faults is named by an absolute path that ends in .py")
    path = Path(name + dot).resolve()
    if not any_file:
        try:
            require_owned(path)
        except SetupError as error:
            remedy = "or start the agent with --allow-fault-files"
            raise AgentRefused(f"fault {shown(fault)} would run as root: {error}; {remedy}") from error
    if ":" in str(path):  # the board's process takes what follows a colon for options
        raise AgentRefused(f"fault {shown(fault)}: {path} has a colon in its name")
    if not path.is_file() or path.suffix != ".py":
        raise AgentRefused(f"fault {shown(fault)}: {path} is not a Python file")
    return str(path) + rest


def flash_file(board: str, client_uid: int, place: Path) -> Path:
    """Where a client's virtual board keeps its flash; it lives as long as this machine's files do.

    Raises:
        SetupError: the directory cannot be made, or belongs to somebody else.
    """
    directory = place / str(client_uid)
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SetupError(f"{directory}: {error.strerror}; virtual boards keep their flash there") from error
    status = directory.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & OTHERS_WRITE:
        raise SetupError(f"{directory} must be a directory that uid {os.geteuid()} alone can write")
    return directory / f"{board}.flash"


class VirtualProcess:
    """A running virtual board; the control socket is the client's, the process is the agent's to end."""

    def __init__(self, command: tuple[str, ...] = COMMAND) -> None:
        """
        Raises:
            OSError: the program could not be started.
        """
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        self.control.setblocking(False)
        with theirs:
            self._process = subprocess.Popen(
                [*command, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env=_environment(),
                cwd="/",
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def runs(self) -> bool:
        return self._process.poll() is None

    async def configure(
        self, request: StartVirtual, faults: list[str], within_s: float = CONFIGURE_WITHIN_S, flash: str = ""
    ) -> Configured:
        """Say ``configure`` and return the answer; ``flash`` is the board's file, '' for none that stays.

        Raises:
            VirtualBoardError: the process ended, refused, did not answer in time or answered nonsense.
        """
        build = {"tinyusb": request.tinyusb, "firmware": {"role": request.role}}
        spec = {"board": request.board, "supply": request.supply, "faults": faults, **build}
        spec |= {"flash": flash} if flash else {}
        line = json.dumps({"id": 1, "do": "configure", **spec}).encode() + b"\n"
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(within_s):
                await loop.sock_sendall(self.control, line)
                return _configured(await self._line(loop))
        except TimeoutError as error:
            raise VirtualBoardError(f"the virtual board did not answer 'configure' within {within_s} s") from error
        except OSError as error:
            raise VirtualBoardError(await self._ended()) from error

    async def _line(self, loop: asyncio.AbstractEventLoop) -> bytes:
        data = b""
        while not data.endswith(b"\n"):
            more = await loop.sock_recv(self.control, _REPLY_LIMIT)
            if not more or len(data) > _REPLY_LIMIT:
                raise VirtualBoardError(await self._ended())
            data += more
        return data

    async def _ended(self) -> str:
        status = await self.end()
        return f"the virtual board's process ended with status {status}, not answering; see the agent's log"

    async def end(self, within_s: float = END_WITHIN_S) -> int:
        """End the process: TERM, and KILL where it has not ended in time. Returns its exit status.

        Raises:
            VirtualBoardError: not even KILL has ended it in time: it hangs in the kernel.
        """
        watch = os.pidfd_open(self.pid) if self.runs else -1
        if watch >= 0:
            ended = asyncio.Event()
            loop = asyncio.get_running_loop()
            loop.add_reader(watch, ended.set)
            try:
                for number, patience_s in ((signal.SIGTERM, within_s), (signal.SIGKILL, within_s)):
                    self._process.send_signal(number)
                    if await _wait(ended, patience_s):
                        break
                else:
                    words = (
                        f"has not ended {within_s:g} s after SIGKILL; 'cat /proc/{self.pid}/stack' says where it hangs"
                    )
                    raise VirtualBoardError(f"the virtual board's process {self.pid} {words}")
            finally:
                loop.remove_reader(watch)
                os.close(watch)
        return self._process.wait(Deadline(within_s).left_s)


class VirtualProcesses:
    """Starts virtual boards' processes; where ``ahead``, the first has been started when it is asked for.

    A process takes seconds to start in an emulated machine, and has them while pytest starts.
    """

    def __init__(self, command: tuple[str, ...] = COMMAND, ahead: bool = False) -> None:
        """
        Raises:
            OSError: the program could not be started.
        """
        self._command = command
        self._spare = VirtualProcess(command) if ahead else None

    def start(self) -> VirtualProcess:
        """A process that has not been configured yet.

        Raises:
            OSError: the program could not be started.
        """
        spare, self._spare = self._spare, None
        return spare if spare is not None and spare.runs else VirtualProcess(self._command)

    async def close(self) -> None:
        """End what nobody has asked for."""
        spare, self._spare = self._spare, None
        if spare is not None:
            spare.control.close()
            await spare.end()


async def _wait(ended: asyncio.Event, patience_s: float) -> bool:
    try:
        await asyncio.wait_for(ended.wait(), patience_s)
    except TimeoutError:
        return False
    return True


def _environment() -> dict[str, str]:
    """Nothing of the client's; the package is found where the agent's own is."""
    package = str(Path(hil.__path__[0]).parent)
    return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "PYTHONPATH": package}


def _configured(line: bytes) -> Configured:
    try:
        answer: Any = json.loads(line)
    except ValueError as error:
        raise VirtualBoardError(f"the virtual board answered {shown(line)}; wanted one JSON line") from error
    if not isinstance(answer, dict) or answer.get("id") != 1:
        raise VirtualBoardError(f"the virtual board answered {shown(answer)}; wanted the reply to 'configure'")
    if answer.get("ok") is not True:
        raise VirtualBoardError(f"the virtual board refused 'configure': {shown(answer.get('error'))}")
    t_ns = answer.get("t_ns")
    return Configured(
        usb=_matching(answer, "usb", TOPOLOGY_PATH),
        console=_matching(answer, "console", f"({TOPOLOGY_PATH})?"),
        lan=_matching(answer, "lan", f"({PREFIX}{BOARD_NAME})?"),
        address=_matching(answer, "address", f"({_IPV4})?"),
        t_ns=t_ns if type(t_ns) is int else 0,
    )


def _matching(answer: dict[str, Any], key: str, pattern: str) -> str:
    value = answer.get(key, "")
    if not isinstance(value, str) or not re.fullmatch(pattern, value, re.ASCII):
        raise VirtualBoardError(f"the virtual board's {key} is {shown(value)}; wanted the form {pattern}")
    return value
