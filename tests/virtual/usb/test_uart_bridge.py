"""The console's bridge, over the cable."""

import asyncio

from hil.testing.plugged_device import RecordingApplication, plugged
from hil.virtual.usb.uart_bridge import UartBridge
from hil.wire.usb import DeviceDescriptor


def test_the_bridge_shows_itself_as_usb_single_serial() -> None:
    """1a86:55d4 with its own serial number and no manufacturer string."""

    async def scenario() -> None:
        async with plugged(UartBridge("5435021234", RecordingApplication())) as host:
            identity = DeviceDescriptor.parse((await host.control(0x80, 6, 0x0100, 0, 18))[1])
            assert (identity.vendor, identity.product, identity.manufacturer_string) == (0x1A86, 0x55D4, 0)
            for index, text in ((2, "USB Single Serial"), (3, "5435021234")):
                _, data = await host.control(0x80, 6, 0x0300 | index, 0x0409, 255)
                assert data[2:].decode("utf-16-le") == text

    asyncio.run(scenario())


def test_an_open_console_loses_nothing_even_without_dtr() -> None:
    """Who asks for bytes gets all of them; DTR and RTS are for the board's reset circuit."""

    async def scenario() -> None:
        application = RecordingApplication()
        bridge = UartBridge("1", application)
        async with plugged(bridge) as host:
            await host.control(0x21, 0x22, 2, 0)
            urb = host.submit_in(2, 64)
            await host.control(0x80, 8, 0, 0, 1)
            log = bytes(range(256)) * 8
            assert bridge.serial.write(log) == len(log)
            got = (await urb.done()).data
            while len(got) < len(log):
                got += (await host.submit_in(2, 64).done()).data
            assert got == log
            await host.submit_out(2, b"help\r").done()
        assert application.serial == b"help\r"
        assert application.happened == ["dtr=False rts=True"]

    asyncio.run(scenario())


def test_a_closed_console_keeps_the_newest_512_bytes() -> None:
    """What the UART said long ago is gone when the port is opened, but for what the bridge buffers."""

    async def scenario() -> None:
        bridge = UartBridge("1", RecordingApplication())
        async with plugged(bridge):
            bridge.serial.write(b"a" * 64)
            bridge.serial.write(b"b" * 5000 + b"c" * 10)
            assert bridge.serial.queued == 512

    asyncio.run(scenario())
