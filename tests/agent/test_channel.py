"""The client's end of a connection, against a peer that the test plays itself."""

import os
import select
import socket
import sys
import threading
from collections.abc import Iterator

import pytest

from hil.agent import protocol
from hil.agent.channel import Channel
from hil.errors import AgentError


class Peer:
    """The agent's end of a socketpair."""

    def __init__(self) -> None:
        self.socket, ours = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.settimeout(5.0)
        self.channel = Channel(ours)

    def heard(self) -> dict[str, object]:
        return protocol.parse(self.socket.recv(protocol.MESSAGE_LIMIT))

    def say(self, message: dict[str, object], *descriptors: int) -> None:
        socket.send_fds(self.socket, [protocol.pack(message)], descriptors)

    def answer(self, request_id: object, result: object) -> None:
        self.say({"id": request_id, "ok": True, "result": result, "t0_ns": 1, "t1_ns": 2})


@pytest.fixture
def peer() -> Iterator[Peer]:
    """A channel and the end that the test plays."""
    made = Peer()
    yield made
    made.channel.close()
    made.socket.close()


def in_thread(peer: Peer, results: dict[str, object], name: str) -> threading.Thread:
    def run() -> None:
        results[name] = peer.channel.call(protocol.Follow(name), 5.0).values["result"]

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_replies_find_their_callers_in_any_order(peer: Peer) -> None:
    """Two threads that wait at once each get their own reply, though the later one is answered first."""
    results: dict[str, object] = {}
    threads = [in_thread(peer, results, name) for name in ("a", "b")]
    requests = [peer.heard(), peer.heard()]
    for request in reversed(requests):
        peer.answer(request["id"], request["board"])
    for thread in threads:
        thread.join(5.0)
    assert results == {"a": "a", "b": "b"}


@pytest.fixture
def hasty() -> Iterator[None]:
    """Threads take turns as often as they can."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(usual)


@pytest.mark.slow
def test_no_caller_misses_a_reply_that_another_read(peer: Peer, hasty: None) -> None:
    """Between its look for the reply and its wait: nothing else may come that would wake it, up to its deadline."""
    callers, rounds = 4, 400
    together, late = threading.Barrier(callers), list[str]()

    def call() -> None:
        for _ in range(rounds):
            together.wait(5.0)
            try:
                peer.channel.call(protocol.BoardsKnown(), 1.0)
            except AgentError as error:
                late.append(str(error))

    threads = [threading.Thread(target=call) for _ in range(callers)]
    for thread in threads:
        thread.start()
    for _ in range(rounds):
        for request in [peer.heard() for _ in range(callers)]:
            peer.answer(request["id"], None)
    for thread in threads:
        thread.join(5.0)
    assert late == []


def test_a_notification_between_replies_is_kept(peer: Peer) -> None:
    """What comes unasked while a thread waits for its reply is handed to whoever asks for notifications later."""
    results: dict[str, object] = {}
    thread = in_thread(peer, results, "a")
    request = peer.heard()
    peer.say({"notify": "tty_gone", "node": "/dev/ttyACM0"})
    peer.answer(request["id"], None)
    thread.join(5.0)
    assert select.select([peer.channel], [], [], 0.0)[0]
    (message,) = peer.channel.notifications(0.0)
    assert message.values["node"] == "/dev/ttyACM0"
    assert peer.channel.notifications(0.0) == []
    assert not select.select([peer.channel], [], [], 0.0)[0]


def test_a_descriptor_comes_with_its_notification(peer: Peer) -> None:
    """A descriptor belongs to the message it was sent with and is closed on exec."""
    reading, writing = os.pipe()
    peer.say({"notify": "tty_opened"}, reading)
    os.close(reading)
    (message,) = peer.channel.notifications(5.0)
    (descriptor,) = message.descriptors
    os.write(writing, b"x")
    assert os.read(descriptor, 1) == b"x"
    assert not os.get_inheritable(descriptor)
    message.close()
    os.close(writing)


def test_the_channel_is_readable_for_an_unread_notification(peer: Peer) -> None:
    """epoll wakes for a notification that still lies in the socket."""
    assert not select.select([peer.channel], [], [], 0.0)[0]
    peer.say({"notify": "tty_gone"})
    assert select.select([peer.channel], [], [], 5.0)[0]


def test_a_call_has_a_deadline_and_its_late_reply_is_dropped(peer: Peer) -> None:
    """A call that is not answered ends in time; a descriptor in its late reply is closed."""
    with pytest.raises(AgentError, match=r"follow: the agent did not answer within 0.01 s"):
        peer.channel.call(protocol.Follow("a"), 0.01)
    reading, writing = os.pipe()
    peer.say({"id": peer.heard()["id"], "ok": True, "result": None}, reading)
    os.close(reading)
    assert peer.channel.notifications(0.0) == []
    with pytest.raises(BrokenPipeError):
        os.write(writing, b"x")
    os.close(writing)


def test_an_agent_that_dies_ends_every_call(peer: Peer) -> None:
    """The end of the connection is an error of the call that waits and of every later one."""
    failed: list[str] = []

    def run() -> None:
        try:
            peer.channel.call(protocol.Follow("a"), 5.0)
        except AgentError as error:
            failed.append(str(error))

    thread = threading.Thread(target=run)
    thread.start()
    peer.heard()
    peer.socket.close()
    thread.join(5.0)
    assert failed == ["follow: the agent is gone: it closed the connection"]
    with pytest.raises(AgentError, match="open_kmsg: the agent is gone"):
        peer.channel.call(protocol.OpenKmsg(), 1.0)
    with pytest.raises(AgentError, match="notifications: the agent is gone"):
        peer.channel.notifications(0.0)


def test_notifications_that_came_before_the_end_are_still_told(peer: Peer) -> None:
    """What the agent said before it went away is not lost."""
    peer.say({"notify": "tty_gone"})
    peer.socket.close()
    assert [message.values["notify"] for message in peer.channel.notifications(1.0)] == ["tty_gone"]


def test_closing_ends_a_call_of_another_thread(peer: Peer) -> None:
    """close() from one thread ends what another waits for."""
    failed: list[str] = []

    def run() -> None:
        try:
            peer.channel.call(protocol.Follow("a"), 5.0)
        except AgentError as error:
            failed.append(str(error))

    thread = threading.Thread(target=run)
    thread.start()
    peer.heard()
    peer.channel.close()
    thread.join(2.0)
    assert failed == ["follow: the agent is gone: it was closed by this process"]
