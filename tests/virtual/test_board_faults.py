"""What faults do to a board, and at which point of its firmware."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from hil.testing.fake_cable import enumerate_device, next_notification
from hil.virtual.fault_loader import load
from hil.virtual.faults import ArmedFault, Arming, Fault
from hil.virtual.firmware import FirmwareConfig, UsbConnect, UsbDisconnect
from hil.virtual.points import ChipReset, Injection, Later, LoseContact, Mount, Point, PullCable, StallUsb
from hil.virtual.soc import Reset
from hil.virtual.usb.descriptors import FirmwareUsb
from hil.wire.cdc import ConnectionSpeedChange, NetworkConnection, parse_notification
from tests.virtual.board_bench import FRAME, USB, Bench, run
from tests.virtual.until import until


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
            await until(lambda: bench.stack.address)
            assert bench.stack.mac == mac
            await bench.board.reset(Reset.EN)

    run(scenario, ArmedFault(Twin({}), "twin", Arming(from_boot=2)))


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


def test_fault_sends_rejected_while_suspended_loses_the_frame_and_says_so() -> None:
    """The firmware logs the error of the send, and the host is not woken."""

    async def scenario(bench: Bench) -> None:
        await bench.board.plug()
        host = await bench.link_up()
        await host.control(0x00, 3, 1, 0)
        device, watch = bench.cable.device, bench.cable.watch
        assert device is not None
        assert watch is not None
        await until(lambda: bench.stack.http)
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
        await until(lambda: bench.stack.http)
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
        await until(lambda: bench.board.state.link)
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
        await until(lambda: bench.board.state.boots == 2)
        await until(lambda: "RTCWDT_BROWN_OUT_RST" in bench.console.text)

    run(scenario, at_kick(ChipReset(Reset.BROWNOUT)))


def test_a_stalled_usb_task_answers_late() -> None:
    """A request during the stall is answered after it, and the firmware runs on meanwhile."""

    async def scenario(bench: Bench) -> None:
        await bench.board.plug()
        host = await bench.connected()
        await until(lambda: bench.board.state.link)
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
        await until(lambda: bench.stack.http)
        assert b"hil-reference" in bench.board.respond("GET", "/version").body
        await bench.board.reset(Reset.EN)
        await until(lambda: bench.stack.http)
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
