"""``python -m hil.agent``: the agent's process; see docs/architecture.md."""

import argparse
import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from hil.agent import allow
from hil.agent.server import undo
from hil.agent.server.connection import peer_of
from hil.agent.server.machine import Machine, Places
from hil.agent.server.serving import Server, require_seqpacket
from hil.errors import HilError, SetupError

_BACKLOG = 8
_log = logging.getLogger("hil.agent")


def arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m hil.agent", description="The one process of hil that needs root.")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--fd", type=int, help="serve the client on this inherited SOCK_SEQPACKET socket, then end")
    where.add_argument("--listen", type=Path, metavar="PATH", help="serve clients that connect to this socket")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--allow", type=Path, default=allow.DEFAULT, metavar="FILE", help="default: %(default)s")
    what.add_argument("--allow-virtual", action="store_true", help="no allow list: the virtual bench alone")
    parser.add_argument(
        "--virtual-ahead", action="store_true", help="start a virtual board before a client asks for it"
    )
    parser.add_argument("--uid", type=int, default=0, help="with --listen: the user who may connect, beside root")
    parser.add_argument("--allow-fault-files", action="store_true", help="any client's file of faults may run as root")
    parser.add_argument("--run-dir", type=Path, default=undo.RUN, help="locks and state; default: %(default)s")
    return parser.parse_args(argv)


def machine_of(options: argparse.Namespace) -> Machine:
    """The machine under the allow list that the options name.

    Raises:
        HilError: the allow list cannot be used.
        OSError: the run directory cannot be written.
    """
    allowed = allow.virtual_only() if options.allow_virtual else allow.load(options.allow)
    return Machine(allowed, Places(run=options.run_dir, virtual_ahead=options.virtual_ahead), options.allow_fault_files)


async def serve(machine: Machine, options: argparse.Namespace) -> None:
    """Serve until the one client has ended, or a signal comes; then everything is undone.

    Raises:
        HilError: the socket cannot be used.
        OSError: the kernel refused.
    """
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    server = Server(machine)
    try:
        server.recover()
        if options.listen is None:
            await _one_client(server, options.fd, stop)
        else:
            await _listen(server, options.listen, options.uid, stop)
    finally:
        await server.close()
        try:
            await machine.virtual_processes.close()
        finally:
            machine.close()


async def _one_client(server: Server, descriptor: int, stop: asyncio.Event) -> None:
    connection = socket.socket(fileno=os.dup(descriptor))
    try:
        require_seqpacket(connection)
    except HilError:
        connection.close()
        raise
    os.set_inheritable(connection.fileno(), False)
    _forget(descriptor)
    server.accept(connection)
    waits = [asyncio.ensure_future(server.until_idle()), asyncio.ensure_future(stop.wait())]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()


def _forget(descriptor: int) -> None:
    """Close the inherited descriptor; standard ones become /dev/null, so that nothing else takes their number."""
    null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    if descriptor <= sys.stderr.fileno():
        os.dup2(null, descriptor)
    else:
        os.close(descriptor)
    os.close(null)


async def _listen(server: Server, path: Path, uid: int, stop: asyncio.Event) -> None:
    """
    Raises:
        SetupError: no socket can be made there.
    """
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC) as listener:
        umask = os.umask(0o117)
        try:
            listener.bind(str(path))
        except OSError as error:
            raise SetupError(f"--listen {path}: {error.strerror or error}") from error
        finally:
            os.umask(umask)
        os.chown(path, uid, -1)
        listener.listen(_BACKLOG)
        listener.setblocking(False)
        loop = asyncio.get_running_loop()
        loop.add_reader(listener, lambda: _accept(server, listener, uid))
        _log.info("listening at %s for uid %d", path, uid)
        await stop.wait()
        loop.remove_reader(listener)
    path.unlink(missing_ok=True)


def _accept(server: Server, listener: socket.socket, uid: int) -> None:
    try:
        connection, _ = listener.accept()
    except OSError as error:
        _log.warning("a connection was lost before it was accepted: %s", error)
        return
    peer = peer_of(connection)
    if peer.uid in (0, uid):
        server.accept(connection)
    else:
        _log.warning("process %d of uid %d is not served; allowed: 0, %d", peer.pid, peer.uid, uid)
        connection.close()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the agent; the exit status is 0 after a clean end, 2 where it could not start."""
    options = arguments(argv)
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="hil-agent: %(message)s")
    try:
        if os.geteuid() != 0:
            raise SetupError(f"the agent needs root and runs as uid {os.geteuid()}; start it with sudo")
        asyncio.run(serve(machine_of(options), options))
    except (HilError, OSError) as error:
        _log.error("%s", error)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
