"""The typed client, against a scripted agent."""

import errno
import os
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from hil.agent import protocol
from hil.agent.client import Agent
from hil.agent.replies import ConnectFailed, Done
from hil.errors import AgentError, AgentRefused, MisuseError, SetupError, VirtualBoardError

HELLO = {"version": 1, "pid": 5, "main": True, "boards": ["a"], "virtual": False, "modules": [], "last_restored": "x"}
Script = Callable[[dict[str, Any]], dict[str, Any]]


def refusing(kind: str) -> Script:
    return lambda request: {"ok": False, "kind": kind, "error": f"{request['op']}: no"}


@contextmanager
def agent_that(script: Script, *descriptors: int) -> Iterator[Agent]:
    """An agent that says hello and answers everything else as ``script`` says, with ``descriptors``."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    theirs.settimeout(10.0)

    def run() -> None:
        while data := theirs.recv(protocol.MESSAGE_LIMIT):
            request = protocol.parse(data)
            hello = request["op"] == "hello"
            answer = {"ok": True, "result": HELLO} if hello else script(request)
            message = {"id": request["id"], "t0_ns": 1000, "t1_ns": 3000, **answer}
            socket.send_fds(theirs, [protocol.pack(message)], [] if hello else descriptors)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        with Agent(ours) as agent:
            yield agent
    finally:
        thread.join(5.0)
        theirs.close()


def test_an_action_tells_when_it_was_done() -> None:
    """The instant is the middle of the agent's two, and the error bound reaches both."""
    with agent_that(lambda _: {"ok": True, "result": None}) as agent:
        assert agent.set_link("a", True) == Done(2000, 1001)
        assert agent.last_instant == Done(2000, 1001)


def test_the_instant_belongs_to_the_thread() -> None:
    """Another thread's call does not change what this one reads, and a thread without a call has none."""
    failed: list[str] = []

    def ask(agent: Agent) -> None:
        try:
            agent.last_instant  # noqa: B018
        except MisuseError as error:
            failed.append(str(error))

    with agent_that(lambda _: {"ok": True, "result": None}) as agent:
        thread = threading.Thread(target=ask, args=(agent,))
        thread.start()
        thread.join(5.0)
    assert failed == ["this thread has made no call to the agent yet"]


def test_hello_tells_what_the_agent_allows() -> None:
    """What was undone for the client before is known to the next one."""
    with agent_that(refusing("failed")) as agent:
        assert (agent.hello.boards, agent.hello.virtual, agent.hello.last_restored) == (("a",), False, "x")


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("not_allowed", AgentRefused),
        ("setup", SetupError),
        ("virtual", VirtualBoardError),
        ("invalid", MisuseError),
        ("busy", AgentError),
        ("failed", AgentError),
        ("internal", AgentError),
    ],
)
def test_a_kind_of_refusal_is_a_class_of_error(kind: str, error: type[Exception]) -> None:
    """The reply's kind says which of hil's errors the caller gets, with the agent's words."""
    with agent_that(refusing(kind)) as agent, pytest.raises(error, match="follow: no") as raised:
        agent.follow("a")
    assert type(raised.value) is error


@pytest.mark.parametrize(
    ("kind", "number"),
    [("refused", errno.ECONNREFUSED), ("timeout", errno.ETIMEDOUT), ("unreachable", errno.EHOSTUNREACH)],
)
def test_a_failed_connection_is_no_error_of_the_harness(kind: str, number: int) -> None:
    """What a board does with a connection is told apart by kind and errno, not as a HarnessError."""
    with agent_that(refusing(kind)) as agent, pytest.raises(ConnectFailed) as raised:
        agent.open_tcp_socket("a", "192.168.7.1", 80, 1.0)
    assert (raised.value.kind, raised.value.errno) == (kind, number)


def test_every_kind_is_known() -> None:
    """No kind of the protocol falls through the client."""
    for kind in protocol.KINDS:
        with (
            agent_that(refusing(kind)) as agent,
            pytest.raises((AgentError, OSError, SetupError, MisuseError, VirtualBoardError)),
        ):
            agent.open_kmsg()


def test_a_reply_without_its_descriptor_is_an_error() -> None:
    """A socket that was promised and did not come is named."""
    wanted = pytest.raises(AgentError, match="open_kmsg: the reply came with 0 descriptors; wanted one")
    with agent_that(lambda _: {"ok": True, "result": None}) as agent, wanted:
        agent.open_kmsg()


def test_a_virtual_board_comes_with_its_control_socket() -> None:
    """The handle holds a usable socket and the paths that the agent learnt."""
    result = {"usb": "1-1", "console": "", "lan": "hil-lan", "address": "192.0.2.7", "pid": 3, "t_ns": 4}
    control, far = socket.socketpair()
    spec = {"board": "v", "supply": "bus", "faults": [], "tinyusb": "0.21", "role": "static"}
    with agent_that(lambda _: {"ok": True, "result": result}, control.fileno()) as agent:
        handle = agent.start_virtual(spec)
    with handle.socket, control, far:
        far.send(b"x")
        assert handle.socket.recv(1) == b"x"
    assert (handle.usb, handle.lan, handle.address, handle.pid, handle.t_ns) == ("1-1", "hil-lan", "192.0.2.7", 3, 4)


def test_a_spec_with_a_wrong_field_is_misuse() -> None:
    """A field that the agent does not know is an error before anything is sent."""
    with (
        agent_that(refusing("failed")) as agent,
        pytest.raises(MisuseError, match="wanted board, supply, faults, tinyusb, role"),
    ):
        agent.start_virtual({"board": "v", "command": "sh"})


def test_no_agent_is_a_matter_of_setup(tmp_path: Path) -> None:
    """Where nothing listens the message names the socket and the remedy."""
    with pytest.raises(SetupError, match=r"no agent at .*agent.sock: No such file or directory; start the service"):
        Agent.connect(tmp_path / "agent.sock")


@pytest.mark.root
def test_an_agent_that_cannot_start_says_why(tmp_path: Path) -> None:
    """The last words of a child that ended before it answered are in the error."""
    path = tmp_path / "allow.toml"
    path.write_text("")
    path.chmod(0o666)
    with pytest.raises(AgentError, match=f"the agent did not start: .*{path} has mode 0666"):
        Agent.spawn(path)


@pytest.mark.root
def test_a_spawned_agent_ends_with_its_client(tmp_path: Path) -> None:
    """close() returns when the child has undone everything and ended."""
    agent = Agent.spawn(log=tmp_path / "log")
    agent.close()
    with pytest.raises(ProcessLookupError):
        os.kill(agent.hello.pid, 0)


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become somebody else")
def test_an_agent_of_another_user_is_said() -> None:
    """Starting the service, which runs, would not help."""
    with (
        tempfile.TemporaryDirectory(dir="/tmp") as place,
        socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as agent,
    ):
        os.chmod(place, 0o755)
        path = Path(place, "agent.sock")
        agent.bind(str(path))
        agent.listen()
        os.chmod(path, 0o600)
        os.seteuid(65534)
        try:
            with pytest.raises(SetupError, match=r"Permission denied; it serves another user; `sudo hil init`"):
                Agent.connect(path)
        finally:
            os.seteuid(0)
