"""A USB host in process: speaks USB/IP over a socket as vhci_hcd does, and does what Linux drivers do, step by step."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from dataclasses import dataclass, replace

from hil.wire.usb import SetupPacket
from hil.wire.usbip import HEADER_LENGTH, IN, OUT, CmdSubmit, CmdUnlink, RetSubmit, RetUnlink

CODE_RET_SUBMIT = 3
TO_HOST = 0x80
REPLY_WITHIN_S = 5.0


@dataclass(frozen=True, slots=True)
class Urb:
    """A URB on its way."""

    seqnum: int
    reply: asyncio.Future[RetSubmit | RetUnlink]

    async def done(self) -> RetSubmit:
        """What came back, within 5 s."""
        reply = await asyncio.wait_for(asyncio.shield(self.reply), REPLY_WITHIN_S)
        assert isinstance(reply, RetSubmit)
        return reply

    @property
    def waits(self) -> bool:
        """It has not come back."""
        return not self.reply.done()


def socket_pair() -> tuple[socket.socket, socket.socket]:
    """Two connected stream sockets for an event loop: the device's end, the host's end."""
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    near.setblocking(False)
    far.setblocking(False)
    return near, far


class UsbipHost:
    """The host's end of one cable; made by :meth:`on`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._seqnum = 0
        self._urbs: dict[int, tuple[asyncio.Future[RetSubmit | RetUnlink], int]] = {}
        self._receiver = asyncio.create_task(self._receive())

    @classmethod
    async def on(cls, sock: socket.socket) -> "UsbipHost":
        """Begin on a connected socket, which the host owns from then on."""
        return cls(*await asyncio.open_connection(sock=sock))

    async def close(self) -> None:
        """Pull the cable at this end."""
        self._writer.close()
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()
        await self._receiver

    @property
    def ended(self) -> bool:
        """The device's end was closed."""
        return self._receiver.done()

    async def wait_ended(self) -> None:
        """Until the device's end is closed, within 5 s."""
        await asyncio.wait_for(asyncio.shield(self._receiver), REPLY_WITHIN_S)

    def send_raw(self, data: bytes) -> None:
        """Bytes that need not be USB/IP."""
        self._writer.write(data)

    async def control(
        self, request_type: int, request: int, value: int, index: int, data: bytes | int = b""
    ) -> tuple[int, bytes]:
        """A control transfer; ``data`` is what goes out, or how much may come in. Status and what came in."""
        length = data if isinstance(data, int) else len(data)
        payload = b"" if isinstance(data, int) else data
        setup = SetupPacket(request_type, request, value, index, length)
        direction = IN if request_type & TO_HOST else OUT
        done = await self._submit(direction, 0, length, payload, setup=setup.pack()).done()
        return done.status, done.data

    def submit_in(self, endpoint: int, length: int, interval: int = 0) -> Urb:
        """A URB for up to ``length`` bytes from an endpoint, its number without direction bit."""
        return self._submit(IN, endpoint, length, b"", interval=interval)

    def submit_out(self, endpoint: int, data: bytes, flags: int = 0) -> Urb:
        """A URB that carries ``data``."""
        return self._submit(OUT, endpoint, len(data), data, flags=flags)

    async def unlink(self, urb: Urb) -> int:
        """Take a URB back: the status of the reply."""
        seqnum, reply = self._register(0)
        self._writer.write(CmdUnlink(seqnum, urb.seqnum).pack())
        done = await asyncio.wait_for(reply, REPLY_WITHIN_S)
        return done.status

    def _submit(
        self,
        direction: int,
        endpoint: int,
        length: int,
        payload: bytes,
        *,
        flags: int = 0,
        interval: int = 0,
        setup: bytes = bytes(8),
    ) -> Urb:
        seqnum, reply = self._register(direction)
        command = CmdSubmit(seqnum, 0x10002, direction, endpoint, flags, length, interval=interval, setup=setup)
        self._writer.write(command.pack() + payload)
        return Urb(seqnum, reply)

    def _register(self, direction: int) -> tuple[int, "asyncio.Future[RetSubmit | RetUnlink]"]:
        self._seqnum += 1
        reply: asyncio.Future[RetSubmit | RetUnlink] = asyncio.get_running_loop().create_future()
        self._urbs[self._seqnum] = (reply, direction)
        return self._seqnum, reply

    async def _receive(self) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                header = await self._reader.readexactly(HEADER_LENGTH)
                if int.from_bytes(header[:4], "big") != CODE_RET_SUBMIT:
                    unlinked = RetUnlink.parse(header)
                    self._urbs.pop(unlinked.seqnum)[0].set_result(unlinked)
                    continue
                done = RetSubmit.parse(header)
                reply, direction = self._urbs.pop(done.seqnum)
                data = await self._reader.readexactly(done.actual_length) if direction == IN else b""
                reply.set_result(replace(done, data=data))


def setup_of_linux_enumeration(address: int = 1) -> Iterator[tuple[int, int, int, int, int]]:
    """What hub_port_init and usb_get_configuration ask of a device, SET_ADDRESS included.

    Five numbers each: bmRequestType, bRequest, wValue, wIndex, wLength.
    """
    yield 0x80, 6, 0x0100, 0, 64
    yield 0x00, 5, address, 0, 0
    yield 0x80, 6, 0x0100, 0, 18
    yield 0x80, 6, 0x0600, 0, 10
    yield 0x80, 6, 0x0200, 0, 9
    yield 0x80, 6, 0x0200, 0, 160
    yield 0x80, 6, 0x0300, 0, 255
    yield 0x80, 6, 0x0302, 0x0409, 255
    yield 0x80, 6, 0x0301, 0x0409, 255
    yield 0x80, 6, 0x0303, 0x0409, 255
    yield 0x00, 9, 1, 0, 0
