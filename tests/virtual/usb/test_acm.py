"""The serial port of a device, over the cable."""

import asyncio

from hil.testing.plugged_device import RecordingApplication, plugged
from hil.virtual.usb.descriptors import FirmwareUsb
from hil.virtual.usb.firmware_device import FirmwareDevice
from hil.wire.cdc import DCD, DSR, LineCoding, SerialState

BUILD = FirmwareUsb.for_chip("7c:df:a1:00:00:01")


def test_line_requests_are_kept_and_told() -> None:
    """Line coding is given back as set and survives a bus reset; DTR and RTS are told; a break is noted."""

    async def scenario() -> None:
        device = FirmwareDevice(BUILD, application := RecordingApplication())
        async with plugged(device) as host:
            assert (await host.control(0xA1, 0x21, 0, 0, 7))[1] == LineCoding(115200).pack()
            wanted = LineCoding(1200, 2, 1, 7)
            await host.control(0x21, 0x20, 0, 0, wanted.pack())
            assert (await host.control(0xA1, 0x21, 0, 0, 7))[1] == wanted.pack()
            await host.control(0x21, 0x22, 1, 0)
            await host.control(0x21, 0x22, 2, 0)
            await host.control(0x21, 0x23, 250, 0)
            assert (device.serial.dtr, device.serial.rts) == (False, True)
            assert device.serial.breaks_ms == [250]
            await host.control(0x80, 6, 0x0100, 0, 64)
            assert (device.serial.dtr, device.serial.rts) == (False, False)
            assert device.serial.line_coding == wanted
        assert application.happened[2:4] == ["dtr=True rts=False", "dtr=False rts=True"]

    asyncio.run(scenario())


def test_what_does_not_fit_the_fifo_is_lost() -> None:
    """With DTR and nobody reading, 64 bytes wait at the endpoint and 512 in the FIFO; more is not taken."""

    async def scenario() -> None:
        device = FirmwareDevice(BUILD, RecordingApplication())
        async with plugged(device) as host:
            await host.control(0x21, 0x22, 1, 0)
            written = bytes(range(256)) * 4
            assert device.serial.write(written[:64]) == 64
            assert device.serial.write(written[64:]) == 512
            assert device.serial.write(b"lost") == 0
            got = b""
            while len(got) < 576:
                got += (await host.submit_in(2, 64).done()).data
            assert got == written[:576]
            assert device.serial.write(b"again") == 5

    asyncio.run(scenario())


def test_without_dtr_the_fifo_keeps_the_newest_bytes() -> None:
    """TinyUSB overwrites while nobody seems to listen: the host gets the first packet, then the last 512 bytes."""

    async def scenario() -> None:
        device = FirmwareDevice(BUILD, RecordingApplication())
        async with plugged(device) as host:
            assert device.serial.write(b"0" * 64) == 64
            assert device.serial.write(b"1" * 600) == 600
            assert device.serial.write(b"2" * 100) == 100
            got = b""
            while len(got) < 576:
                got += (await host.submit_in(2, 64).done()).data
            assert got == b"0" * 64 + b"1" * 412 + b"2" * 100

    asyncio.run(scenario())


def test_a_long_write_of_the_host_arrives_whole_and_in_order() -> None:
    """cdc_acm's largest URB is many packets; the endpoint takes them one by one."""

    async def scenario() -> None:
        device = FirmwareDevice(BUILD, application := RecordingApplication())
        async with plugged(device) as host:
            data = bytes(range(250)) * 5
            done = await host.submit_out(2, data).done()
            assert (done.status, done.actual_length) == (0, 1250)
            await host.submit_out(2, b"").done()
            await host.submit_out(2, b"end").done()
        assert application.serial == data + b"end"

    asyncio.run(scenario())


def test_the_host_waits_while_the_receive_fifo_is_full() -> None:
    """A firmware that does not read takes 512 bytes and then answers NAK until it reads again."""

    async def scenario() -> None:
        device = FirmwareDevice(BUILD, application := RecordingApplication())
        async with plugged(device) as host:
            device.serial.hold_receive(True)
            await host.submit_out(2, b"a" * 512).done()
            waiting = host.submit_out(2, b"b" * 10)
            await host.control(0x80, 8, 0, 0, 1)
            assert waiting.waits
            assert not application.serial
            device.serial.hold_receive(False)
            await waiting.done()
        assert application.serial == b"a" * 512 + b"b" * 10

    asyncio.run(scenario())


def test_serial_state_takes_two_packets_of_eight_bytes() -> None:
    """The notification is 10 bytes and the endpoint's packets 8: a URB of 16 gets it whole, in order."""

    async def scenario() -> None:
        device = FirmwareDevice(BUILD, RecordingApplication())
        async with plugged(device) as host:
            urb, following = host.submit_in(1, 16, interval=1), host.submit_in(1, 16, interval=1)
            device.serial.notify_serial_state(DCD | DSR)
            device.serial.notify_serial_state(0)
            assert SerialState.parse((await urb.done()).data) == SerialState(0, DCD | DSR)
            assert SerialState.parse((await following.done()).data) == SerialState(0, 0)

    asyncio.run(scenario())


def test_nothing_is_flushed_while_suspended() -> None:
    """tud_cdc_write_flush needs tud_ready: bytes written in suspend stay in the FIFO."""

    async def scenario() -> None:
        device = FirmwareDevice(BUILD, RecordingApplication())
        async with plugged(device):
            device.suspend()
            device.serial.write(b"later")
            assert device.serial.queued == 5
            device.resume()
            device.serial.flush()
            assert device.serial.queued == 0

    asyncio.run(scenario())


def test_room_and_its_return_are_told() -> None:
    """A writer that looks first sees what the FIFO would take, and is called when a packet has left."""

    async def scenario() -> None:
        device = FirmwareDevice(BUILD, RecordingApplication())
        async with plugged(device) as host:
            await host.control(0x21, 0x22, 1, 0)
            told = asyncio.Event()
            device.serial.on_sent = told.set
            assert device.serial.room == 512
            device.serial.write(b"x" * 600)
            assert (device.serial.room, device.serial.queued) == (64, 448)
            await host.submit_in(2, 64).done()
            await asyncio.wait_for(told.wait(), 5.0)
            assert device.serial.room == 128

    asyncio.run(scenario())
