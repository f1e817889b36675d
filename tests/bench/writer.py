"""The board of a measurement: told by a byte on descriptor 0, it says so many lines and then the one that is awaited.

usage: writer.py LINES LAST PACE      writes to descriptor 1, PACE bytes a millisecond, or for 0 as fast as it is read
"""

import os
import sys
import time

PORTION_MS = 10


def main() -> None:
    """Once."""
    lines, last, pace = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    said = b"".join(b"I (%d) wifi: a line as long as most of them are, %d\r\n" % (at, at) for at in range(lines))
    data = memoryview(said + last.encode() + b"\r\n")
    os.read(0, 1)
    due_s = time.monotonic()
    while data:
        data = data[os.write(1, data[: pace * PORTION_MS or len(data)]) :]
        if pace:
            due_s += PORTION_MS / 1000
            time.sleep(max(0.0, due_s - time.monotonic()))


main()
