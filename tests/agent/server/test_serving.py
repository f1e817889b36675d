"""Clients that are hostile, die, or stand in each other's way, and agents that are killed."""

import asyncio
import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hil.agent import protocol
from hil.agent.allow import AllowList
from hil.agent.client import Agent
from hil.agent.server import namespaces
from hil.agent.server.machine import Machine, Places
from hil.agent.server.namespaces import Namespace
from hil.agent.server.serving import Server
from hil.clock import Deadline
from hil.errors import AgentError, SetupError
from hil.testing.private_agent import PrivateAgent

pytestmark = pytest.mark.root
NOBODY = 65534
HOSTILE = [
    b"\0",
    b"{",
    b"[]",
    b"null",
    b"[" * 60_000,
    b"\xff" * 100,
    b"x" * (protocol.MESSAGE_LIMIT + 100),
    b'{"id":1}',
    b'{"id":1,"op":"__class__"}',
    b'{"id":"1","op":"hello","version":1}',
    b'{"id":1,"op":"hello","version":2}',
    b'{"id":1,"op":"open_namespace","board":"\\ud800"}',
    b'{"id":1,"op":"open_namespace","board":"../../etc"}',
    b'{"id":1,"op":"read_attribute","board":"a","attribute":"../../x"}',
    b'{"id":1,"op":"start_virtual","board":"v","supply":"bus","faults":["/etc/x.py"],"tinyusb":"0.21","role":"static"}',
    b'{"id":1,"op":"start_virtual","board":"v","supply":"bus","faults":[1],"tinyusb":"0.21","role":"static"}',
    b'{"id":1,"op":"open_tcp_socket","board":"a","address":"192.168.7.1","port":80,"timeout_s":1e999}',
    b'{"id":1,"op":"open_kmsg","op":"hello"}',
]
CLIENT = """
import sys, time
from pathlib import Path
from hil.agent.client import Agent
agent = Agent.connect(Path(sys.argv[1]))
board = sys.argv[2]
agent.open_namespace(board)
agent.follow(board)
agent.write_attribute(board, 'control', 'auto')
handle = agent.start_virtual({'board': 'v', 'supply': 'bus', 'faults': [], 'tinyusb': '0.21', 'role': 'dhcp-server'})
print(handle.pid, agent.hello.pid, flush=True)
time.sleep(60)
"""
STUBBORN_BOARD = (
    "import json, socket, sys, time\n"
    "control = socket.socket(fileno=int(sys.argv[1]))\n"
    "control.recv(65536)\n"
    "answer = {'id': 1, 'ok': True, 'usb': '1-4', 'console': '', 'lan': '', 'address': '', 't_ns': 77}\n"
    "control.send((json.dumps(answer) + '\\n').encode())\n"
    "time.sleep(60)\n"
)


class Listening:
    """A private agent that listens, with a virtual board that does not end by itself."""

    def __init__(self, private: PrivateAgent, uid: int = 0) -> None:
        self.private = private
        self.path = private.directory / "agent.sock"
        private.tree.attach("1-1.2")
        self.process = self.start(uid)

    def start(self, uid: int = 0) -> "subprocess.Popen[bytes]":
        before = self.said().count("listening at")
        process = self.private.start("--listen", str(self.path), "--uid", str(uid))
        deadline = Deadline(15.0)
        while self.said().count("listening at") == before and not deadline.passed:
            assert process.poll() is None, self.said()
            select.select([], [], [], 0.01)
        return process

    def said(self) -> str:
        log = self.private.log
        return log.read_text() if log.exists() else ""

    def connect(self) -> Agent:
        agent = Agent.connect(self.path)
        self.private.agents.append(agent)
        return agent

    def busy_client(self) -> tuple["subprocess.Popen[bytes]", int]:
        """A client process that has done a bit of everything, and the process id of its virtual board."""
        command = [sys.executable, "-c", CLIENT, str(self.path), self.private.board]
        client = subprocess.Popen(command, stdout=subprocess.PIPE)
        self.private.processes.append(client)
        assert client.stdout is not None
        with client.stdout:
            return client, int(client.stdout.readline().split()[0])

    @property
    def namespace(self) -> Path:
        return namespaces.DIRECTORY / f"hil-{self.private.board}"


@pytest.fixture
def listening(private_agent: Callable[..., PrivateAgent]) -> Iterator[Listening]:
    """An agent that serves several clients."""
    return Listening(private_agent(virtual=True, virtual_command=[sys.executable, "-c", STUBBORN_BOARD]))


def test_every_hostile_message_is_answered(private_agent: Callable[..., PrivateAgent]) -> None:
    """Nonsense gets a refusal each, and the agent serves on."""
    with private_agent(virtual=True).raw() as connection:
        for data in HOSTILE:
            connection.send(data)
            answer = json.loads(connection.recv(protocol.MESSAGE_LIMIT))
            assert answer["ok"] is False, data[:80]
            assert answer["kind"] in ("invalid", "not_allowed"), (data[:80], answer)
        connection.send(protocol.pack_request(5, protocol.Hello(1)))
        assert json.loads(connection.recv(protocol.MESSAGE_LIMIT))["id"] == 5


def test_a_flood_of_requests_is_bounded(private_agent: Callable[..., PrivateAgent]) -> None:
    """More requests at once than the agent takes are refused one by one, not dropped."""
    with private_agent().raw() as connection:
        wanted = 0
        connection.setblocking(False)
        try:
            for wanted in range(1, 1000):
                connection.send(protocol.pack_request(wanted, protocol.BoardsKnown()))
        except BlockingIOError:
            wanted -= 1
        connection.settimeout(10.0)
        answers = [json.loads(connection.recv(protocol.MESSAGE_LIMIT)) for _ in range(wanted)]
    assert {answer["id"] for answer in answers} == set(range(1, wanted + 1))


def test_a_killed_clients_deeds_are_undone(listening: Listening) -> None:
    """SIGKILL of the client: namespace gone, attribute back, virtual board ended, and the next client is told."""
    client, board_pid = listening.busy_client()
    assert listening.namespace.exists()
    assert listening.private.tree.attribute("1-1.2", "power/control") == "auto"
    watch = os.pidfd_open(board_pid)
    client.kill()
    assert select.select([watch], [], [], 10.0)[0]
    os.close(watch)
    told = _told(listening)
    assert not listening.namespace.exists()
    assert listening.private.tree.attribute("1-1.2", "power/control") == "on"
    for deed in (f"namespace hil-{listening.private.board}", "control of 1-1.2 to on", f"process {board_pid}"):
        assert deed in told
    assert f"BenchRestored: {told}" in listening.said()
    assert listening.connect().hello.last_restored is None


def _told(listening: Listening) -> str:
    """What the next client is told once undoing has ended, which the death of the board only began."""
    deadline = Deadline(5.0)
    while not deadline.passed:
        told = listening.connect().hello.last_restored
        if told:
            return told
    return ""


def test_a_killed_agents_deeds_are_undone_by_the_next(listening: Listening) -> None:
    """Namespaces, attributes and sysctls that the notes of a dead agent name are put right at the next start."""
    client, board_pid = listening.busy_client()
    listening.process.kill()
    listening.process.wait(5.0)
    assert listening.namespace.exists()
    listening.start()
    assert not listening.namespace.exists()
    assert listening.private.tree.attribute("1-1.2", "power/control") == "on"
    told = listening.connect().hello.last_restored or ""
    assert f"namespace hil-{listening.private.board}" in told
    assert "control of 1-1.2 to on" in told
    client.kill()
    os.kill(board_pid, signal.SIGKILL)


def test_term_undoes_everything(listening: Listening) -> None:
    """A service that is stopped leaves the machine as it found it."""
    listening.busy_client()
    listening.process.terminate()
    assert listening.process.wait(15.0) == 0
    assert not listening.namespace.exists()
    assert not listening.path.exists()
    assert listening.private.tree.attribute("1-1.2", "power/control") == "on"


def test_a_client_that_dies_while_it_ends_its_board_leaves_nothing(listening: Listening) -> None:
    """Undoing that has begun goes on when the request for it loses its client."""
    listening.private.tree.attach("1-4")
    name = f"w{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as raw:
        raw.settimeout(10.0)
        raw.connect(str(listening.path))
        raw.send(protocol.pack_request(1, protocol.StartVirtual(name, "bus", [], "0.21", "dhcp-server")))
        data, descriptors, _, _ = socket.recv_fds(raw, protocol.MESSAGE_LIMIT, 4)
        watch = os.pidfd_open(json.loads(data)["result"]["pid"])
        raw.send(protocol.pack_request(2, protocol.OpenNamespace(name)))
        raw.recv(protocol.MESSAGE_LIMIT)
        raw.send(protocol.pack_request(3, protocol.EndVirtual(name)))
    os.close(*descriptors)
    assert select.select([watch], [], [], 10.0)[0]
    os.close(watch)
    listening.process.terminate()
    assert listening.process.wait(15.0) == 0
    assert not (namespaces.DIRECTORY / f"hil-{name}").exists()
    assert "FAILED" not in listening.said()


def test_the_server_is_idle_again_whatever_undoing_raised(tmp_path: Path) -> None:
    """A client whose undoing is broken off is still gone, and the agent ends."""

    async def broken_off() -> None:
        raise asyncio.CancelledError

    async def serve() -> None:
        machine = Machine(AllowList(), Places(run=tmp_path))
        server = Server(machine)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        server.accept(theirs)
        server._sessions[0].undo.push("a", "namespace", broken_off)
        ours.close()
        await asyncio.wait_for(server.until_idle(), 5.0)
        await server.close()
        machine.close()

    asyncio.run(serve())


def test_a_board_has_one_client(listening: Listening) -> None:
    """The second is told which process holds it, and gets it when that has ended."""
    first, second = listening.connect(), listening.connect()
    first.open_namespace(listening.private.board)
    with pytest.raises(AgentError, match=f"is held by process {os.getpid()} "):
        second.follow(listening.private.board)
    first.close()
    deadline = Deadline(5.0)
    while listening.namespace.exists() and not deadline.passed:
        select.select([], [], [], 0.005)
    assert second.open_namespace(listening.private.board)


def test_two_connections_are_one_client(listening: Listening) -> None:
    """The second may use what the first made, its end undoes nothing, and it ends with the first."""
    main = listening.connect()
    main.open_namespace(listening.private.board)
    helper = Agent(main.second_connection())
    helper.write_attribute(listening.private.board, "control", "auto")
    helper.close()
    assert main.read_attribute(listening.private.board, "control") == "auto"
    other = Agent(main.second_connection())
    main.close()
    with pytest.raises(AgentError, match="notifications: the agent is gone: it closed the connection"):
        other.notifications(5.0)
    other.close()


def test_a_notification_goes_to_the_connection_that_asked(listening: Listening) -> None:
    """The capture process follows; the main connection hears nothing of it."""
    main = listening.connect()
    board = listening.private.board
    with Agent(main.second_connection()) as helper:
        home = Namespace("home", os.open(f"/proc/{main.hello.pid}/ns/net", os.O_RDONLY))
        with home.route() as route:
            route.add_veth("v0", "far")
            index = next(link.index for link in route.links() if link.name == "v0")
        home.close()
        listening.private.tree.add_interface("1-1.2", "v0", index)
        helper.follow(board)
        assert [message["notify"] for message, _ in helper.notifications(5.0)] == ["interface_adopted"]
        assert main.notifications(0.0) == []


def test_another_user_cannot_open_the_socket(listening: Listening) -> None:
    """The socket's mode keeps everybody but root and --uid out."""
    listening.private.directory.chmod(0o755)
    assert listening.path.stat().st_mode & 0o777 == 0o660
    assert _as_user(NOBODY, listening.path) == "SetupError"


def test_another_user_is_not_served_even_with_the_socket_open(listening: Listening) -> None:
    """Whoever gets past the mode is still asked for credentials."""
    for place in (listening.path, *list(listening.path.parents)[:4]):
        if str(place).startswith(("/tmp/", "/var/tmp/")):
            place.chmod(0o777)
    assert _as_user(NOBODY, listening.path) == "AgentError"
    assert f"of uid {NOBODY} is not served; allowed: 0, 0" in listening.said()


def test_the_named_user_is_served(private_agent: Callable[..., PrivateAgent]) -> None:
    """--uid owns the socket and may connect."""
    listening = Listening(private_agent(), NOBODY)
    for place in list(listening.path.parents)[:4]:
        if str(place).startswith(("/tmp/", "/var/tmp/")):
            place.chmod(0o755)
    assert _as_user(NOBODY, listening.path) == "served"


def _as_user(uid: int, path: Path) -> str:
    """'served', or the name of the error that a process of another user gets."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(uid)
            os.setuid(uid)
            try:
                Agent.connect(path).close()
                os.write(writing, b"served")
            except (SetupError, AgentError) as error:
                os.write(writing, type(error).__name__.encode())
        finally:
            os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    said = os.read(reading, 100).decode()
    os.close(reading)
    return said


def test_a_descriptor_that_is_no_connection_is_named() -> None:
    """An agent that is given something else says what it got, and ends."""
    near, far = socket.socketpair()
    with near, far:
        command = [sys.executable, "-m", "hil.agent", "--fd", "0", "--allow-virtual"]
        ended = subprocess.run(command, stdin=near.fileno(), capture_output=True, timeout=30, check=False)
    assert ended.returncode == 2
    assert b"is AF_UNIX SOCK_STREAM; wanted AF_UNIX SOCK_SEQPACKET" in ended.stderr
