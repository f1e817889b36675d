"""Frames of a packet socket: stored raw, dated by the kernel, decoded once."""

import functools
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.capture.packet import PacketSource
from hil.capture.recorder import open_log
from hil.capture.source import Moment
from hil.clock import now_ns
from hil.testing.netns import Namespace
from hil.timeline.events import CaptureGap, Event, Frame
from hil.wire import pcapng
from hil.wire.ethernet import BROADCAST, EthernetFrame

FRAME = EthernetFrame(BROADCAST, "02:00:00:00:00:01", 0x88B5, b"local experiment").pack()


@pytest.fixture
def pcap(tmp_path: Path) -> Iterator[tuple[Path, int]]:
    """A pcapng file and its descriptor."""
    fd = open_log(tmp_path / "s3-a.pcapng")
    yield tmp_path / "s3-a.pcapng", fd
    os.close(fd)


def test_frame_is_stored_before_its_event_is_told(
    pair: tuple[socket.socket, socket.socket], pcap: tuple[Path, int], now: Moment
) -> None:
    """Each reading appends the raw frames, direction included."""
    source = PacketSource(pair[1], "s3-a", pcap[1])
    pair[0].send(FRAME)
    (event,) = source.read(now)
    assert isinstance(event, Frame)
    assert (event.sender, event.ethertype) == ("board", 0x88B5)
    (stored,) = pcapng.packets(pcap[0].read_bytes())
    assert (stored.data, stored.direction, stored.interface_name) == (FRAME, "in", "s3-a")


def test_reading_stops_so_that_others_have_their_turn(
    pair: tuple[socket.socket, socket.socket], pcap: tuple[Path, int], now: Moment
) -> None:
    """A flood is read in portions; the source says that there is more."""
    pair[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    source = PacketSource(pair[1], "s3-a", pcap[1])
    sent = 0
    pair[0].setblocking(False)
    try:
        while True:
            pair[0].send(FRAME)
            sent += 1
    except BlockingIOError:
        assert sent > 256
    assert len(source.read(now)) == 256
    assert source.more


@given(st.lists(st.binary(min_size=1, max_size=100), max_size=10))
def test_any_frames_only_yield_events(tmp_path_factory: pytest.TempPathFactory, frames: list[bytes]) -> None:
    """No frame raises, and each is stored as it came."""
    path = tmp_path_factory.mktemp("any") / "x.pcapng"
    fd = open_log(path)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        source = PacketSource(theirs, "s3-a", fd)
        for frame in frames:
            ours.send(frame)
        events = source.read(Moment(now_ns(), 0))
    os.close(fd)
    assert all(isinstance(event, Event) for event in events)
    assert [packet.data for packet in pcapng.packets(path.read_bytes())] == frames


@pytest.mark.root
@pytest.mark.slow
def test_kernel_time_orders_frames_of_both_directions(pcap: tuple[Path, int]) -> None:
    """On a veth pair frames out and in are told apart, ordered, and dated between sending and reading."""
    space, board_end, host_end = Namespace.with_veth("hilp")
    with space:
        packets = space.run(lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)))
        source = PacketSource(packets, "s3-a", pcap[1])
        senders = [space.run(functools.partial(_raw, end)) for end in (host_end, board_end)]
        bounds = []
        for index in (0, 1) * 5:
            before = now_ns()
            senders[index].send(FRAME)
            bounds.append((before, now_ns()))
        events = _until(source, 20)
        source.close()
        for sender in senders:
            sender.close()
    assert not [e for e in events if isinstance(e, CaptureGap)]
    mine = [e for e in events if isinstance(e, Frame) and e.ethertype == 0x88B5]
    # Both ends of the pair lie in this namespace: each frame leaves one and arrives at the other.
    assert [e.sender for e in mine] == ["host", "board"] * 10
    assert [e.t_ns for e in mine] == sorted(e.t_ns for e in mine)
    for event, (before, after) in zip(mine[::2], bounds, strict=True):
        assert before - event.t_err_ns <= event.t_ns <= after + event.t_err_ns
        assert event.t_err_ns < 100_000_000


@pytest.mark.root
@pytest.mark.slow
def test_vlan_tag_is_put_back(pcap: tuple[Path, int]) -> None:
    """The tag that the kernel strips from a received frame is in the file and in the event."""
    tagged = FRAME[:12] + bytes((0x81, 0x00, 0x00, 0x05)) + FRAME[12:]
    space, board_end, _ = Namespace.with_veth("hilv")
    with space:
        packets = space.run(lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)))
        source = PacketSource(packets, "s3-a", pcap[1])
        with space.run(lambda: _raw(board_end)) as sender:
            sender.send(tagged)
            events = _until(source, 2)
        source.close()
    assert [e.summary for e in events if isinstance(e, Frame) and e.ethertype == 0x8100] == [
        "VLAN 5, ethertype 0x88b5"
    ] * 2
    assert [p.data for p in pcapng.packets(pcap[0].read_bytes())] == [tagged, tagged]


def _raw(interface: str) -> socket.socket:
    raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    raw.bind((interface, 0))
    return raw


def _until(source: PacketSource, count: int) -> list[Event]:
    """What the source gives until it has given ``count`` frames of ours, for at most a second."""
    found: list[Event] = []
    empty_ns = source.since_ns
    end_ns = empty_ns + 1_000_000_000
    while sum(isinstance(e, Frame) for e in found) < count and now_ns() < end_ns:
        at_ns = now_ns()
        found += source.read(Moment(at_ns, at_ns - empty_ns))
        empty_ns = at_ns
    return found
