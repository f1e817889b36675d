"""The agent's part of a port's return: told of each uevent, it opens the port and hands the descriptor to capture.

usage: returning.py SYSFS DEV SOCKET      reads node names from descriptor 0, one a line; SOCKET is capture's connection
"""

import asyncio
import json
import os
import socket
import sys
from pathlib import Path

from hil.agent.server.tty import LineSettings, TtyWatch
from hil.agent.server.usbdevice import UsbDevice
from hil.clock import now_ns
from hil.wire.uevent import KernelUevent

PORT = "1-1"


async def main() -> None:
    """Until descriptor 0 ends."""
    sysfs, dev, connection = Path(sys.argv[1]), Path(sys.argv[2]), socket.socket(fileno=int(sys.argv[3]))

    def opened(node: str, descriptor: int) -> None:
        message = {"notify": "tty_opened", "board": "s3", "port": "usb", "node": node, "t_ns": now_ns()}
        socket.send_fds(connection, [json.dumps(message).encode()], [descriptor])
        os.close(descriptor)

    def gone(node: str) -> None:
        connection.send(json.dumps({"notify": "tty_gone", "board": "s3", "port": "usb", "node": node}).encode())

    watch = TtyWatch(UsbDevice(PORT, sysfs, dev), LineSettings(), opened, gone, dev)
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    async for line in lines:
        action, name = line.decode().split()
        devpath = f"/devices/platform/vhci_hcd.0/usb1/{PORT}/{PORT}:1.2/tty/{name}"
        watch.take(KernelUevent(action, devpath, {"SUBSYSTEM": "tty"}))


asyncio.run(main())
