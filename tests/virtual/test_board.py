"""The whole board in process: the test is the USB host, a fake stack plays the IP peers."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

import pytest

from hil import clock
from hil.errors import VirtualBoardError
from hil.testing.fake_cable import FakeCable, enable_network, enumerate_device, next_notification
from hil.testing.fake_stack import FakeStack
from hil.testing.usbip_host import UsbipHost
from hil.virtual.board import VirtualBoard
from hil.virtual.board_parts import BoardParts
from hil.virtual.chip import ChipParts
from hil.virtual.fault_loader import load
from hil.virtual.faults import ArmedFault, Arming, Fault
from hil.virtual.firmware import FirmwareConfig, UsbConnect, UsbDisconnect
from hil.virtual.flash import FlashChip
from hil.virtual.ipstack.dhcp_server import DhcpPool, DhcpServer, reply_frame
from hil.virtual.points import ChipReset, Injection, Later, LoseContact, Mount, Point, PullCable, StallUsb
from hil.virtual.registry import Registry, furnish
from hil.virtual.rom.identity import ChipIdentity
from hil.virtual.soc import Reset
from hil.virtual.usb.descriptors import FirmwareUsb
from hil.wire import dhcp
from hil.wire.arp import REPLY, REQUEST, ArpPacket
from hil.wire.cdc import ConnectionSpeedChange, NetworkConnection, parse_notification
from hil.wire.ethernet import ETHERTYPE_ARP, EthernetFrame
from hil.wire.ncm import Ntb16, NtbLimits, pack_ntb16

WITHIN_S = 5.0
FRAMES = 4
QUICK = FirmwareConfig(
    tick_ms=1,
    kick_ms=1,
    start_ms=1,
    nvs_ms=1,
    usb_driver_ms=1,
    ncm_ms=1,
    cdc_ms=1,
    netif_ms=1,
    netif_start_ms=1,
    wifi_ms=1,
    redirect_ms=1,
    http_ms=1,
    restart_delay_ms=1,
)
MAC = "34:85:18:00:00:02"
USB = FirmwareUsb.for_chip(MAC)
FRAME = EthernetFrame("02:02:11:22:33:02", "02:02:11:22:33:01", 0x88B5, b"hello".ljust(46, b"\0")).pack()


class FakeConsole:
    def __init__(self) -> None:
        self.text = ""

    def write(self, data: bytes) -> int:
        self.text += data.decode()
        return len(data)


class Bench:
    """A board, and everything around it."""

    def __init__(self, faults: list[ArmedFault], supply: str, config: FirmwareConfig = QUICK) -> None:
        self.cable = FakeCable()
        self.stack = FakeStack()
        self.console = FakeConsole()
        self.died: list[VirtualBoardError] = []
        self.registry = Registry(MAC, config=config)
        self.flash = FlashChip()
        furnish(self.flash, self.registry.factory)
        chip = ChipParts(ChipIdentity(MAC), self.flash, self.registry)
        parts = BoardParts(chip, self.stack, self.cable, self.console)
        self.board = VirtualBoard(replace(parts, supply=supply), faults, self.died.append)

    async def connected(self) -> UsbipHost:
        """A host that has enumerated the board and enabled its network."""
        host = await self.cable.host()
        await enumerate_device(host)
        await enable_network(host)
        return host

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait for something that has no event of its own."""
        async with asyncio.timeout(WITHIN_S):
            while not condition():
                await asyncio.sleep(0.001)

    async def link_up(self) -> UsbipHost:
        """A connected host, once the firmware has raised the link."""
        host = await self.connected()
        await self.until(lambda: self.board.state.link)
        return host


def run(
    scenario: Callable[[Bench], Awaitable[None]],
    *faults: ArmedFault,
    supply: str = "bus",
    config: FirmwareConfig = QUICK,
) -> None:
    async def whole() -> None:
        bench = Bench(list(faults), supply, config)
        try:
            await scenario(bench)
        finally:
            await bench.board.close()
            await bench.cable.close()

    asyncio.run(whole())


async def received(host: UsbipHost) -> list[bytes]:
    """The frames of the next block from the board."""
    return list(Ntb16.parse((await host.submit_in(FRAMES, 16384).done()).data).datagrams)


def test_plugging_in_a_bus_powered_board_boots_it() -> None:
    """ROM, boot loader and firmware speak on the UART, in this order, and the host can configure the device."""

    async def scenario(bench: Bench) -> None:
        await bench.board.plug()
        await bench.connected()
        state = bench.board.state
        assert (state.powered, state.plugged, state.mounted, state.boots, state.mounts) == (True, True, True, 1, 1)
        await bench.until(lambda: "2nd stage" in bench.console.text)
        assert bench.console.text.index("main: ") > 0

    run(scenario)


def test_frames_pass_between_host_and_stack_in_both_directions() -> None:
    """A datagram of the host's block reaches the stack, and a frame of the stack reaches the host."""

    async def scenario(bench: Bench) -> None:
        await bench.board.plug()
        host = await bench.link_up()
        await bench.until(lambda: bench.stack.address)
        await host.submit_out(FRAMES, pack_ntb16([FRAME], 0, NtbLimits(max_size=3200))).done()
        await bench.until(lambda: bench.stack.delivered == [FRAME])
        bench.stack.on_frame(FRAME)
        assert await received(host) == [FRAME]

    run(scenario)


class Twin(Fault):
    """Takes another board's identity."""

    def identity(self, usb: FirmwareUsb) -> FirmwareUsb:
        return FirmwareUsb.for_chip("34:85:18:00:00:04")


def test_a_fault_gives_the_next_boot_another_identity() -> None:
    """Serial number and both addresses are of the fault's making from the boot on at which it begins."""

    async def scenario(bench: Bench) -> None:
        await bench.board.plug()
        for mac, serial in ((USB.board_mac, USB.serial), ("36:85:18:00:00:04", "348518000004")):
            host = await bench.cable.host()
            _, string = await host.control(0x80, 6, 0x0303, 0x0409, 255)
            assert string[2:].decode("utf-16-le") == serial
            await bench.until(lambda: bench.stack.address)
            assert bench.stack.mac == mac
            await bench.board.reset(Reset.EN)

    run(scenario, ArmedFault(Twin({}), "twin", Arming(from_boot=2)))


def test_the_firmware_starts_interface_server_and_http() -> None:
    """The stack is told the addresses of the firmware's configuration."""

    async def scenario(bench: Bench) -> None:
        await bench.board.plug()
        await bench.until(lambda: bench.stack.http)
        assert bench.stack.address == "192.168.7.1/24"
        assert bench.stack.pool is not None
        assert (bench.stack.pool.server, bench.stack.pool.first) == ("192.168.7.1", "192.168.7.2")
        assert bench.board.respond("GET", "/status").status == 200

    run(scenario)


def test_unplugging_a_bus_powered_board_ends_everything_and_replugging_boots_it_again() -> None:
    """The stack is halted, the host loses the device, and the next plug is boot 2."""

    async def scenario(bench: Bench) -> None:
        await bench.board.plug()
        host = await bench.connected()
        await bench.until(lambda: bench.stack.address)
        await bench.board.unplug()
        await host.wait_ended()
        assert (bench.board.state.powered, bench.stack.address) == (False, "")
        await bench.board.plug()
        await bench.connected()
        assert (bench.board.state.boots, bench.board.state.mounts) == (2, 2)

    run(scenario)


def test_a_board_with_its_own_supply_sees_an_unplug_as_suspend() -> None:
    """It keeps running, stays mounted in its own eyes, and is enumerated again without a boot."""

    async def scenario(bench: Bench) -> None:
        await bench.board.power(True)
        await bench.board.plug()
        await bench.connected()
        await bench.board.unplug()
        state = bench.board.state
        assert (state.powered, state.mounted, state.suspended) == (True, True, True)
        await bench.board.plug()
        await bench.connected()
        assert (bench.board.state.boots, bench.board.state.mounts, bench.board.state.suspended) == (1, 2, False)

    run(scenario, supply="own")


@pytest.mark.parametrize(
    ("reset", "line"),
    [(Reset.EN, "rst:0x1 (POWERON)"), (Reset.SOFTWARE, "rst:0xc (RTC_SW_CPU_RST)"), (Reset.PANIC, "Guru Meditation")],
)
def test_a_reset_drops_the_device_and_boots(reset: Reset, line: str) -> None:
    """The host loses the device and meets it again; the console tells the kind of reset."""

    async def scenario(bench: Bench) -> None:
        await bench.board.plug()
        host = await bench.connected()
        bench.console.text = ""
        await bench.board.reset(reset)
        await host.wait_ended()
        await bench.connected()
        await bench.until(lambda: line in bench.console.text)
        assert bench.board.state.boots == 2

    run(scenario)


def test_a_chip_that_is_held_is_gone_until_it_is_released() -> None:
    """EN low takes the device off the bus at once and keeps it off; released, the chip boots as after power-on."""

    async def scenario(bench: Bench) -> None:
        await bench.board.plug()
        host = await bench.connected()
        bench.console.text = ""
        bench.board.hold()
        await host.wait_ended()
        assert (bench.board.state.boots, bench.console.text) == (1, "")
        bench.board.release()
        await bench.connected()
        await bench.until(lambda: "rst:0x1 (POWERON),boot:0x8" in bench.console.text)
        assert (bench.board.state.boots, bench.board.state.seen.holds) == (2, 1)

    run(scenario)


def test_a_chip_that_is_held_while_it_gets_power_waits() -> None:
    """It boots when it is released, once; one that has lost its power meanwhile does not."""

    async def scenario(bench: Bench) -> None:
        bench.board.hold()
        await bench.board.plug()
        assert bench.board.state.boots == 0
        bench.board.release()
        assert bench.board.state.boots == 1
        bench.board.hold()
        await bench.board.unplug()
        bench.board.release()
        assert (bench.board.state.boots, bench.board.state.powered) == (1, False)

    run(scenario)


def test_a_chip_that_is_released_with_io0_low_waits_for_a_download() -> None:
    """The ROM says so, no firmware runs, USB-Serial/JTAG comes; the next reset with IO0 high ends it."""

    async def scenario(bench: Bench) -> None:
        await bench.board.plug()
        await (await bench.connected()).close()
        bench.board.hold()
        bench.console.text = ""
        bench.board.release(download=True)
        await bench.until(lambda: "waiting for download" in bench.console.text)
        state = bench.board.state
        assert (state.mode, state.mounted, state.link) == ("loader", False, False)
        rom = await bench.cable.host()
        assert (await rom.control(0x80, 6, 0x0100, 0, 18))[1][8:12].hex() == "3a300110"
        bench.board.io0(False)
        await bench.board.reset(Reset.EN)
        await bench.connected()
        assert (bench.board.state.mode, bench.board.state.runs) == ("application", "hil-reference 0.1.0")

    run(scenario)


async def product(host: UsbipHost) -> int:
    return int.from_bytes((await host.control(0x80, 6, 0x0100, 0, 18))[1][10:12], "little")


@pytest.mark.parametrize(("on_otg", "found"), [(0, 0x1001), (1, 9)])
def test_the_firmware_enters_the_loader_when_it_is_asked_to(on_otg: int, found: int) -> None:
    """POST /bootloader: the application leaves the bus, the chip's own device comes, in its loader."""

    async def scenario(bench: Bench) -> None:
        bench.flash.erase_all()
        config = replace(QUICK, loader_phy_on_otg=on_otg, loader_detach_ms=1)
        furnish(bench.flash, replace(bench.registry.factory, config=config))
        await bench.board.plug()
        await bench.link_up()
        await bench.until(lambda: bench.stack.http)
        assert bench.stack.http is not None
        bench.stack.http.respond("POST", "/bootloader")
        rom = await bench.cable.host()
        assert await product(rom) == found
        assert bench.board.state.mode == "loader"

    run(scenario)


class Interrupts(Fault):
    """What it is given, at the first mount."""

    def __init__(self, injection: Injection) -> None:
        super().__init__({})
        self._injections = [injection]

    def at_point(self, point: Point, now_ms: int) -> Sequence[Injection]:
        return (self._injections.pop(),) if point is Point.MOUNTED and self._injections else ()


@pytest.mark.parametrize(("injection", "boots"), [(PullCable(0.01), 2), (LoseContact(0.01), 1)])
def test_an_interrupted_cable_comes_back(injection: Injection, boots: int) -> None:
    """A pulled one takes the power of a board that it feeds, a lost contact does not."""

    async def scenario(bench: Bench) -> None:
        await bench.board.plug()
        host = await bench.cable.host()
        await enumerate_device(host)
        await host.wait_ended()
        await enumerate_device(await bench.cable.host())
        assert (bench.board.state.plugged, bench.board.state.boots) == (True, boots)

    run(scenario, ArmedFault(Interrupts(injection), "interrupts", Arming()))


def test_the_boot_button_counts_at_the_next_power_on() -> None:
    """And not before."""

    async def scenario(bench: Bench) -> None:
        await bench.board.plug()
        bench.board.hold_boot(True)
        assert bench.board.state.mode == "application"
        await bench.board.unplug()
        await bench.board.plug()
        assert bench.board.state.mode == "loader"
        bench.board.hold_boot(False)
        await bench.board.unplug()
        await bench.board.plug()
        assert bench.board.state.mode == "application"

    run(scenario)


def test_the_firmware_restarts_the_chip_when_it_is_asked_to() -> None:
    """POST /reset is answered, then the chip starts over by software."""

    async def scenario(bench: Bench) -> None:
        await bench.board.plug()
        await bench.until(lambda: bench.stack.http)
        assert bench.board.respond("POST", "/reset").status == 200
        await bench.until(lambda: bench.board.state.boots == 2)

    run(scenario)


def test_a_board_without_power_cannot_be_reset() -> None:
    """The error names the reset and what to do first."""

    async def scenario(bench: Bench) -> None:
        with pytest.raises(VirtualBoardError, match="reset EN: the board has no power; plug it in"):
            await bench.board.reset(Reset.EN)

    run(scenario)


def test_an_open_log_stream_gives_the_lines_of_the_boot() -> None:
    """The stream of the firmware's ring comes out in server-sent events."""

    async def scenario(bench: Bench) -> None:
        await bench.board.plug()
        await bench.until(lambda: bench.stack.http)
        next_chunk = bench.board.open_stream()
        first = next_chunk()
        assert first is not None
        assert first.startswith(b": ")

    run(scenario)


def test_while_suspended_a_frame_of_the_board_wakes_the_host() -> None:
    """The sound firmware signals resume where the host armed it, and the frame leaves."""

    async def scenario(bench: Bench) -> None:
        await bench.board.plug()
        host = await bench.link_up()
        await host.control(0x00, 3, 1, 0)
        device, watch = bench.cable.device, bench.cable.watch
        assert device is not None
        assert watch is not None
        device.suspend()
        bench.stack.on_frame(FRAME)
        await bench.until(lambda: watch.wakeups == 1)
        assert await received(host) == [FRAME]

    run(scenario)


def test_fault_sends_rejected_while_suspended_loses_the_frame_and_says_so() -> None:
    """The firmware logs the error of the send, and the host is not woken."""

    async def scenario(bench: Bench) -> None:
        await bench.board.plug()
        host = await bench.link_up()
        await host.control(0x00, 3, 1, 0)
        device, watch = bench.cable.device, bench.cable.watch
        assert device is not None
        assert watch is not None
        await bench.until(lambda: bench.stack.http)
        device.suspend()
        bench.stack.on_frame(FRAME)
        log = bench.board.respond("GET", "/logs_all").body.decode()
        assert "TX FAILED: ESP_ERR_INVALID_STATE" in log
        assert watch.wakeups == 0

    run(scenario, load("sends-rejected-while-suspended"))


def test_fault_dhcp_server_not_started_leaves_the_firmware_in_its_belief() -> None:
    """No server runs, and the event log says NETIF_READY all the same."""

    async def scenario(bench: Bench) -> None:
        await bench.board.plug()
        await bench.until(lambda: bench.stack.http)
        assert bench.stack.pool is None
        assert b"NETIF_READY" in bench.board.respond("GET", "/events").body

    run(scenario, load("dhcp-server-not-started"))


def test_fault_no_link_notification_begins_with_the_second_mount() -> None:
    """The first mount is told of the link; after a replug nothing comes while the firmware claims its link is up."""

    async def scenario(bench: Bench) -> None:
        await bench.board.plug()
        host = await bench.connected()
        first = parse_notification(await next_notification(host))
        assert isinstance(first, ConnectionSpeedChange | NetworkConnection)
        await bench.board.unplug()
        await bench.board.plug()
        host = await bench.connected()
        waiting = host.submit_in(3, 16, interval=16)
        await bench.until(lambda: bench.board.state.link)
        assert waiting.waits
        assert bench.board.state.faults == {"no-link-notification:from_mount=2": True}

    run(scenario, load("no-link-notification:from_mount=2"))


class AtKick(Fault):
    """Puts something in when the first kick begins."""

    def __init__(self, *injections: Injection) -> None:
        super().__init__({})
        self.left = [injections]

    def at_point(self, point: Point, now_ms: int) -> Sequence[Injection]:
        return self.left.pop() if point is Point.LINK_KICK_BEGIN and self.left else ()


def at_kick(*injections: Injection) -> ArmedFault:
    return ArmedFault(AtKick(*injections), "at-kick", Arming())


def mounts(bench: Bench) -> int:
    return bench.board.respond("GET", "/events").body.count(b"] USB_MOUNTED")


def test_an_input_that_a_fault_puts_in_reaches_the_core() -> None:
    """The firmware sees a second mount that no host has made."""

    async def scenario(bench: Bench) -> None:
        await bench.board.plug()
        await bench.link_up()
        assert (mounts(bench), bench.board.state.mounts) == (2, 1)

    run(scenario, at_kick(Mount()))


def test_a_command_that_a_fault_puts_in_is_carried_out() -> None:
    """The board leaves the bus and comes back, and its firmware knows of neither."""

    async def scenario(bench: Bench) -> None:
        await bench.board.plug()
        host = await bench.connected()
        await host.wait_ended()
        await bench.link_up()
        assert bench.board.state.boots == 1
        assert b"USB_RECOVER" not in bench.board.respond("GET", "/events").body

    run(scenario, at_kick(UsbDisconnect(), Later(0.01, UsbConnect())))


def test_a_fault_restarts_the_chip() -> None:
    """The reset is the one that was put in."""

    async def scenario(bench: Bench) -> None:
        await bench.board.plug()
        await bench.connected()
        await bench.until(lambda: bench.board.state.boots == 2)
        await bench.until(lambda: "RTCWDT_BROWN_OUT_RST" in bench.console.text)

    run(scenario, at_kick(ChipReset(Reset.BROWNOUT)))


def test_a_stalled_usb_task_answers_late() -> None:
    """A request during the stall is answered after it, and the firmware runs on meanwhile."""

    async def scenario(bench: Bench) -> None:
        await bench.board.plug()
        host = await bench.connected()
        await bench.until(lambda: bench.board.state.link)
        asked_s = asyncio.get_running_loop().time()
        assert (await host.control(0x80, 8, 0, 0, 1)) == (0, b"\1")
        assert asyncio.get_running_loop().time() - asked_s > 0.15

    run(scenario, at_kick(StallUsb(0.2)))


def test_a_fault_changes_the_config_from_the_boot_that_it_names() -> None:
    """The first boot has the board's own project name, the second another."""

    class Renamed(Fault):
        def configure(self, config: FirmwareConfig) -> FirmwareConfig:
            return replace(config, project="renamed")

    async def scenario(bench: Bench) -> None:
        await bench.board.plug()
        await bench.until(lambda: bench.stack.http)
        assert b"hil-reference" in bench.board.respond("GET", "/version").body
        await bench.board.reset(Reset.EN)
        await bench.until(lambda: bench.stack.http)
        assert b"renamed" in bench.board.respond("GET", "/version").body

    run(scenario, ArmedFault(Renamed({}), "renamed", Arming(from_boot=2)))


def test_a_fault_that_raises_kills_the_board_by_name_and_line() -> None:
    """The board's owner is told once."""

    class Broken(Fault):
        name = "broken"

        def boot(self, reset: Reset) -> Reset:
            raise ValueError("oops")

    async def scenario(bench: Bench) -> None:
        await bench.board.plug()
        line = Broken.boot.__code__.co_firstlineno + 1
        assert [str(error) for error in bench.died] == [f"fault broken: {__file__}:{line}: ValueError: oops"]

    run(scenario, ArmedFault(Broken({}), "broken", Arming()))


CLIENT = replace(QUICK, role="dhcp-client", silence_ignored=1)


def test_a_dhcp_client_gets_its_address_from_the_host() -> None:
    """The board asks over the bus, uses what it is given, and says so; the lease goes with the link."""

    async def scenario(bench: Bench) -> None:
        await bench.board.plug()
        host = await bench.link_up()
        pool = DhcpPool("10.0.0.1", 24, "10.0.0.7", "10.0.0.7")
        server = DhcpServer(pool, clock.now_ns())
        for _ in range(2):
            (question,) = await received(host)
            message = dhcp.from_frame(question)
            reply = server.receive(message, clock.now_ns()) if message else None
            assert reply is not None
            answer = reply_frame(reply, USB.host_mac, pool.server)
            await host.submit_out(FRAMES, pack_ntb16([answer], 0, NtbLimits(max_size=3200))).done()
        await bench.until(lambda: bench.stack.address == "10.0.0.7/24")
        told = bench.board.respond("GET", "/events").body.decode()
        names = re.findall(r"DHCP_\w+(?:: .*)?", told.partition("=== STATUS")[0])
        assert names == [
            *("DHCP_CLIENT_STARTED", "DHCP_DISCOVER_TX", "DHCP_OFFER_RX", "DHCP_REQUEST_TX", "DHCP_ACK_RX"),
            "DHCP_ASSIGNED: 10.0.0.7",
        ]
        await host.control(0x00, 9, 0, 0)
        await bench.until(lambda: bench.stack.address == f"{NONE}/0")

    run(scenario, config=CLIENT)


def test_the_board_knows_the_digest_of_what_it_runs() -> None:
    """/version tells the ELF's SHA-256 that stands in the image in flash, and a boot id of no other board."""

    async def scenario(bench: Bench) -> None:
        await bench.board.plug()
        await bench.link_up()
        told = json.loads(bench.board.respond("GET", "/version").body)
        assert told["elf_sha256"] == bench.registry.factory.elf_sha256
        other = Bench([], "bus")
        await other.board.plug()
        await other.link_up()
        assert json.loads(other.board.respond("GET", "/version").body)["boot_id"] != told["boot_id"]
        await other.board.close()
        await other.cable.close()

    run(scenario)


STATIC = replace(
    QUICK,
    role="static",
    silence_ignored=1,
    acd_probe_wait_ms=1,
    acd_probe_min_ms=1,
    acd_probe_max_ms=2,
    acd_announce_wait_ms=20,
    acd_announce_interval_ms=2,
    acd_rate_limit_ms=1,
)
BOARD, RIVAL = USB.board_mac, "02:00:00:00:00:99"
NONE, OURS = "0.0.0.0", "192.168.7.1"


async def heard(host: UsbipHost, frames: int) -> list[tuple[str, str]]:
    """Sender and target address of that many ARP frames of the board."""
    packets: list[ArpPacket] = []
    while len(packets) < frames:
        packets += [ArpPacket.parse(EthernetFrame.parse(each).payload) for each in await received(host)]
    assert {(each.op, each.sender_mac) for each in packets} == {(REQUEST, BOARD)}
    return [(each.sender_ip, each.target_ip) for each in packets]


async def claim(host: UsbipHost) -> None:
    """Another station says that the address is its own."""
    answer = ArpPacket(REPLY, RIVAL, OURS, BOARD, NONE)
    frame = EthernetFrame(BOARD, RIVAL, ETHERTYPE_ARP, answer.pack()).pack()
    await host.submit_out(FRAMES, pack_ntb16([frame], 0, NtbLimits(max_size=3200))).done()


def test_a_static_address_is_probed_then_set_then_announced() -> None:
    """Three probes, then the address in the stack, then two announcements, all of them frames on the bus."""

    async def scenario(bench: Bench) -> None:
        await bench.board.plug()
        host = await bench.link_up()
        assert await heard(host, 3) == [(NONE, OURS)] * 3
        assert bench.stack.address == f"{NONE}/0"
        assert await heard(host, 2) == [(OURS, OURS)] * 2
        assert bench.stack.address == f"{OURS}/24"

    run(scenario, config=STATIC)


def test_an_occupied_address_is_not_set() -> None:
    """Each probe is answered by somebody else: the stack never gets the address, and no announcement leaves."""

    async def scenario(bench: Bench) -> None:
        await bench.board.plug()
        host = await bench.link_up()
        for _ in range(5):
            assert set(await heard(host, 1)) == {(NONE, OURS)}
            await claim(host)
        assert bench.stack.address == f"{NONE}/0"

    run(scenario, config=replace(STATIC, acd_probe_min_ms=500, acd_probe_max_ms=500))


def test_a_second_conflict_takes_the_address_away() -> None:
    """The first is answered by an announcement, the second empties the stack, and probing begins anew."""

    async def scenario(bench: Bench) -> None:
        await bench.board.plug()
        host = await bench.link_up()
        await heard(host, 5)
        await claim(host)
        assert await heard(host, 1) == [(OURS, OURS)]
        await claim(host)
        assert (await heard(host, 1))[0] == (NONE, OURS)
        assert bench.stack.address == f"{NONE}/0"

    run(scenario, config=replace(STATIC, acd_announce_wait_ms=200))


def test_a_mistake_uses_the_address_before_the_first_probe() -> None:
    """The stack has the address as soon as the link is up; probes and announcements come all the same."""

    async def scenario(bench: Bench) -> None:
        await bench.board.plug()
        host = await bench.link_up()
        assert bench.stack.address == f"{OURS}/24"
        assert await heard(host, 5) == [(NONE, OURS)] * 3 + [(OURS, OURS)] * 2

    run(scenario, config=replace(STATIC, acd_address_first=1))


@pytest.mark.parametrize(
    ("mistake", "path", "mode"),
    [
        ("loader_without_flag", "/bootloader", "application"),
        ("loader_flag_left", "/reset", "loader"),
    ],
)
def test_a_wrong_force_download_bit_ends_elsewhere(mistake: str, path: str, mode: str) -> None:
    """Not set, the application comes back; left set at every boot, a plain restart ends in the loader."""

    async def scenario(bench: Bench) -> None:
        await bench.board.plug()
        await bench.link_up()
        await bench.until(lambda: bench.stack.http)
        assert bench.stack.http is not None
        bench.stack.http.respond("POST", path)
        await bench.until(lambda: (bench.board.state.boots, bench.board.state.mode) == (2, mode))

    run(scenario, config=replace(QUICK, loader_detach_ms=1, **{mistake: 1}))  # type: ignore[arg-type]
