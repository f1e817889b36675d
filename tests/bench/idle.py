"""What the capture process and a waiting test take of a processor while nothing happens, all channels open."""

import functools
import os
import socket
import tempfile
import time
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

IDLE_S = 10.0
NETLINK_KOBJECT_UEVENT = 15
ETH_P_ALL = 3


def open_channels(capture: Capture, namespace: Namespace, usb: Terminal, console: Terminal) -> None:
    """Every channel of one board and of the machine, save usbmon, which has no bus here."""
    capture.add(board_message(Board("s3", "1-1", console="1-2"), load("reference")))
    for port, terminal in (("usb", usb), ("console", console)):
        tty = {"add": "tty", "board": "s3", "port": port, "node": "/dev/ttyACM0", "t_ns": now_ns()}
        capture.add(tty, terminal.host)
    sockets = {
        "packet": (socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL)),
        "route": (socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE),
        "uevent": (socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_KOBJECT_UEVENT),
    }
    for kind, of in sockets.items():
        with namespace.run(functools.partial(socket.socket, *of)) as made:
            capture.add({"add": kind, "board": "s3"}, made.fileno())
    with socket.socket(*sockets["uevent"]) as made:
        made.bind((0, 1))
        capture.add({"add": "uevent"}, made.fileno())
    capture.add({"add": "uevent", "udev": True})
    capture.add({"add": "power", "board": "s3"})
    kmsg = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
    os.lseek(kmsg, 0, os.SEEK_END)
    capture.add({"add": "kmsg"}, kmsg)
    os.close(kmsg)


def busy_s(pid: int) -> float:
    """Processor time of a process of one thread so far (Documentation/scheduler/sched-stats.rst)."""
    return to_s(int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]))


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
    ):
        open_channels(capture, namespace, usb, console)
        capture.sync()
        witness = Witness(capture)
        expectation = Expectation((Carrier(up=True),), now_ns(), IDLE_S)
        witness.watch(expectation)
        before_s, began_s = busy_s(capture.pid), time.process_time()
        witness.settle(expectation)
        ours_s, capture_s = time.process_time() - began_s, busy_s(capture.pid) - before_s
        gaps = [event for event in witness.timeline if type(event).__name__ == "CaptureGap"]
        witness.close()
    note = f"capture {capture_s / IDLE_S:.2%}, waiting test {ours_s / IDLE_S:.2%}"
    note += "".join(f"; {gap!r}" for gap in gaps)
    return [Row("idle processor time, all channels open", 100 * (ours_s + capture_s) / IDLE_S, "%", 0.3, note=note)]


if __name__ == "__main__":
    for row in rows():
        print(row.text)
