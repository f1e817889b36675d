"""A virtual device, seen from the other end of its cable."""

import asyncio
import errno

import pytest

from hil.errors import VirtualBoardError
from hil.testing.plugged_device import RecordingApplication, enumerate_device, plugged
from hil.testing.usbip_host import UsbipHost, socket_pair
from hil.virtual.usb.acm import AcmFunction, AcmWiring
from hil.virtual.usb.connection import Connection
from hil.virtual.usb.descriptors import FirmwareUsb
from hil.virtual.usb.device import UsbDevice
from hil.virtual.usb.firmware_device import FirmwareDevice
from hil.virtual.usb.hooks import NoHooks
from hil.wire.usb import Configuration, DeviceDescriptor, SetupPacket

BUILD = FirmwareUsb.for_chip("7c:df:a1:00:00:01")
STALL = -errno.EPIPE


def test_linux_enumeration_configures_the_device() -> None:
    """The requests of hub_port_init and usb_get_configuration lead to mounted; only the device qualifier is stalled."""

    async def scenario() -> None:
        application = RecordingApplication()
        device = FirmwareDevice(BUILD, application)
        async with plugged(device, enumerate_it=False) as host:
            assert device.state == "default"
            answers = await enumerate_device(host)
            assert device.state == "configured"
            assert device.ready
        assert application.happened == ["bus reset", "mounted"]
        assert [status for status, _ in answers] == [0, 0, 0, STALL, 0, 0, 0, 0, 0, 0, 0]
        assert DeviceDescriptor.parse(answers[2][1]).product == 0x4001
        assert len(answers[4][1]) == 9
        assert Configuration.parse(answers[5][1]) == BUILD.descriptors().configuration
        assert answers[6][1] == bytes.fromhex("04030904")
        assert answers[9][1][2:].decode("utf-16-le") == "7CDFA1000001"

    asyncio.run(scenario())


def test_an_in_urb_waits_until_there_is_data() -> None:
    """A bulk IN URB is held (NAK) while the device has nothing to send, and answered when it has."""

    async def scenario() -> None:
        device = FirmwareDevice(BUILD, RecordingApplication())
        async with plugged(device) as host:
            await host.control(0x21, 0x22, 3, 0)
            urb = host.submit_in(2, 64)
            await host.control(0x80, 8, 0, 0, 1)
            assert urb.waits
            assert device.serial.write(b"hello") == 5
            assert (await urb.done()).data == b"hello"

    asyncio.run(scenario())


def test_unlink_takes_a_waiting_urb_back() -> None:
    """UNLINK of a held URB answers -ECONNRESET and the next URB gets the data; of a URB that is done it answers 0."""

    async def scenario() -> None:
        device = FirmwareDevice(BUILD, RecordingApplication())
        async with plugged(device) as host:
            first = host.submit_in(2, 64)
            assert await host.unlink(first) == -errno.ECONNRESET
            device.serial.write(b"kept")
            second = host.submit_in(2, 64)
            assert (await second.done()).data == b"kept"
            assert await host.unlink(second) == 0
            assert first.waits

    asyncio.run(scenario())


def test_a_halted_endpoint_stalls_until_the_halt_is_cleared() -> None:
    """SET_FEATURE(ENDPOINT_HALT) stalls waiting and new URBs of both directions, GET_STATUS shows it, CLEAR ends it."""

    async def scenario() -> None:
        device = FirmwareDevice(BUILD, application := RecordingApplication())
        async with plugged(device) as host:
            waiting = host.submit_in(2, 64)
            for address in (0x82, 0x02):
                assert await host.control(0x02, 3, 0, address) == (0, b"")
                assert await host.control(0x82, 0, 0, address, 2) == (0, b"\x01\x00")
            assert (await waiting.done()).status == STALL
            assert (await host.submit_in(2, 64).done()).status == STALL
            assert (await host.submit_out(2, b"x").done()).status == STALL
            for address in (0x82, 0x02):
                assert await host.control(0x02, 1, 0, address) == (0, b"")
            device.serial.write(b"back")
            assert (await host.submit_in(2, 64).done()).data == b"back"
            assert (await host.submit_out(2, b"x").done()).status == 0
        assert application.serial == b"x"

    asyncio.run(scenario())


def test_endpoints_do_not_exist_before_the_configuration() -> None:
    """A URB to an endpoint of an unconfigured device, or to none, fails with -EPROTO: nobody answers."""

    async def scenario() -> None:
        device = FirmwareDevice(BUILD, RecordingApplication())
        async with plugged(device, enumerate_it=False) as host:
            assert (await host.submit_in(2, 64).done()).status == -errno.EPROTO
            await enumerate_device(host)
            assert (await host.submit_out(9, b"x").done()).status == -errno.EPROTO

    asyncio.run(scenario())


def test_leaving_the_configuration_unmounts_and_unplugging_does_not() -> None:
    """SET_CONFIGURATION 0 is tud_umount_cb; a pulled cable is silence."""

    async def scenario() -> None:
        application = RecordingApplication()
        device = FirmwareDevice(BUILD, application)
        async with plugged(device) as host:
            assert await host.control(0, 9, 0, 0) == (0, b"")
            assert not device.mounted
            await host.control(0, 9, 1, 0)
        assert application.happened == ["bus reset", "mounted", "unmounted", "mounted"]
        assert device.mounted
        assert not device.connected

    asyncio.run(scenario())


def test_an_unplug_looks_like_suspend_to_a_board_with_its_own_supply() -> None:
    """Without VBUS sensing the board sees an idle bus; replugged, it sees a bus reset and is mounted again."""

    async def scenario() -> None:
        application = RecordingApplication()
        device = FirmwareDevice(BUILD, application, own_supply=True)
        async with plugged(device):
            pass
        assert application.happened == ["bus reset", "mounted", "suspended armed=False"]
        assert device.mounted
        assert not device.ready
        async with plugged(device):
            assert application.happened[3:] == ["bus reset", "mounted"]
            assert device.ready

    asyncio.run(scenario())


def test_a_second_read_of_the_device_descriptor_is_a_bus_reset() -> None:
    """USBDEVFS_RESET: Linux reads 64 bytes of device descriptor again, and everything starts over."""

    async def scenario() -> None:
        application = RecordingApplication()
        device = FirmwareDevice(BUILD, application)
        async with plugged(device) as host:
            await host.control(0x00, 3, 1, 0)
            assert device.remote_wakeup_armed
            await enumerate_device(host)
            assert not device.remote_wakeup_armed
        assert application.happened == ["bus reset", "mounted"] * 2

    asyncio.run(scenario())


def test_a_write_of_whole_packets_ends_with_a_packet_of_length_zero() -> None:
    """64 bytes do not end a longer URB, so TinyUSB's CDC adds a ZLP, and the host gets them at once."""

    async def scenario() -> None:
        device = FirmwareDevice(BUILD, RecordingApplication())
        async with plugged(device) as host:
            urb = host.submit_in(2, 512)
            device.serial.write(b"x" * 64)
            assert (await urb.done()).data == b"x" * 64

    asyncio.run(scenario())


def test_a_packet_that_the_urb_has_no_room_for_is_babble() -> None:
    """A URB of 10 bytes cannot take a packet of 20: -EOVERFLOW, as from a host controller."""

    async def scenario() -> None:
        device = FirmwareDevice(BUILD, RecordingApplication())
        async with plugged(device) as host:
            device.serial.write(b"x" * 20)
            done = await host.submit_in(2, 10).done()
            assert (done.status, done.data) == (-errno.EOVERFLOW, b"")
            assert (await host.submit_in(2, 64).done()).data == b"x" * 20

    asyncio.run(scenario())


def test_nonsense_from_the_host_ends_the_connection_with_a_reason() -> None:
    """A header that is not USB/IP closes the socket; the error says what was found and what is known."""

    async def scenario() -> None:
        near, far = socket_pair()
        device = FirmwareDevice(BUILD, RecordingApplication())
        served = asyncio.create_task(Connection(device, near).serve())
        host = await UsbipHost.on(far)
        host.send_raw(b"\x00\x00\x00\x07" + bytes(44))
        with pytest.raises(VirtualBoardError, match="USB/IP from the host: USB/IP header: command 7, expected 1 or 2"):
            await served
        await host.wait_ended()
        await host.close()
        assert not device.connected

    asyncio.run(scenario())


def test_isochronous_urbs_end_the_connection() -> None:
    """No device here has isochronous endpoints, so a URB with packets is nonsense."""

    async def scenario() -> None:
        near, far = socket_pair()
        served = asyncio.create_task(Connection(FirmwareDevice(BUILD, RecordingApplication()), near).serve())
        host = await UsbipHost.on(far)
        command = bytearray(host_command())
        command[32:36] = (2).to_bytes(4, "big")
        host.send_raw(bytes(command) + bytes(32))
        with pytest.raises(VirtualBoardError, match="2 isochronous packets for endpoint 5"):
            await served
        await host.close()

    asyncio.run(scenario())


def host_command() -> bytes:
    """USBIP_CMD_SUBMIT, IN, endpoint 5, 64 bytes."""
    return b"".join(number.to_bytes(4, "big") for number in (1, 1, 0x10002, 1, 5, 0, 64, 0, 0, 0)) + bytes(8)


def test_a_connection_closed_before_it_is_served_ends_at_once() -> None:
    """A cable that is pulled before the loop came to serve it leaves nothing behind."""

    async def scenario() -> None:
        near, far = socket_pair()
        connection = Connection(FirmwareDevice(BUILD, RecordingApplication()), near)
        connection.close()
        await connection.serve()
        far.close()

    asyncio.run(scenario())


def test_a_device_has_one_cable() -> None:
    """A second one is refused, its socket closed, and the first one goes on."""

    async def scenario() -> None:
        device = FirmwareDevice(BUILD, RecordingApplication())
        async with plugged(device):
            near, far = socket_pair()
            with far, pytest.raises(VirtualBoardError, match="connected already"):
                await Connection(device, near).serve()
            assert near.fileno() == -1
            assert device.connected

    asyncio.run(scenario())


def test_every_endpoint_belongs_to_a_function() -> None:
    """Descriptors with an endpoint that nobody serves are refused by name."""

    async def scenario() -> None:
        application = RecordingApplication()
        serial = AcmFunction(AcmWiring(0, 0x81, 0x02, 0x82), application)
        with pytest.raises(VirtualBoardError, match="endpoint 0x83 belongs to no function; known: 0x02, 0x81, 0x82"):
            UsbDevice(BUILD.descriptors(), (serial,), application)

    asyncio.run(scenario())


class Faulty(NoHooks):
    """Stalls SET_LINE_CODING, swallows what goes to the host on one endpoint, and changes what comes in."""

    def control(self, setup: SetupPacket, answer: bytes | None) -> bytes | None:
        return None if setup.request == 0x20 else answer

    def urb_in(self, endpoint: int, data: bytes) -> bytes | None:
        return None if b"secret" in data else data

    def urb_out(self, endpoint: int, data: bytes) -> bytes | None:
        return None if data == b"lost" else data.upper()

    def serial_to_host(self, data: bytes) -> bytes:
        return data.replace(b"I ", b"E ")


def test_hooks_see_and_change_what_crosses_the_bus() -> None:
    """Each tap acts: a control answer, a swallowed and a changed OUT, a swallowed IN, a changed serial line."""

    async def scenario() -> None:
        application = RecordingApplication()
        device = FirmwareDevice(BUILD, application, Faulty())
        async with plugged(device) as host:
            assert await host.control(0x21, 0x20, 0, 0, bytes(7)) == (STALL, b"")
            await host.submit_out(2, b"lost").done()
            await host.submit_out(2, b"found").done()
            urb = host.submit_in(2, 64)
            device.serial.write(b"secret")
            await host.control(0x80, 8, 0, 0, 1)
            assert urb.waits
            device.serial.write(b"I (1) main: up\n")
            assert (await urb.done()).data == b"E (1) main: up\n"
        assert application.serial == b"FOUND"

    asyncio.run(scenario())
