"""``python -m hil.virtual --control-fd N``: one virtual board, commanded over a connected stream socket."""

import argparse
import asyncio
import signal
import socket
import sys

from hil.virtual.assembly import assemble
from hil.virtual.control import MAX_LINE, Control


async def serve(descriptor: int) -> int:
    """Exit status: 0 after a stop, 1 where the board died."""
    connection = socket.socket(fileno=descriptor)
    connection.setblocking(False)
    reader, writer = await asyncio.open_unix_connection(sock=connection, limit=MAX_LINE)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, reader.feed_eof)
    try:
        return 0 if await Control(reader, writer, assemble).serve() else 1
    finally:
        writer.close()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m hil.virtual", description=__doc__)
    parser.add_argument("--control-fd", type=int, required=True, help="a connected AF_UNIX stream socket")
    return asyncio.run(serve(parser.parse_args().control_fd))


if __name__ == "__main__":
    sys.exit(main())
