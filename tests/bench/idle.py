"""What the capture process and a waiting test take of a processor while nothing happens, all channels open.

Usbmon is among them where a bus has one: ``python -m hil.launcher -- python tests/bench/idle.py`` runs this in the
virtual machine, which has. An emulated processor says nothing in percent; there the ratio to the bare way counts.
"""

import functools
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from measure import Row

from hil.bench import Board
from hil.capture.client import Capture, board_message
from hil.clock import now_ns, to_s
from hil.device.witness import Witness
from hil.expect import Expectation
from hil.profiles import load
from hil.testing.netns import Namespace
from hil.testing.terminal import Terminal
from hil.timeline.events import Carrier
from hil.whereabouts import emulated

HERE = Path(__file__).parent
IDLE_S = 10.0
NETLINK_KOBJECT_UEVENT = 15
ETH_P_ALL = 3
BOARD = Board("s3", "1-1", console="1-2")
STATUS = "/sys/bus/usb/devices/1-1/power/control"


def descriptors(namespace: Namespace, usb: Terminal, console: Terminal) -> Iterator[tuple[dict[str, object], int]]:
    """Every channel of one board and of the machine: the message that adds it, and a descriptor of our own."""
    for port, terminal in (("usb", usb), ("console", console)):
        yield {"add": "tty", "port": port, "node": "/dev/ttyACM0", "t_ns": now_ns()}, terminal.duplicate()
    sockets = {
        "packet": (socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL)),
        "route": (socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE),
        "uevent": (socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_KOBJECT_UEVENT),
    }
    for kind, of in sockets.items():
        yield {"add": kind}, namespace.run(functools.partial(socket.socket, *of)).detach()
    machine = socket.socket(*sockets["uevent"])
    machine.bind((0, 1))
    yield {"add": "uevent", "board": ""}, machine.detach()
    kmsg = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
    os.lseek(kmsg, 0, os.SEEK_END)
    yield {"add": "kmsg"}, kmsg
    for node in usbmon_nodes():
        bus = int(node.name.removeprefix("usbmon"))
        yield {"add": "usbmon", "bus": bus}, os.open(node, os.O_RDONLY | os.O_NONBLOCK)


def usbmon_nodes() -> list[Path]:
    """The first bus that has one, 0 being all buses at once."""
    return sorted(node for node in Path("/dev").glob("usbmon*") if node.name != "usbmon0")[:1]


def open_channels(capture: Capture, found: Iterator[tuple[dict[str, object], int]], stack: ExitStack) -> list[int]:
    """Have capture read them all; returns the descriptors."""
    capture.add(board_message(BOARD, load("reference")))
    fds = []
    for message, fd in found:
        stack.callback(os.close, fd)
        capture.add({"board": BOARD.name, **message}, fd)
        fds.append(fd)
    capture.add({"add": "uevent", "udev": True})
    capture.add({"add": "power", "board": BOARD.name})
    return fds


@contextmanager
def bare(path: str, fds: list[int]) -> Iterator[int]:
    """The bare way, which is waiting when this yields its process id."""
    command = (sys.executable, str(HERE / "bare_idle.py"), path, *map(str, fds))
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=fds) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.read(1), "the bare way has ended"
        yield process.pid
        process.stdin.close()


def busy_s(pid: int) -> float:
    """Processor time of a process of one thread so far (Documentation/scheduler/sched-stats.rst)."""
    return to_s(int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]))


def wait_idly(capture: Capture, fds: list[int]) -> tuple[float, float, float, list[str]]:
    """Seconds of processor time that capture, a waiting test and the bare way took, and what was not captured."""
    witness = Witness(capture)
    with bare(STATUS, fds) as looking, bare(str(capture.path), []) as reading:
        expectation = Expectation((Carrier(up=True),), now_ns(), IDLE_S)
        witness.watch(expectation)
        before_s, began_s = busy_s(capture.pid), time.process_time()
        bare_before_s = busy_s(looking) + busy_s(reading)
        witness.settle(expectation)
        ours_s, capture_s = time.process_time() - began_s, busy_s(capture.pid) - before_s
        bare_s = busy_s(looking) + busy_s(reading) - bare_before_s
    gaps = [repr(event) for event in witness.timeline if type(event).__name__ == "CaptureGap"]
    witness.close()
    return capture_s, ours_s, bare_s, gaps


def rows() -> list[Row]:
    """Both together, in percent of one processor."""
    if os.geteuid() != 0:
        return [Row("idle processor time, all channels open: needs root", 0.0, "%", None)]
    with (
        tempfile.TemporaryDirectory(prefix="hil-bench-") as directory,
        Namespace() as namespace,
        Terminal() as usb,
        Terminal() as console,
        Capture.start(Path(directory)) as capture,
        ExitStack() as stack,
    ):
        fds = open_channels(capture, descriptors(namespace, usb, console), stack)
        capture.sync()
        capture_s, ours_s, bare_s, gaps = wait_idly(capture, fds)
    usbmon = f"with {usbmon_nodes()[0]}" if usbmon_nodes() else "without usbmon, which has no bus here"
    note = "; ".join([usbmon, f"capture {capture_s / IDLE_S:.2%}, waiting test {ours_s / IDLE_S:.2%}", *gaps])
    ours, least = (100 * each_s / IDLE_S for each_s in (ours_s + capture_s, bare_s))
    return [
        Row("idle processor time, all channels open", ours, "%", None if emulated() else 0.3, note=note),
        Row("… against a bare wait for the same", ours, "%", None, least),
    ]


if __name__ == "__main__":
    for row in rows():
        print(row.text)
