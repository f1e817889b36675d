"""Messages with descriptors on the loop, and peers that misbehave."""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable

from hil.agent import protocol
from hil.agent.server.connection import Connection, peer_of

Scenario = Callable[[Connection, socket.socket, list[bytes], list[Connection]], Awaitable[None]]


def played(scenario: Scenario) -> None:
    """Run a scenario with a connection, the far end, what was received, and the ends that were told."""

    async def run() -> None:
        near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        far.setblocking(False)
        received: list[bytes] = []
        closed: list[Connection] = []
        connection = Connection(near, lambda _, data: received.append(data), closed.append)
        with far:
            await asyncio.wait_for(scenario(connection, far, received, closed), 10.0)
        connection.close()

    asyncio.run(run())


def test_messages_come_whole_and_in_order() -> None:
    """Two messages sent back to back arrive as two."""

    async def scenario(_: Connection, far: socket.socket, received: list[bytes], __: list[Connection]) -> None:
        far.send(b"one")
        far.send(b"two")
        while len(received) < 2:
            await asyncio.sleep(0)
        assert received == [b"one", b"two"]

    played(scenario)


def test_descriptors_that_a_client_sends_are_dropped() -> None:
    """A client cannot fill the agent's table of descriptors."""

    async def scenario(_: Connection, far: socket.socket, received: list[bytes], __: list[Connection]) -> None:
        reading, writing = os.pipe()
        before = len(os.listdir("/proc/self/fd"))
        for _number in range(20):
            socket.send_fds(far, [b"x"], [reading])
        while len(received) < 20:
            await asyncio.sleep(0)
        assert len(os.listdir("/proc/self/fd")) == before
        os.close(reading)
        os.close(writing)

    played(scenario)


def test_a_client_that_does_not_read_is_dropped() -> None:
    """Messages for it pile up to a limit; then it is closed, once, and their descriptors with it."""

    async def scenario(connection: Connection, far: socket.socket, _: list[bytes], closed: list[Connection]) -> None:
        reading, writing = os.pipe()
        for _number in range(5000):
            connection.send({"notify": "x" * 1000}, [os.dup(reading)])
        assert closed == [connection]
        assert not connection.open
        os.close(reading)
        while True:
            try:
                _data, descriptors, _flags, _address = socket.recv_fds(far, 2000, 4)
            except ConnectionResetError:
                break
            for descriptor in descriptors:
                os.close(descriptor)
            if not _data:
                break
        try:
            os.write(writing, b"x")
        except BrokenPipeError:
            os.close(writing)
        else:
            raise AssertionError("a descriptor is still open")

    played(scenario)


def test_the_end_of_the_peer_is_told_once() -> None:
    """A peer that goes away closes the connection."""

    async def scenario(connection: Connection, far: socket.socket, _: list[bytes], closed: list[Connection]) -> None:
        far.close()
        while not closed:
            await asyncio.sleep(0)
        connection.close()
        connection.send({"notify": "too late"})
        assert closed == [connection]

    played(scenario)


def test_an_overlong_message_is_cut_not_split() -> None:
    """A message over the limit arrives once, longer than the limit, and the next one is whole."""

    async def scenario(_: Connection, far: socket.socket, received: list[bytes], __: list[Connection]) -> None:
        far.send(b"x" * (protocol.MESSAGE_LIMIT + 5000))
        far.send(b"next")
        while len(received) < 2:
            await asyncio.sleep(0)
        assert [len(data) for data in received] == [protocol.MESSAGE_LIMIT + 1, 4]

    played(scenario)


def test_the_peer_of_a_socketpair_is_its_maker() -> None:
    """SO_PEERCRED tells who made the pair: this process."""
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with near, far:
        peer = peer_of(near)
    assert (peer.pid, peer.uid) == (os.getpid(), os.getuid())
