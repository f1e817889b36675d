"""What each request does: a table from request class to deed.

A deed takes the session, the connection that asked and the request, and returns the result with the descriptors that
go beside it. Deeds that must be undone push their undoing on the session's stack.
"""

import asyncio
import contextlib
import errno
import ipaddress
import os
import socket
from collections.abc import Awaitable, Callable
from typing import Any

from hil.agent import protocol
from hil.agent.replies import PortWatched
from hil.agent.server import interfaces, lending, modules, namespaces, rtnetlink, uevents, virtual
from hil.agent.server.connection import Connection
from hil.agent.server.interfaces import FollowedBoard
from hil.agent.server.lines import ModemLines, pulse_en
from hil.agent.server.machine import Machine
from hil.agent.server.namespaces import Namespace
from hil.agent.server.sessions import HeldBoard, Session
from hil.agent.server.tty import LineSettings, OpenPort, TtyWatch, loaders_but, open_node
from hil.agent.server.usbdevice import UsbDevice
from hil.bench import LAN
from hil.clock import now_ns
from hil.errors import AgentError, AgentRefused, HilError, VirtualBoardError

Answer = tuple[Any, list[int]]
_PACKET_BYTES = 1 << 23
_ROUTE_BYTES = 1 << 20
_ETH_P_ALL = 0x0003
_BOARD_NETWORKS = (ipaddress.IPv4Network("192.168.7.0/24"), ipaddress.IPv4Network("169.254.0.0/16"))
_CONNECT_KINDS = {
    errno.ECONNREFUSED: "refused",
    errno.ECONNRESET: "refused",
    errno.ETIMEDOUT: "timeout",
    errno.EHOSTUNREACH: "unreachable",
    errno.ENETUNREACH: "unreachable",
    errno.ENETDOWN: "unreachable",
    errno.EHOSTDOWN: "unreachable",
}


class ConnectFailed(AgentError):
    """A TCP connection did not come about; ``kind`` is the reply's."""

    def __init__(self, text: str, kind: str) -> None:
        super().__init__(text)
        self.kind = kind


class Operations:
    """The deeds, on one machine."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    async def carry_out(self, session: Session, connection: Connection, request: protocol.Request) -> Answer:
        """Do what is asked.

        Raises:
            HilError: it is not allowed, or failed.
            OSError: the kernel refused.
        """
        return await _TABLE[type(request)](self, session, connection, request)

    async def boards_known(self, session: Session, connection: Connection, request: protocol.BoardsKnown) -> Answer:
        return sorted({*self._machine.allow.boards, *session.boards}), []

    async def load_module(self, session: Session, connection: Connection, request: protocol.LoadModule) -> Answer:
        self._machine.allow.require_module(request.name)
        await modules.load(request.name, self._machine.sysfs)
        return None, []

    async def open_namespace(self, session: Session, connection: Connection, request: protocol.OpenNamespace) -> Answer:
        return self._namespace(session, self._machine.hold(session, request.board)).name, []

    def _namespace(self, session: Session, board: HeldBoard) -> Namespace:
        if board.namespace is None:
            board.namespace = namespace = self._machine.make_namespace(namespaces.PREFIX + board.name)

            async def undo() -> None:
                board.namespace = None
                await session.work(self._machine.end_namespace, namespace)

            session.undo.push(board.name, f"namespace {namespace.name}", undo)
        return board.namespace

    async def follow(self, session: Session, connection: Connection, request: protocol.Follow) -> Answer:
        board = self._machine.hold(session, request.board)
        topic = ("interface", board.name)
        session.subscribe(topic, connection)
        if board.followed is None:

            def adopted(name: str, index: int) -> None:
                words = {"notify": "interface_adopted", "board": board.name, "interface": name, "ifindex": index}
                session.notify(topic, words)

            self._start_following(session, board, FollowedBoard(board.usb, self._namespace(session, board), adopted))
        return None, []

    def _start_following(self, session: Session, board: HeldBoard, followed: FollowedBoard) -> None:
        self._machine.quiet.acquire()
        board.followed = followed

        async def undo() -> None:
            board.followed = None
            await self._machine.follower.settle(followed)
            self._machine.quiet.release()

        session.undo.push(board.name, f"IPv6 off for new interfaces, {board.name} followed", undo)
        self._machine.follower.look(followed)

    async def open_packet_socket(
        self, session: Session, connection: Connection, request: protocol.OpenPacketSocket
    ) -> Answer:
        """AF_PACKET, unbound: frames of every interface of the namespace, those that come later too (packet(7))."""
        namespace = self._namespace(session, self._machine.hold(session, request.board))

        def opened() -> socket.socket:
            kind = socket.SOCK_RAW | socket.SOCK_CLOEXEC
            return socket.socket(socket.AF_PACKET, kind, socket.htons(_ETH_P_ALL))

        packets = namespace.run(opened)
        uevents.deepen(packets, _PACKET_BYTES)
        return None, [packets.detach()]

    async def open_route_socket(
        self, session: Session, connection: Connection, request: protocol.OpenRouteSocket
    ) -> Answer:
        namespace = self._namespace(session, self._machine.hold(session, request.board))
        groups = rtnetlink.RTMGRP_LINK | rtnetlink.RTMGRP_IPV4_IFADDR
        route = namespace.run(lambda: namespaces.open_route(groups))
        uevents.deepen(route, _ROUTE_BYTES)
        return None, [route.detach()]

    async def open_uevent_socket(
        self, session: Session, connection: Connection, request: protocol.OpenUeventSocket
    ) -> Answer:
        place = self._machine.home
        if request.board is not None:
            place = self._namespace(session, self._machine.hold(session, request.board))
        return None, [place.run(lambda: uevents.open_socket(request.udev)).detach()]

    async def open_tcp_socket(
        self, session: Session, connection: Connection, request: protocol.OpenTcpSocket
    ) -> Answer:
        namespace = self._way_to(session, request.board, request.address)
        with contextlib.ExitStack() as failed:
            failed.callback(namespace.close)
            kind = socket.SOCK_STREAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
            peer = namespace.run(lambda: socket.socket(socket.AF_INET, kind))
            failed.callback(peer.close)
            await _connect(peer, request)
            peer.setblocking(True)
            return None, [os.dup(peer.fileno())]

    def _way_to(self, session: Session, name: str, address: str) -> Namespace:
        """An own descriptor of the namespace from which ``address`` may be reached.

        Raises:
            AgentRefused: it may not be.
        """
        if name == LAN:
            for board in session.boards.values():
                if board.lan is not None and board.fallback == address:
                    return board.lan.duplicate()
            known = ", ".join(board.fallback for board in session.boards.values() if board.fallback) or "none"
            raise AgentRefused(f"{address} is no fallback address of a virtual board of this client; known: {known}")
        board = self._machine.hold(session, name)
        if not any(ipaddress.IPv4Address(address) in network for network in _BOARD_NETWORKS):
            raise AgentRefused(f"{address} may not be reached; allowed: {', '.join(map(str, _BOARD_NETWORKS))}")
        return board.inside().duplicate()

    async def open_usbmon(self, session: Session, connection: Connection, request: protocol.OpenUsbmon) -> Answer:
        board = self._machine.hold(session, request.board)
        return None, [modules.open_usbmon(board.usb.bus, self._machine.dev)]

    async def open_kmsg(self, session: Session, connection: Connection, request: protocol.OpenKmsg) -> Answer:
        return None, [modules.open_kmsg(self._machine.dev)]

    async def watch_tty(self, session: Session, connection: Connection, request: protocol.WatchTty) -> Answer:
        board = self._machine.hold(session, request.board)
        device = board.port(request.port)
        topic = ("tty", board.name, request.port)
        if request.port in board.watches:
            raise AgentError(f"port {request.port} of {board.name} is watched already; unwatch_tty ends that")
        session.subscribe(topic, connection)
        words = {"board": board.name, "port": request.port}

        def opened(node: str, port: OpenPort) -> None:
            message = {"notify": "tty_opened", **words, "node": node, "t_ns": port.t_ns, "dtr": port.dtr}
            connection.send(message, [port.descriptor])

        def gone(node: str) -> None:
            session.notify(topic, {"notify": "tty_gone", **words, "node": node})

        avoided = loaders_but(request.serial_jtag) if request.port == "usb" else frozenset()
        settings = LineSettings(request.dtr, request.hangup, request.baud, avoided)
        board.watches[request.port] = watch = TtyWatch(device, settings, opened, gone, self._machine.dev)
        watch.look()
        return None, []

    async def unwatch_tty(self, session: Session, connection: Connection, request: protocol.UnwatchTty) -> Answer:
        board = self._machine.hold(session, request.board)
        session.drop_topic(("tty", board.name, request.port))
        watch = board.watches.pop(request.port, None)
        if watch is not None:
            watch.close()
            await watch.settle()
        return None, []

    async def find_tty(self, session: Session, connection: Connection, request: protocol.FindTty) -> Answer:
        device = self._machine.hold(session, request.board).port(request.port)
        return str(lending.find(device, self._machine.dev)), []

    async def open_tty(self, session: Session, connection: Connection, request: protocol.OpenTty) -> Answer:
        board = self._machine.hold(session, request.board)
        watch = board.watches.get(request.port)
        if watch is not None and not watch.leaves_alone():
            raise PortWatched(f"port {request.port} of {board.name} is being watched; unwatch_tty ends that")
        port, dev = board.port(request.port), self._machine.dev
        node, descriptor = await session.work(lending.lend, port, dev, request.alone)
        return str(node), [descriptor]

    async def set_address(self, session: Session, connection: Connection, request: protocol.SetAddress) -> Answer:
        namespace = self._machine.hold(session, request.board).inside()
        await session.work(interfaces.set_address, namespace, request.address, request.prefix, request.router)
        return None, []

    async def clear_address(self, session: Session, connection: Connection, request: protocol.ClearAddress) -> Answer:
        await session.work(interfaces.clear_address, self._machine.hold(session, request.board).inside())
        return None, []

    async def set_link(self, session: Session, connection: Connection, request: protocol.SetLink) -> Answer:
        await session.work(interfaces.set_link, self._machine.hold(session, request.board).inside(), request.up)
        return None, []

    async def write_attribute(
        self, session: Session, connection: Connection, request: protocol.WriteAttribute
    ) -> Answer:
        board = self._machine.hold(session, request.board)
        if (request.attribute, request.value) == ("port_disable", "1"):
            await session.work(self._machine.power.require_harmless, board.usb.path)
        if request.attribute not in board.former:
            await self._remember(session, board, request.attribute)
        await session.work(board.usb.write, request.attribute, request.value)
        return None, []

    async def _remember(self, session: Session, board: HeldBoard, attribute: str) -> None:
        """Have the value that is there now come back at the end, unless another request has done so meanwhile."""
        former = await session.work(board.usb.read, attribute)
        if attribute in board.former:
            return
        board.former[attribute] = former
        key = f"{board.usb.path} {attribute}"
        self._machine.state.note("attribute", key, former)

        async def undo() -> None:
            del board.former[attribute]
            try:
                await session.work(self._machine.restore_attribute, board.usb, attribute, former)
            finally:
                self._machine.state.forget("attribute", key)

        session.undo.push(board.name, f"{attribute} of {board.usb.path} to {former}", undo)

    async def read_attribute(self, session: Session, connection: Connection, request: protocol.ReadAttribute) -> Answer:
        board = self._machine.hold(session, request.board)
        return await session.work(board.usb.read, request.attribute), []

    async def reset_device(self, session: Session, connection: Connection, request: protocol.ResetDevice) -> Answer:
        await session.work(self._machine.hold(session, request.board).usb.reset)
        return None, []

    async def reset_by_lines(self, session: Session, connection: Connection, request: protocol.ResetByLines) -> Answer:
        console = self._machine.hold(session, request.board).port("console")
        return list(await session.work(self._pulse, console, request.download)), []

    def _pulse(self, console: UsbDevice, download: bool) -> tuple[int, int]:
        names = console.ttys()
        if not names:
            raise AgentError(f"no serial port at {console.path}; its bridge is gone or has no driver")
        descriptor = open_node(self._machine.dev / names[0], console.tty_number(names[0]))
        try:
            return pulse_en(ModemLines(descriptor), download=download)
        finally:
            os.close(descriptor)

    async def switch_power(self, session: Session, connection: Connection, request: protocol.SwitchPower) -> Answer:
        power = self._machine.allow.power_of(request.board, request.power)
        board = self._machine.hold(session, request.board)
        switch = await session.work(self._machine.power.find, board.name, power, request.on)
        for other in switch.boards:
            self._machine.hold(session, other)
        if not request.on and "power" not in board.promises:
            self._promise(session, board, "power", f"power of {board.name} on", lambda: switch.turn(True))
        began_ns = now_ns()
        try:
            await session.work(switch.turn, request.on)
        except HilError:
            if not request.on:  # a part of a gang may be off already
                with contextlib.suppress(HilError):
                    await session.work(switch.turn, True)
            raise
        ended_ns = now_ns()
        if request.on:
            self._keep(session, board, "power")
        return [began_ns, ended_ns], []

    async def hold_boot(self, session: Session, connection: Connection, request: protocol.HoldBoot) -> Answer:
        boot = self._machine.allow.boot_of(request.board, request.boot)
        board = self._machine.hold(session, request.board)
        hold = self._machine.power.hold_boot
        if request.on and "boot" not in board.promises:
            self._promise(session, board, "boot", f"BOOT of {board.name} let go", lambda: hold(boot, False))
        began_ns = now_ns()
        await session.work(hold, boot, request.on)
        ended_ns = now_ns()
        if not request.on:
            self._keep(session, board, "boot")
        return [began_ns, ended_ns], []

    def _promise(self, session: Session, board: HeldBoard, what: str, name: str, give_back: Callable[[], None]) -> None:
        """The board gets it back however the client ends."""
        self._machine.state.note(what, board.name)

        async def undo() -> None:
            try:
                await session.work(give_back)
            finally:
                self._keep(session, board, what)

        board.promises[what] = session.undo.push(board.name, name, undo)

    def _keep(self, session: Session, board: HeldBoard, what: str) -> None:
        """It has been given back."""
        deed = board.promises.pop(what, None)
        if deed is not None:
            session.undo.drop(deed)
            self._machine.state.forget(what, board.name)

    async def start_virtual(self, session: Session, connection: Connection, request: protocol.StartVirtual) -> Answer:
        self._machine.allow.require_virtual()
        files = self._machine.fault_files_allowed
        faults = virtual.permitted_faults(request.faults, session.peer.uid, files)
        self._machine.require_free(session, request.board)
        flash = virtual.flash_file(request.board, session.peer.uid, self._machine.flashes)
        process = self._machine.virtual_processes.start()

        async def undo() -> None:
            self._machine.release(session, request.board)
            process.control.close()
            await process.end()

        session.undo.push(request.board, f"virtual board {request.board}, process {process.pid}", undo)
        try:
            configured = await process.configure(request, faults, flash=str(flash))
            self._machine.hold_virtual(session, request.board, configured)
        except (AgentError, VirtualBoardError):
            await session.finish(session.undo.run(request.board))
            raise
        process.control.setblocking(True)
        result = {"usb": configured.usb, "console": configured.console, "lan": configured.lan}
        extra = {"address": configured.address, "pid": process.pid, "t_ns": configured.t_ns}
        return {**result, **extra}, [process.control.detach()]

    async def end_virtual(self, session: Session, connection: Connection, request: protocol.EndVirtual) -> Answer:
        board = session.boards.get(request.board)
        if board is None or not board.virtual:
            known = ", ".join(name for name, board in session.boards.items() if board.virtual) or "none"
            raise AgentRefused(f"{request.board!r} is no virtual board of this client; known: {known}")
        return await session.finish(session.undo.run(request.board)), []


async def _connect(peer: socket.socket, request: protocol.OpenTcpSocket) -> None:
    place = f"{request.address}:{request.port} from {request.board}"
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(request.timeout_s):
            await loop.sock_connect(peer, (request.address, request.port))
    except TimeoutError as error:
        raise ConnectFailed(f"no answer from {place} within {request.timeout_s} s", "timeout") from error
    except OSError as error:
        kind = _CONNECT_KINDS.get(error.errno or 0, "failed")
        raise ConnectFailed(f"{place}: {os.strerror(error.errno or 0)}", kind) from error


_TABLE: dict[type[protocol.Request], Callable[[Operations, Session, Connection, Any], Awaitable[Answer]]] = {
    kind: getattr(Operations, kind.op)
    for kind in protocol.OPS.values()
    if kind not in (protocol.Hello, protocol.SecondConnection)
}
"""Every request except the two that are about connections; those are ``serving``'s."""
