"""``python -m hil.capture DIR CONTROL_FD [EVENT_FD]``: started by :mod:`hil.capture.client`, never by hand.

DIR is where timeline.jsonl and the raw files grow, CONTROL_FD a connected SOCK_SEQPACKET socket, EVENT_FD an eventfd
that is raised after each batch. No argparse: every bench waits for this process to load.
"""

import gc
import signal
import socket
import sys
from pathlib import Path

from hil.capture.station import Station


def main(directory: str, control_fd: str, event_fd: str = "-1") -> None:
    """Capture until the control socket ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends pytest, which then ends this through the socket
    gc.freeze()
    Station(Path(directory), socket.socket(fileno=int(control_fd)), int(event_fd)).run()


main(*sys.argv[1:])
