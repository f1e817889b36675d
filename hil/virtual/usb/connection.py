"""The cable between a virtual device and a USB/IP host: one stream socket."""

import asyncio
import contextlib
import errno
import socket

from hil.errors import VirtualBoardError, WireError
from hil.virtual.usb.device import UsbDevice
from hil.wire.usbip import HEADER_LENGTH, CmdSubmit, CmdUnlink, RetSubmit, RetUnlink, parse_command

NO_ANSWER = -errno.EPROTO
"""What the host sees of a device that does not answer (``Documentation/driver-api/usb/error-codes.rst``)."""
QUIET_S = 0.02
QUIET_WITHIN_S = 0.3


class Connection:
    """Serves ``device`` on a connected stream socket, which it owns from then on."""

    def __init__(self, device: UsbDevice, sock: socket.socket) -> None:
        self._device = device
        self._sock = sock
        self._writer: asyncio.StreamWriter | None = None
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
        reader, self._writer = await asyncio.open_connection(sock=self._sock)
        try:
            if not self._pulled:
                await self._read(reader)
        except WireError as error:
            raise VirtualBoardError(f"USB/IP from the host: {error}") from error
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            self._part()
            self.close()
            with contextlib.suppress(ConnectionError):
                await self._writer.wait_closed()

    async def pull(self) -> None:
        """Pull the cable: everything fails from now on, and the socket closes once the host has been quiet.

        A control request that is on its way when the socket closes is given back only when the driver's own limit
        of 5 s has passed, and holds up the disconnect for as long (``drivers/usb/usbip/vhci_hcd.c``); on a real port it
        fails at once.
        """
        self._part()
        loop = asyncio.get_running_loop()
        self._heard_at, until = loop.time(), loop.time() + QUIET_WITHIN_S
        while loop.time() < min(self._heard_at + QUIET_S, until):
            await asyncio.sleep(QUIET_S / 4)
        self.close()

    def _part(self) -> None:
        """The device sees its cable go, once."""
        if not self._pulled:
            self._pulled = True
            self._device.disconnect()

    def close(self) -> None:
        """End the connection at once, or never plug it in where :meth:`serve` has not begun."""
        self._part()
        if self._writer is not None:
            self._writer.close()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        while True:
            command = parse_command(await reader.readexactly(HEADER_LENGTH))
            data = await reader.readexactly(command.payload_length)
            self._heard_at = asyncio.get_running_loop().time()
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
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(data)
