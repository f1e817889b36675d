"""The cable between a virtual device and a USB/IP host: one stream socket."""

import asyncio
import contextlib
import socket

from hil.errors import VirtualBoardError, WireError
from hil.virtual.usb.device import UsbDevice
from hil.wire.usbip import HEADER_LENGTH, CmdSubmit, parse_command


class Connection:
    """Serves ``device`` on a connected stream socket, which it owns from then on."""

    def __init__(self, device: UsbDevice, sock: socket.socket) -> None:
        self._device = device
        self._sock = sock
        self._writer: asyncio.StreamWriter | None = None
        self._pulled = False

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
            self._device.disconnect()
            self.close()
            with contextlib.suppress(ConnectionError):
                await self._writer.wait_closed()

    def close(self) -> None:
        """Pull the cable, or never plug it in where :meth:`serve` has not begun."""
        self._pulled = True
        if self._writer is not None:
            self._writer.close()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        while True:
            command = parse_command(await reader.readexactly(HEADER_LENGTH))
            data = await reader.readexactly(command.payload_length)
            if not isinstance(command, CmdSubmit):
                self._device.unlink(command)
            elif command.number_of_packets > 0:
                found = f"{command.number_of_packets} isochronous packets for endpoint {command.endpoint}"
                raise WireError(f"USBIP_CMD_SUBMIT: {found}; no device here has isochronous endpoints")
            else:
                self._device.submit(command, data)

    def _write(self, data: bytes) -> None:
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(data)
