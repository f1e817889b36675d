"""Notifications of the agent reach the station or become events."""

import os
import socket
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.agent import protocol
from hil.capture.agentlink import AgentSource, close_all
from hil.capture.source import Moment
from hil.timeline.events import Acted, CaptureGap, Event


class Ports:
    """Takes what the station would take."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []

    def notified(self, message: dict[str, Any], fds: list[int], now: Moment) -> list[Event]:
        self.messages.append(message)
        close_all(fds)
        return []


@pytest.fixture
def ports() -> Ports:
    """Remembers what it was told."""
    return Ports()


@pytest.fixture
def source(pair: tuple[socket.socket, socket.socket], ports: Ports) -> AgentSource:
    """The capture's end of a connection to an agent."""
    return AgentSource(pair[1], ports.notified)


def test_serial_ports_go_to_the_station(
    pair: tuple[socket.socket, socket.socket], source: AgentSource, ports: Ports, now: Moment
) -> None:
    """tty_opened arrives with its descriptor."""
    opened = {"notify": "tty_opened", "board": "s3-a", "port": "usb", "node": "/dev/ttyACM0", "t_ns": 1}
    fd = os.open("/dev/null", os.O_RDONLY)
    socket.send_fds(pair[0], [protocol.pack(opened)], [fd])
    os.close(fd)
    assert source.read(now) == []
    assert ports.messages == [opened]


def test_adoption_is_an_event_with_the_agents_time(
    pair: tuple[socket.socket, socket.socket], source: AgentSource, now: Moment
) -> None:
    """An interface that was moved is told by the agent's own instant."""
    adopted = {"notify": "interface_adopted", "board": "s3-a", "interface": "usb0", "ifindex": 4, "t_ns": 77}
    pair[0].send(protocol.pack(adopted))
    expected = Acted("interface_adopted", "nothing", "interface=usb0 ifindex=4", t_ns=77, t_err_ns=0, board="s3-a")
    (told,) = source.read(now)
    assert (repr(told), told.t_ns, told.board, told.source) == (repr(expected), 77, "s3-a", "agent")


def test_refusal_is_a_gap(pair: tuple[socket.socket, socket.socket], source: AgentSource, now: Moment) -> None:
    """A port that the agent does not watch is a channel that is not there; a plain reply says nothing."""
    pair[0].send(protocol.pack(protocol.reply(1, None, 1, 2)))
    pair[0].send(protocol.pack(protocol.refusal(2, "not_allowed", "board 'x' is not allowed", 1, 2)))
    (gap,) = source.read(now)
    assert isinstance(gap, CaptureGap)
    assert "board 'x' is not allowed" in gap.reason


def test_agent_that_goes_away_is_a_gap(
    pair: tuple[socket.socket, socket.socket], source: AgentSource, now: Moment
) -> None:
    """The end of the connection ends the source and says so."""
    pair[0].close()
    assert [type(e) for e in source.read(now)] == [CaptureGap]
    assert source.ended


@given(st.lists(st.binary(min_size=1, max_size=60), max_size=6))
def test_any_messages_only_yield_events(messages: list[bytes]) -> None:
    """No message raises."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        source = AgentSource(theirs, Ports().notified)
        for message in [*messages, b"[]", b'{"notify": 3}', b'{"notify": "x", "t_ns": true, "board": 5}', b"[" * 5000]:
            ours.send(message)
        assert all(isinstance(e, Event) for e in source.read(Moment(1, 0)))
