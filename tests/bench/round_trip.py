"""From the application into the chip's loader and back, on the kernel's USB: by hil, and by the lines alone.

Bare is the board's own time: the same pulses at the same bridge, then nothing but waiting for the kernel to tell of the
loader's serial port, and of the application's device. Ours in addition has the loader answer SYNC, looks what came, and
writes all of that down.
"""

import os
import socket
import time

from hil.agent.server import uevents
from hil.agent.server.lines import ModemLines, pulse_en
from hil.bench import Board
from hil.device.usb_board import UsbBoard
from hil.wire.uevent import KernelUevent

LOADER, APPLICATION = "303a/1001/", "303a/4001/"
COMES_S = 30.0


def measured(board: UsbBoard, runs: int) -> tuple[list[float], list[float]]:
    """Seconds of each run, ours and bare."""
    board.make_ready()
    ours(board)  # what only the first one does
    pairs = [(ours(board), bare(board)) for _ in range(runs)]
    return [our for our, _ in pairs], [their for _, their in pairs]


def ours(board: UsbBoard) -> float:
    board.make_ready()
    began = time.monotonic()
    board.enter_bootloader("dtr_rts")
    board.leave_bootloader()
    return time.monotonic() - began


def bare(board: UsbBoard) -> float:
    board.make_ready()
    node = board.chip.modes.tty("console")
    descriptor = os.open(node, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    began = time.monotonic()
    for product in (LOADER, APPLICATION):
        pulse(descriptor, board.spec, product)
    took_s = time.monotonic() - began
    os.close(descriptor)
    return took_s


def pulse(descriptor: int, spec: Board, product: str) -> None:
    """Pull EN, and wait for the device of that vendor and product; of a loader also for its port."""
    with uevents.open_socket() as told:
        told.settimeout(COMES_S)
        pulse_en(ModemLines(descriptor), download=product == LOADER)
        while not came(heard(told), spec.usb, product):
            pass
        while product == LOADER and not port_came(heard(told), spec.usb):
            pass


def heard(told: socket.socket) -> KernelUevent:
    return KernelUevent.parse(told.recv(1 << 16))


def came(event: KernelUevent, path: str, product: str) -> bool:
    at_path = event.action == "add" and event.devpath.endswith(f"/{path}")
    return at_path and event.properties.get("PRODUCT", "").startswith(product)


def port_came(event: KernelUevent, path: str) -> bool:
    return event.action == "add" and event.subsystem == "tty" and f"/{path}/" in event.devpath
