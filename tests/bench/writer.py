"""The board of a measurement: at the first byte from descriptor 0 it says so many lines and then the one that is awaited.

usage: writer.py LINES LAST      writes to descriptor 1 as fast as it is read
"""

import os
import sys


def main() -> None:
    """Once."""
    lines = b"".join(b"I (%d) wifi: a line as long as most of them are, %d\r\n" % (at, at) for at in range(int(sys.argv[1])))
    data = memoryview(lines + sys.argv[2].encode() + b"\r\n")
    os.read(0, 1)
    while data:
        data = data[os.write(1, data) :]


main()
