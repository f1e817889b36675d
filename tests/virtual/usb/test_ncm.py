"""The network interface of a device, over the cable, as cdc_ncm drives it."""

import asyncio
import errno
from collections.abc import Awaitable, Callable

import pytest

from hil.testing.plugged_device import RecordingApplication, enumerate_device, plugged
from hil.testing.usbip_host import UsbipHost
from hil.virtual.usb.descriptors import FirmwareUsb, TinyUsb
from hil.virtual.usb.firmware_device import FirmwareDevice
from hil.virtual.usb.hooks import NoHooks
from hil.wire.cdc import ConnectionSpeedChange, NetworkConnection, Notification, parse_notification
from hil.wire.ncm import Ntb16, NtbLimits, NtbParameters, pack_ntb16

STALL = (-errno.EPIPE, b"")
LIMITS = NtbLimits(3200)
FRAME = bytes(12) + b"\x08\x06" + bytes(46)
SPEED = ConnectionSpeedChange(2, 12_000_000, 12_000_000)
UP, DOWN = NetworkConnection(2, True), NetworkConnection(2, False)
Scenario = Callable[[UsbipHost, FirmwareDevice, RecordingApplication], Awaitable[None]]


def on_bus(scenario: Scenario, tinyusb: TinyUsb = "0.21", hooks: NoHooks | None = None) -> None:
    """Run with a configured device."""

    async def run() -> None:
        application = RecordingApplication()
        device = FirmwareDevice(FirmwareUsb.for_chip("7c:df:a1:00:00:01", tinyusb), application, hooks)
        async with plugged(device) as host:
            await scenario(host, device, application)

    asyncio.run(run())


async def select(host: UsbipHost, alternate: int) -> None:
    assert await host.control(0x01, 11, alternate, 3) == (0, b"")


async def bind(host: UsbipHost) -> NtbParameters:
    """What cdc_ncm_bind_common asks."""
    await select(host, 1)
    await select(host, 0)
    status, data = await host.control(0xA1, 0x80, 0, 2, 28)
    assert status == 0
    await select(host, 1)
    return NtbParameters.parse(data)


async def notifications(host: UsbipHost, count: int) -> list[Notification]:
    """That many notifications, and the certainty that no more are there."""
    found = [parse_notification((await host.submit_in(3, 64, interval=1).done()).data) for _ in range(count)]
    extra = host.submit_in(3, 64, interval=1)
    await asyncio.sleep(0.01)
    assert await host.unlink(extra) == -errno.ECONNRESET, "one more notification came"
    return found


def test_linux_binds_and_hears_speed_and_link_once_it_polls() -> None:
    """Alt 1, 0, GET_NTB_PARAMETERS, alt 1; nothing is lost that is polled later, when the interface is up."""

    async def scenario(host: UsbipHost, device: FirmwareDevice, application: RecordingApplication) -> None:
        parameters = await bind(host)
        assert (parameters.in_max_size, parameters.out_max_size, parameters.out_max_datagrams) == (3200, 3200, 6)
        assert (parameters.in_divisor, parameters.in_alignment, parameters.formats) == (1, 4, 1)
        assert (await notifications(host, 2))[-2:] == [SPEED, UP]

    on_bus(scenario, "0.19")


def test_019_tells_its_link_only_the_first_time() -> None:
    """After alternate settings 0 and 1 the host of a 0.19 board hears nothing, of a 0.21 board the pair again."""

    def scenario_for(wanted: list[Notification]) -> Scenario:
        async def scenario(host: UsbipHost, device: FirmwareDevice, application: RecordingApplication) -> None:
            await select(host, 1)
            assert await notifications(host, 2) == [SPEED, UP]
            await select(host, 0)
            await select(host, 1)
            assert await notifications(host, len(wanted)) == wanted

        return scenario

    on_bus(scenario_for([]), "0.19")
    on_bus(scenario_for([SPEED, UP]), "0.21")


@pytest.mark.parametrize(("tinyusb", "wanted"), [("0.19", [DOWN]), ("0.21", [SPEED, DOWN])])
def test_a_change_of_the_link_is_told_and_a_repetition_is_not(tinyusb: TinyUsb, wanted: list[Notification]) -> None:
    """set_link tells the host once; the same state again is ignored."""

    async def scenario(host: UsbipHost, device: FirmwareDevice, application: RecordingApplication) -> None:
        await select(host, 1)
        assert await notifications(host, 2) == [SPEED, UP]
        device.net.set_link(False)
        device.net.set_link(False)
        assert await notifications(host, len(wanted)) == wanted

    on_bus(scenario, tinyusb)


def test_a_notification_tells_the_link_of_the_moment_it_is_queued() -> None:
    """Link changes before the host polls merge: it hears the speed and then the last state."""

    async def scenario(host: UsbipHost, device: FirmwareDevice, application: RecordingApplication) -> None:
        await select(host, 1)
        for up in (False, True, False):
            device.net.set_link(up)
        assert await notifications(host, 2) == [SPEED, DOWN]

    on_bus(scenario, "0.19")


def test_a_link_change_in_setting_0_is_only_remembered() -> None:
    """Nothing is sent while the data interface is closed; 0.21 tells it with the pair after setting 1."""

    async def scenario(host: UsbipHost, device: FirmwareDevice, application: RecordingApplication) -> None:
        device.net.set_link(False)
        assert await notifications(host, 0) == []
        await select(host, 1)
        assert await notifications(host, 2) == [SPEED, DOWN]

    on_bus(scenario)


def test_a_bus_reset_sets_the_link_up_again() -> None:
    """Whatever the firmware had set, netd_reset forgets it; leaving the configuration does so too."""

    async def scenario(host: UsbipHost, device: FirmwareDevice, application: RecordingApplication) -> None:
        device.net.set_link(False)
        await enumerate_device(host)
        assert device.net.link_up
        device.net.set_link(False)
        await host.control(0, 9, 0, 0)
        assert device.net.link_up

    on_bus(scenario)


def test_requests_by_version() -> None:
    """Input size and packet filter exist from 0.21 on; formats, addresses and the rest never."""

    async def newer(host: UsbipHost, device: FirmwareDevice, application: RecordingApplication) -> None:
        assert await host.control(0x21, 0x43, 0x0C, 2) == (0, b"")
        assert device.net.packet_filter == 0x0C
        assert await host.control(0xA1, 0x85, 0, 2, 4) == (0, (3200).to_bytes(4, "little"))
        assert await host.control(0x21, 0x86, 0, 2, (2048).to_bytes(4, "little")) == (0, b"")
        assert await host.control(0xA1, 0x85, 0, 2, 4) == (0, (2048).to_bytes(4, "little"))
        assert await host.control(0x21, 0x86, 0, 2, (2047).to_bytes(4, "little")) == STALL
        assert await host.control(0xA1, 0x80, 0, 3, 28) == STALL
        for request in (0x81, 0x83, 0x87, 0x89):
            assert await host.control(0xA1, request, 0, 2, 6) == STALL

    async def older(host: UsbipHost, device: FirmwareDevice, application: RecordingApplication) -> None:
        assert await host.control(0x21, 0x43, 0x0C, 2) == STALL
        assert await host.control(0xA1, 0x85, 0, 2, 4) == STALL
        assert await host.control(0x21, 0x86, 0, 2, (2048).to_bytes(4, "little")) == STALL

    on_bus(newer, "0.21")
    on_bus(older, "0.19")


def test_frames_of_the_host_reach_the_firmware_in_order() -> None:
    """One block of several frames, and one block in several URBs."""

    async def scenario(host: UsbipHost, device: FirmwareDevice, application: RecordingApplication) -> None:
        await bind(host)
        frames = [FRAME + bytes((number,)) * number for number in range(5)]
        await host.submit_out(4, pack_ntb16(frames[:4], 1, LIMITS)).done()
        block = pack_ntb16(frames[4:], 2, LIMITS)
        await host.submit_out(4, block[:64]).done()
        await host.submit_out(4, block[64:]).done()
        assert application.frames == frames
        assert device.net.counters.blocks_out == 2

    on_bus(scenario)


def test_a_block_as_long_as_the_buffer_needs_no_short_packet() -> None:
    """cdc_ncm pads to 3200 bytes, which is a multiple of 64: the buffer is full, so the block is complete."""

    async def scenario(host: UsbipHost, device: FirmwareDevice, application: RecordingApplication) -> None:
        await bind(host)
        await host.submit_out(4, pack_ntb16([FRAME], 1, LIMITS).ljust(3200, b"\0")).done()
        assert application.frames == [FRAME]

    on_bus(scenario)


def test_a_block_of_whole_packets_waits_for_its_zero_packet() -> None:
    """128 bytes without ZLP are not a complete transfer; with URB_ZERO_PACKET, or with the next URB, they are."""

    async def scenario(host: UsbipHost, device: FirmwareDevice, application: RecordingApplication) -> None:
        await bind(host)
        block = pack_ntb16([FRAME], 1, LIMITS).ljust(128, b"\0")
        await host.submit_out(4, block).done()
        assert application.frames == []
        await host.submit_out(4, b"").done()
        assert application.frames == [FRAME]
        await host.submit_out(4, block, flags=0x40).done()
        assert application.frames == [FRAME, FRAME]

    on_bus(scenario)


def test_malformed_blocks_are_counted_and_dropped() -> None:
    """Nothing of them reaches the firmware, and the next good one does."""

    async def scenario(host: UsbipHost, device: FirmwareDevice, application: RecordingApplication) -> None:
        await bind(host)
        for nonsense in (b"x", b"NCMH" + bytes(24), pack_ntb16([FRAME], 1, LIMITS)[:-1]):
            assert (await host.submit_out(4, nonsense).done()).status == 0
        await host.submit_out(4, pack_ntb16([FRAME], 2, LIMITS)).done()
        assert application.frames == [FRAME]
        assert device.net.counters.malformed == 3
        assert "wBlockLength" in device.net.counters.last_error

    on_bus(scenario)


def test_a_firmware_without_room_makes_the_host_wait() -> None:
    """Three blocks are kept, the fourth URB waits; renew_receive hands everything over in order."""

    async def scenario(host: UsbipHost, device: FirmwareDevice, application: RecordingApplication) -> None:
        await bind(host)
        application.takes_frames = False
        frames = [FRAME + bytes((number,)) for number in range(4)]
        urbs = [host.submit_out(4, pack_ntb16([frame], 1, LIMITS)) for frame in frames]
        for urb in urbs[:3]:
            await urb.done()
        await host.control(0x80, 8, 0, 0, 1)
        assert urbs[3].waits
        application.takes_frames = True
        device.net.renew_receive()
        await urbs[3].done()
        assert application.frames == frames

    on_bus(scenario)


class Unarmed(NoHooks):
    def rearms(self, interface: int) -> bool:
        return interface != 3


def test_endpoints_that_are_not_armed_anew_move_nothing_until_a_bus_reset() -> None:
    """Setting 1 works the first time; after 0 and 1 again the host's block waits, though its link is told."""

    async def scenario(host: UsbipHost, device: FirmwareDevice, application: RecordingApplication) -> None:
        await select(host, 1)
        await host.submit_out(4, pack_ntb16([FRAME], 0, LIMITS)).done()
        assert (await notifications(host, 2)) == [SPEED, UP]
        await select(host, 0)
        await select(host, 1)
        assert (await notifications(host, 2)) == [SPEED, UP]
        waiting = host.submit_out(4, pack_ntb16([FRAME], 1, LIMITS))
        device.net.transmit(FRAME)
        held = host.submit_in(4, 16384)
        assert await host.control(0x81, 10, 0, 3, 1) == (0, b"\1")
        assert (waiting.waits, held.waits) == (True, True)
        assert application.frames == [FRAME]
        device.bus_reset()
        await enumerate_device(host)
        await select(host, 1)
        await host.submit_out(4, pack_ntb16([FRAME], 2, LIMITS)).done()

    on_bus(scenario, hooks=Unarmed())


def test_no_frame_is_taken_in_setting_0() -> None:
    """The endpoints are there, as TinyUSB opens them with the configuration, but answer NAK until setting 1."""

    async def scenario(host: UsbipHost, device: FirmwareDevice, application: RecordingApplication) -> None:
        waiting = host.submit_out(4, pack_ntb16([FRAME], 1, LIMITS))
        await host.control(0x80, 8, 0, 0, 1)
        assert waiting.waits
        await select(host, 1)
        await waiting.done()
        assert application.frames == [FRAME]

    on_bus(scenario)


def test_frames_of_the_firmware_reach_the_host_in_blocks() -> None:
    """The first frame leaves alone, those that queue up meanwhile leave together."""

    async def scenario(host: UsbipHost, device: FirmwareDevice, application: RecordingApplication) -> None:
        await bind(host)
        frames = [FRAME + bytes((number,)) for number in range(4)]
        assert all(device.net.transmit(frame) for frame in frames)
        blocks = [Ntb16.parse((await host.submit_in(4, 16384).done()).data) for _ in range(2)]
        assert [block.sequence for block in blocks] == [0, 1]
        assert [len(block.datagrams) for block in blocks] == [1, 3]
        assert [frame for block in blocks for frame in block.datagrams] == frames

    on_bus(scenario)


def test_frames_queue_until_the_buffers_are_full_and_leave_when_the_host_asks() -> None:
    """can_transmit looks at buffers only: before setting 1, and while suspended, three blocks wait and then leave."""

    async def scenario(host: UsbipHost, device: FirmwareDevice, application: RecordingApplication) -> None:
        sent = 0
        while device.net.transmit(bytes((sent,)) * 1500):
            sent += 1
        assert (sent, device.net.queued, device.net.counters.refused) == (6, 6, 1)
        await bind(host)
        device.suspend()
        got: list[bytes] = []
        while len(got) < sent:
            got += Ntb16.parse((await host.submit_in(4, 16384).done()).data).datagrams
        assert got == [bytes((number,)) * 1500 for number in range(6)]
        assert application.happened[-1] == "resumed"

    on_bus(scenario)


def test_a_block_of_whole_packets_is_followed_by_a_zero_packet() -> None:
    """A block of 128 bytes ends the host's larger URB by the ZLP that TinyUSB inserts."""

    async def scenario(host: UsbipHost, device: FirmwareDevice, application: RecordingApplication) -> None:
        await bind(host)
        urb = host.submit_in(4, 16384)
        assert device.net.transmit(bytes(72))
        assert len((await urb.done()).data) == 128
        assert device.net.transmit(FRAME)
        assert Ntb16.parse((await host.submit_in(4, 16384).done()).data).datagrams == (FRAME,)

    on_bus(scenario)


class FaultyFrames(NoHooks):
    """Doubles what leaves, hides what begins with 0xFF, and swallows NETWORK_CONNECTION."""

    def frame_to_host(self, frame: bytes) -> list[bytes]:
        return [frame, frame]

    def frame_from_host(self, frame: bytes) -> list[bytes]:
        return [] if frame.startswith(b"\xff") else [frame]

    def notification(self, data: bytes) -> bytes | None:
        return None if data[1] == 0 else data


def test_hooks_change_frames_and_swallow_notifications() -> None:
    """A swallowed notification counts as sent: the next one is not held up."""

    async def scenario(host: UsbipHost, device: FirmwareDevice, application: RecordingApplication) -> None:
        await bind(host)
        assert await notifications(host, 2) == [SPEED, SPEED]
        device.net.set_link(False)
        assert await notifications(host, 1) == [SPEED]
        await host.submit_out(4, pack_ntb16([b"\xff" * 60, FRAME], 1, LIMITS)).done()
        assert application.frames == [FRAME]
        assert device.net.transmit(FRAME)
        blocks = [Ntb16.parse((await host.submit_in(4, 16384).done()).data) for _ in range(2)]
        assert [block.datagrams for block in blocks] == [(FRAME,), (FRAME,)]

    on_bus(scenario, "0.21", FaultyFrames())
