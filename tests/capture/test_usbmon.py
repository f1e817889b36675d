"""usbmon packets of the board's address become events; those of other devices become nothing."""

import errno
import os
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.capture.boards import CapturedBoard
from hil.capture.source import Moment
from hil.capture.usbmon import STAMP_ERR_NS, UsbmonSource
from hil.clock import now_ns
from hil.timeline.events import (
    CaptureGap,
    Event,
    UsbBulkCount,
    UsbControl,
    UsbNotification,
    UsbTransferFailed,
)
from hil.wire.cdc import ConnectionSpeedChange, NetworkConnection, SerialState
from hil.wire.usb import SetupPacket
from hil.wire.usbmon import BULK, COMPLETED, CONTROL, FAILED, INTERRUPT, SUBMITTED, UsbmonPacket

SET_CONFIGURATION = SetupPacket(0, 9, 1, 0, 0)
GET_DESCRIPTOR = SetupPacket(0x80, 6, 0x0100, 0, 18)


class Ring:
    """Stands for /dev/usbmonN: packets put in are fetched in order."""

    def __init__(self) -> None:
        self.packets: list[bytes] = []
        self.lost = 0
        self.dead = False

    def fetch(self) -> bytes | None:
        if self.dead:
            raise OSError(errno.ENODEV, "No such device")
        return self.packets.pop(0) if self.packets else None

    def losses(self) -> int:
        lost, self.lost = self.lost, 0
        return lost


@pytest.fixture
def ring() -> Ring:
    """An empty ring."""
    return Ring()


@pytest.fixture
def board() -> CapturedBoard:
    """A board at device 7 of bus 1."""
    return CapturedBoard("s3-a", {"usb": "1-1"}, address=(1, 7))


@pytest.fixture
def source(ring: Ring, board: CapturedBoard) -> Iterator[UsbmonSource]:
    """The source that reads the ring."""
    made = UsbmonSource(os.open("/dev/null", os.O_RDONLY), board, 1, ring.fetch, ring.losses)
    yield made
    made.close()


def packet(kind: str, transfer: int, endpoint: int, device: int = 7, **more: object) -> bytes:
    fields: dict[str, object] = {"id": 1, "status": 0, "length": 0, "setup": bytes(8), "payload": b"", **more}
    payload = fields["payload"]
    assert isinstance(payload, bytes)
    setup_flag = "\0" if kind == SUBMITTED and transfer == CONTROL else "-"
    real = time.time_ns()
    times = {"ts_sec": real // 10**9, "ts_usec": real % 10**9 // 1000}
    front = {"type": kind, "transfer_type": transfer, "endpoint": endpoint, "device": device, "bus": 1}
    flags = {"setup_flag": setup_flag, "data_flag": "\0", "captured": len(payload)}
    return UsbmonPacket(**front, **flags, **times, **fields).pack()  # type: ignore[arg-type]


def control(setup: SetupPacket, status: int = 0, data: bytes = b"", device: int = 7) -> list[bytes]:
    endpoint = 0x80 if setup.is_in else 0
    out = b"" if setup.is_in else data
    return [
        packet(SUBMITTED, CONTROL, endpoint, device, setup=setup.pack(), status=-115, payload=out),
        packet(COMPLETED, CONTROL, endpoint, device, status=status, payload=data if setup.is_in else b""),
    ]


def read(source: UsbmonSource) -> list[Event]:
    return source.read(Moment(now_ns(), 0))


def test_control_transfer_is_told_at_its_end(ring: Ring, source: UsbmonSource) -> None:
    """Name and values come from the submission, status and data from the completion; the time is the kernel's."""
    before = now_ns()
    ring.packets = control(GET_DESCRIPTOR, data=bytes(18))
    (event,) = read(source)
    assert isinstance(event, UsbControl)
    assert (event.request, event.length, event.status, event.data) == ("GET_DESCRIPTOR(device)", 18, 0, "00" * 18)
    assert before - event.t_err_ns <= event.t_ns <= now_ns()
    assert event.t_err_ns >= STAMP_ERR_NS


def test_control_transfer_tells_how_long_it_took(ring: Ring, source: UsbmonSource) -> None:
    """A device whose USB task is busy answers late: the time from the submission is in the event."""
    submitted, completed = control(GET_DESCRIPTOR, data=bytes(18))
    began = UsbmonPacket.parse(submitted)
    ring.packets = [replace(began, ts_sec=began.ts_sec - 4).pack(), completed]
    (event,) = read(source)
    assert isinstance(event, UsbControl)
    assert 4.0 <= event.took_s < 5.0


def test_stall_is_a_status(ring: Ring, source: UsbmonSource) -> None:
    """A stalled request is one event with EPIPE, not a failed transfer beside it; data sent is the submission's."""
    ring.packets = control(SetupPacket(0x21, 0x20, 0, 2, 7), status=-errno.EPIPE, data=b"\1\2")
    (event,) = read(source)
    assert isinstance(event, UsbControl)
    assert (event.request, event.status, event.data) == ("SET_LINE_CODING", -errno.EPIPE, "0102")


@pytest.mark.parametrize(
    ("notification", "name", "value"),
    [
        (NetworkConnection(0, True), "NETWORK_CONNECTION", 1),
        (ConnectionSpeedChange(0, 12_000_000, 12_000_000), "CONNECTION_SPEED_CHANGE", 12_000_000),
        (SerialState(2, 3), "SERIAL_STATE", 3),
    ],
)
def test_notification_is_told(
    ring: Ring,
    source: UsbmonSource,
    notification: NetworkConnection | ConnectionSpeedChange | SerialState,
    name: str,
    value: int,
) -> None:
    """What comes on an interrupt endpoint is told by its CDC name."""
    ring.packets = [packet(COMPLETED, INTERRUPT, 0x81, payload=notification.pack())]
    (event,) = read(source)
    assert isinstance(event, UsbNotification)
    assert (event.name, event.value, event.interface) == (name, value, notification.interface)


@pytest.mark.parametrize("kind", [COMPLETED, FAILED])
def test_failed_transfer_is_told(ring: Ring, source: UsbmonSource, kind: str) -> None:
    """A transfer that broke, or that the controller refused, names its endpoint and errno."""
    ring.packets = [packet(kind, BULK, 0x82, status=-errno.EPROTO)]
    (event,) = read(source)
    assert isinstance(event, UsbTransferFailed)
    assert (event.endpoint, event.status) == (0x82, -errno.EPROTO)


@pytest.mark.parametrize("status", [-errno.ENOENT, -errno.ECONNRESET, -errno.ESHUTDOWN])
def test_transfer_that_the_host_took_back_has_not_failed(ring: Ring, source: UsbmonSource, status: int) -> None:
    """Unlinking is what a driver does when it stops listening."""
    ring.packets = [packet(COMPLETED, BULK, 0x82, status=status)]
    assert read(source) == []


def test_bulk_transfers_are_counted_a_second_at_a_time(ring: Ring, source: UsbmonSource) -> None:
    """Counts are told by a deadline, one event for each endpoint."""
    sizes = (512, 64)
    ring.packets = [packet(COMPLETED, BULK, 0x82, length=size) for size in sizes]
    ring.packets.append(packet(COMPLETED, BULK, 0x02, length=10))
    assert read(source) == []
    assert source.deadline_ns is not None
    counts = source.wake(Moment(source.deadline_ns, 0))
    told = [(e.endpoint, e.transfers, e.octets) for e in counts if isinstance(e, UsbBulkCount)]
    assert told == [(0x02, 1, 10), (0x82, 2, 576)]
    assert source.deadline_ns is None


def test_other_device_is_not_told(ring: Ring, source: UsbmonSource) -> None:
    """A neighbour on the bus leaves no event."""
    ring.packets = [*control(SET_CONFIGURATION, device=3), packet(COMPLETED, BULK, 0x81, device=3, length=9)]
    assert read(source) == []


def test_enumeration_is_told_once_the_address_is_known(ring: Ring, source: UsbmonSource, board: CapturedBoard) -> None:
    """Control transfers before the uevent are held, and told when the number turns out to be the board's."""
    board.address = None
    ring.packets = [*control(SET_CONFIGURATION, device=9), *control(SET_CONFIGURATION, device=3)]
    assert read(source) == []
    board.address = (1, 9)
    assert source.deadline_ns is not None
    (event,) = source.wake(Moment(now_ns(), 0))
    assert isinstance(event, UsbControl)
    assert event.request == "SET_CONFIGURATION"


def test_board_is_followed_to_its_new_address(ring: Ring, source: UsbmonSource, board: CapturedBoard) -> None:
    """After a new enumeration the old number is nobody's."""
    board.address = (1, 8)
    ring.packets = [*control(SET_CONFIGURATION, device=7), *control(SET_CONFIGURATION, device=8)]
    assert len(read(source)) == 1


def test_ring_that_overflowed_is_a_gap(ring: Ring, source: UsbmonSource) -> None:
    """Lost packets are told with the time since the last reading."""
    ring.lost = 12
    (gap,) = read(source)
    assert isinstance(gap, CaptureGap)
    assert "12 packets" in gap.reason
    assert gap.lasted_s >= 0


def test_bus_that_is_gone_ends_the_source(ring: Ring, source: UsbmonSource) -> None:
    """Without its bus the channel says so and ends."""
    ring.dead = True
    (gap,) = read(source)
    assert isinstance(gap, CaptureGap)
    assert source.ended


@given(
    st.lists(st.one_of(st.binary(max_size=90), st.builds(bytes.__add__, st.just(b"\0" * 8), st.binary(max_size=90))))
)
def test_any_packets_only_yield_events(packets: list[bytes]) -> None:
    """No packet raises."""
    ring = Ring()
    source = UsbmonSource(-1, CapturedBoard("b", {}, address=(0, 0)), 0, ring.fetch, ring.losses)
    ring.packets = list(packets)
    assert all(isinstance(e, Event) for e in read(source))


@given(at=st.integers(0, 63), value=st.integers(0, 255))
def test_any_damage_to_a_header_only_yields_events(at: int, value: int) -> None:
    """No change of one byte in a real packet raises."""
    ring = Ring()
    source = UsbmonSource(-1, CapturedBoard("b", {}, address=(1, 7)), 1, ring.fetch, ring.losses)
    damaged = [bytearray(p) for p in control(GET_DESCRIPTOR, data=bytes(18))]
    for each in damaged:
        each[at] = value
    ring.packets = [bytes(p) for p in damaged]
    assert all(isinstance(e, Event) for e in read(source))
