"""``python -m hil.capture --directory DIR --control-fd N [--event-fd M]``."""

import argparse
import gc
import signal
import socket
from pathlib import Path

from hil.capture.station import Station


def main() -> None:
    """Capture until the control socket ends."""
    parser = argparse.ArgumentParser(prog="python -m hil.capture")
    parser.add_argument("--directory", type=Path, required=True, help="where timeline.jsonl and the raw files grow")
    parser.add_argument("--control-fd", type=int, required=True, help="a connected SOCK_SEQPACKET socket")
    parser.add_argument("--event-fd", type=int, default=-1, help="an eventfd that is raised after each batch")
    options = parser.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends pytest, which then ends this through the socket
    gc.freeze()
    Station(options.directory, socket.socket(fileno=options.control_fd), options.event_fd).run()


main()
