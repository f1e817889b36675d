"""The least that waits as long as the other: one epoll set over the same descriptors, one look at a file every 0.25 s.

usage: bare_idle.py FILE DESCRIPTOR …      writes a byte once it waits; until descriptor 0 ends
"""

import os
import select
import sys

LOOK_S = 0.25
"""As often as capture looks at runtime_status, and a waiting test at the journal."""


def main() -> None:
    """Until the input ends."""
    epoll = select.epoll()
    for fd in map(int, sys.argv[2:]):
        epoll.register(fd, select.EPOLLIN | select.EPOLLET)  # capture reads them
    epoll.register(0, select.EPOLLIN)
    os.write(1, b".")
    while 0 not in [fd for fd, _ in epoll.poll(LOOK_S)]:
        look(sys.argv[1])


def look(path: str) -> None:
    """Read a file that may not be there."""
    try:
        fd = os.open(path, os.O_RDONLY)
    except OSError:
        return
    os.read(fd, 4096)
    os.close(fd)


main()
