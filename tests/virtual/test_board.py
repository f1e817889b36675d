"""The board in process: power, frames, its firmware, sleep."""

import json

from hil.wire.ncm import NtbLimits, pack_ntb16
from tests.virtual.board_bench import FRAME, FRAMES, Bench, received, run
from tests.virtual.until import until


def test_plugging_in_a_bus_powered_board_boots_it() -> None:
    """ROM, boot loader and firmware speak on the UART, in this order, and the host can configure the device."""

    async def scenario(bench: Bench) -> None:
        await bench.board.plug()
        await bench.connected()
        state = bench.board.state
        assert (state.powered, state.plugged, state.mounted, state.boots, state.mounts) == (True, True, True, 1, 1)
        await until(lambda: "2nd stage" in bench.console.text)
        assert bench.console.text.index("main: ") > 0

    run(scenario)


def test_frames_pass_between_host_and_stack_in_both_directions() -> None:
    """A datagram of the host's block reaches the stack, and a frame of the stack reaches the host."""

    async def scenario(bench: Bench) -> None:
        await bench.board.plug()
        host = await bench.link_up()
        await until(lambda: bench.stack.address)
        await host.submit_out(FRAMES, pack_ntb16([FRAME], 0, NtbLimits(max_size=3200))).done()
        await until(lambda: bench.stack.delivered == [FRAME])
        bench.stack.on_frame(FRAME)
        assert await received(host) == [FRAME]

    run(scenario)


def test_the_firmware_starts_interface_server_and_http() -> None:
    """The stack is told the addresses of the firmware's configuration."""

    async def scenario(bench: Bench) -> None:
        await bench.board.plug()
        await until(lambda: bench.stack.http)
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
        await until(lambda: bench.stack.address)
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


def test_an_open_log_stream_gives_the_lines_of_the_boot() -> None:
    """The stream of the firmware's ring comes out in server-sent events."""

    async def scenario(bench: Bench) -> None:
        await bench.board.plug()
        await until(lambda: bench.stack.http)
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
        await until(lambda: watch.wakeups == 1)
        assert await received(host) == [FRAME]

    run(scenario)


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
