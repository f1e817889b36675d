"""Sources are fed in process: socketpairs, pipes and ptys stand for kernel descriptors."""

import contextlib
import os
import socket
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hil.capture.client import Capture
from hil.capture.source import Moment
from hil.testing.terminal import Terminal

MARKERS = (
    "root: needs root and network namespaces",
    "slow: takes longer than 0.25 s",
)
NOW = Moment(5_000_000_000, 1_000)


class SlowToClose:
    """A TCP connection that lingers at its close for what nobody reads (socket(7), SO_LINGER)."""

    takes_s = 1

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            near = socket.create_connection(listener.getsockname())
            self._far, _ = listener.accept()
        near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, self.takes_s))
        near.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while near.send(bytes(1 << 16)):
                pass
        self.fd = near.detach()
        """Whoever closes it owns it."""

    def end(self) -> None:
        """Close the other end."""
        self._far.close()


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers that this room's tests carry."""
    for line in MARKERS:
        config.addinivalue_line("markers", line)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what needs root where the tests do not run as root."""
    if item.get_closest_marker("root") and os.geteuid() != 0:
        pytest.skip("needs root: it makes network namespaces")


@pytest.fixture
def now() -> Moment:
    """A reading five seconds after nothing, known to a microsecond."""
    return NOW


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """The test's end and the source's end of a SOCK_SEQPACKET pair."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        yield ours, theirs


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    """A serial port made of a pty."""
    with Terminal() as made:
        yield made


@pytest.fixture
def slow_to_close() -> Iterator[SlowToClose]:
    """A descriptor that takes its time to close."""
    made = SlowToClose()
    yield made
    made.end()


@pytest.fixture
def capture(tmp_path: Path) -> Iterator[Capture]:
    """A running capture process without an agent."""
    with Capture.start(tmp_path / "run") as running:
        yield running


@pytest.fixture
def sysfs(tmp_path: Path) -> Callable[[str, str], Path]:
    """Writes an attribute of a USB device into a made-up /sys and returns its root."""

    def write(attribute: str, value: str) -> Path:
        path = tmp_path / "sys/bus/usb/devices/1-1" / attribute
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{value}\n")
        return tmp_path / "sys"

    return write
