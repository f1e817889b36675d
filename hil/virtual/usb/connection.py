"""The cable between a virtual device and a USB/IP host: one stream socket."""

import asyncio
import errno
import fcntl
import socket
import struct
import termios

from hil.errors import VirtualBoardError, WireError
from hil.virtual.usb.device import UsbDevice
from hil.wire.usbip import HEADER_LENGTH, CmdSubmit, CmdUnlink, RetSubmit, RetUnlink, parse_command

NO_ANSWER = -errno.EPROTO
"""What the host sees of a device that does not answer (``Documentation/driver-api/usb/error-codes.rst``)."""
QUIET_S = 0.02
QUIET_WITHIN_S = 0.3
ANSWERED_WITHIN_S = 1.0
"""A host that has sent on without a pause for so long is left to its own limits."""


class Connection(asyncio.Protocol):
    """Serves ``device`` on a connected stream socket, which it owns from then on."""

    def __init__(self, device: UsbDevice, sock: socket.socket) -> None:
        self._device = device
        self._sock = sock
        self._transport: asyncio.WriteTransport | None = None
        self._ended: asyncio.Future[None] | None = None
        self._received = bytearray()
        self._pulled = False
        self._heard_at = 0.0

    async def serve(self) -> None:
        """Until the host or :meth:`close` ends it.

        Raises:
            VirtualBoardError: what the host sent is not USB/IP, or the device has another cable; the socket is closed
                all the same.
        """
        try:
            self._device.connect(lambda reply: self._write(reply.pack()))
        except VirtualBoardError:
            self._sock.close()
            raise
        loop = asyncio.get_running_loop()
        ended = self._ended = loop.create_future()
        self._transport, _ = await loop.create_connection(lambda: self, sock=self._sock)
        if self._pulled:
            self._transport.close()
        try:
            await asyncio.shield(ended)
        finally:
            self.close()

    async def pull(self) -> None:
        """Pull the cable: everything fails from now on, and the socket closes once the host has been quiet.

        A control request that is on its way when the socket closes is given back only when the driver's own limit
        of 5 s has passed, and holds up the disconnect for as long (``drivers/usb/usbip/vhci_hcd.c``); on a real port it
        fails at once. So nothing that the host has sent may be unanswered then.
        """
        self._part()
        loop = asyncio.get_running_loop()
        began = self._heard_at = loop.time()
        while not self._may_close(began) and loop.time() < began + ANSWERED_WITHIN_S:
            await asyncio.sleep(QUIET_S / 4)
        if not self._over:
            self._sock.shutdown(socket.SHUT_RDWR)  # the transport closes a round of the loop later
        self.close()

    def close(self) -> None:
        """End the connection at once, or never plug it in where :meth:`serve` has not begun."""
        self._part()
        if self._transport is not None:
            self._transport.close()

    @property
    def _over(self) -> bool:
        return self._transport is None or self._transport.is_closing()

    def _may_close(self, began: float) -> bool:
        """Whether the host is quiet, or goes on and on, and all that it has sent by now has its answer."""
        quiet = asyncio.get_running_loop().time() >= min(self._heard_at + QUIET_S, began + QUIET_WITHIN_S)
        return self._over or (quiet and not self._received and unread(self._sock) == 0)

    def _part(self) -> None:
        """The device sees its cable go, once."""
        if not self._pulled:
            self._pulled = True
            self._device.disconnect()

    # ---- asyncio.Protocol: an answer is written before anything else runs ---------------------------

    def data_received(self, data: bytes) -> None:
        self._heard_at = asyncio.get_running_loop().time()
        self._received += data
        try:
            self._take_commands()
        except WireError as error:
            self._end(VirtualBoardError(f"USB/IP from the host: {error}"))
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(None if isinstance(exc, ConnectionError) else exc)

    def _end(self, error: Exception | None) -> None:
        if self._ended is None or self._ended.done():
            return
        if error is None:
            self._ended.set_result(None)
        else:
            self._ended.set_exception(error)

    # ---- what the host sends ----------------------------------------------------------------------

    def _take_commands(self) -> None:
        while len(self._received) >= HEADER_LENGTH:
            command = parse_command(bytes(self._received[:HEADER_LENGTH]))
            end = HEADER_LENGTH + command.payload_length
            if len(self._received) < end:
                return
            data = bytes(self._received[HEADER_LENGTH:end])
            del self._received[:end]
            self._take(command, data)

    def _take(self, command: CmdSubmit | CmdUnlink, data: bytes) -> None:
        if self._pulled:
            self._refuse(command)
        elif not isinstance(command, CmdSubmit):
            self._device.unlink(command)
        elif command.number_of_packets > 0:
            found = f"{command.number_of_packets} isochronous packets for endpoint {command.endpoint}"
            raise WireError(f"USBIP_CMD_SUBMIT: {found}; no device here has isochronous endpoints")
        else:
            self._device.submit(command, data)

    def _refuse(self, command: CmdSubmit | CmdUnlink) -> None:
        """Answer for a device that has gone; what it still held is unlinked as if it had been there."""
        if isinstance(command, CmdSubmit):
            self._write(RetSubmit(command.seqnum, NO_ANSWER, 0).pack())
        else:
            self._write(RetUnlink(command.seqnum, -errno.ECONNRESET).pack())

    def _write(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)


def unread(sock: socket.socket) -> int:
    """Bytes that have arrived and wait to be read (unix(7), SIOCINQ)."""
    (count,) = struct.unpack("i", fcntl.ioctl(sock, termios.FIONREAD, struct.pack("i", 0)))
    return int(count)
