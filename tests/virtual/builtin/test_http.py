"""Faults of the HTTP server and of what it tells, in the whole board."""

import pytest

from hil.virtual.builtin.http import RequestsToldAtLength
from hil.virtual.fault_loader import load
from hil.virtual.faults import Fault
from hil.virtual.firmware import Firmware, FirmwareConfig
from hil.wire.board_status import parse_events
from tests.virtual.test_board import Bench, run
from tests.virtual.until import until


@pytest.mark.parametrize(("path", "blocks"), [("/logs", True), ("/status", False)])
def test_the_log_streams_handler_keeps_the_task(path: str, blocks: bool) -> None:
    """Nothing else does, and a sound board's does not."""

    async def scenario(bench: Bench) -> None:
        await bench.board.plug()
        await until(lambda: bench.stack.http)
        assert bench.board.respond("GET", path).blocks is blocks

    run(scenario, load("log-stream-blocks-http"))


def test_an_empty_status_is_empty_from_its_boot_on() -> None:
    """Status and type stay as they are; other paths have their bodies."""

    async def scenario(bench: Bench) -> None:
        await bench.board.plug()
        await until(lambda: bench.stack.http)
        assert bench.board.respond("GET", "/status").body
        await bench.board.unplug()
        await bench.board.plug()
        await until(lambda: bench.stack.http)
        answer = bench.board.respond("GET", "/status")
        assert (answer.status, answer.content_type, answer.body) == (200, "application/json", b"")
        assert bench.board.respond("GET", "/events").body
        assert bench.board.respond("POST", "/status").body

    run(scenario, load("status-empty-body:from_boot=2"))


def test_a_saturated_event_log_stops_at_thirty_without_a_word() -> None:
    """A sound one goes on to 128 and then counts."""

    async def scenario(bench: Bench) -> None:
        await bench.board.plug()
        host = await bench.link_up()
        for _ in range(20):
            await host.control(0x00, 9, 0, 0)
            await host.control(0x00, 9, 1, 0)
        await until(lambda: bench.stack.http)
        log = parse_events(bench.board.respond("GET", "/events").body)
        assert (len(log.entries), log.recorded, log.discarded) == (30, 30, 0)

    run(scenario, load("event-log-saturated"))


def test_each_request_leaves_a_block_of_lines() -> None:
    """Ten of a request that only reads, where the right firmware logs none."""
    for fault, count in ((RequestsToldAtLength({}), 10), (Fault({}), 0)):
        firmware = Firmware(config=fault.configure(FirmwareConfig()))
        firmware.boot("POWERON", 0)
        firmware.netif_started(0)
        while (due_ms := firmware.deadline_ms) is not None and due_ms <= 3000:
            firmware.wake(due_ms)
        firmware.http("GET", "/status", 3000)
        lines = firmware.http("GET", "/logs_all", 3001).body.splitlines()
        assert sum(b" http: " in line for line in lines) == count
