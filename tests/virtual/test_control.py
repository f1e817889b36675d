"""The control protocol, spoken over a socketpair to a board without a kernel."""

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from hil.errors import VirtualBoardError
from hil.testing.fake_cable import FakeCable
from hil.testing.fake_stack import FakeStack
from hil.virtual.board import VirtualBoard
from hil.virtual.board_parts import BoardParts
from hil.virtual.board_spec import BoardSpec
from hil.virtual.chip import ChipParts
from hil.virtual.control import Control
from hil.virtual.fault_loader import load
from hil.virtual.flash import FlashChip
from hil.virtual.registry import Registry, furnish
from hil.virtual.rom.identity import ChipIdentity

WITHIN_S = 5.0


class Console:
    def write(self, data: bytes) -> int:
        return len(data)


@dataclass
class FakeAssembly:
    board: VirtualBoard
    cable: FakeCable
    usb: str = "1-1"
    console: str = "1-2"
    lan: str = "hil-lan"
    address: str = "192.0.2.7"
    closed: bool = False

    async def close(self) -> None:
        await self.board.close()
        await self.cable.close()
        self.closed = True


class Client:
    """One end of the control socket, the server behind the other."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.made: list[FakeAssembly] = []
        self.died: Callable[[VirtualBoardError], None] = lambda error: None

    async def assemble(self, spec: BoardSpec, on_died: Callable[[VirtualBoardError], None]) -> FakeAssembly:
        cable = FakeCable()
        self.died = on_died
        flash, registry = FlashChip(), Registry(spec.mac)
        furnish(flash, registry.factory)
        chip = ChipParts(ChipIdentity(spec.mac), flash, registry)
        parts = BoardParts(chip, FakeStack(), cable, Console(), spec.supply)
        self.made.append(FakeAssembly(VirtualBoard(parts, [load(text) for text in spec.faults], on_died), cable))
        return self.made[-1]

    async def ask(self, do: str, **fields: Any) -> dict[str, Any]:
        self.writer.write(json.dumps({"id": 7, "do": do, **fields}).encode() + b"\n")
        return await self.read()

    async def read(self) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(await asyncio.wait_for(self.reader.readline(), WITHIN_S))
        return answer


def run(scenario: Callable[[Client], Awaitable[None]]) -> tuple[Client, bool]:
    """The client and what ``serve`` returned, once the scenario is over and its socket closed."""

    async def whole() -> tuple[Client, bool]:
        near, far = socket.socketpair()
        client = Client(*await asyncio.open_connection(sock=near))
        reader, writer = await asyncio.open_connection(sock=far)
        serving = asyncio.create_task(Control(reader, writer, client.assemble).serve())
        try:
            await scenario(client)
        finally:
            client.writer.close()
            stopped = await asyncio.wait_for(serving, WITHIN_S)
            writer.close()
        return client, stopped

    return asyncio.run(whole())


def test_configure_answers_with_the_places_of_the_board() -> None:
    """Ports, namespace and fallback address are known before there is power."""

    async def scenario(client: Client) -> None:
        answer = await client.ask("configure", board="s3-a")
        t_ns = answer.pop("t_ns")
        assert answer == {
            "id": 7, "ok": True, "usb": "1-1", "console": "1-2", "lan": "hil-lan", "address": "192.0.2.7"
        }  # fmt: skip
        state = await client.ask("state")
        assert (state["powered"], state["boots"]) == (False, 0)
        assert state["t_ns"] > t_ns

    run(scenario)


def test_the_whole_life_of_a_board() -> None:
    """plug, reset, power, unplug and set_fault each answer with the instant of their effect."""

    async def scenario(client: Client) -> None:
        await client.ask("configure", board="s3-a", faults=["no-link-notification:from_mount=2"])
        answers = [
            await client.ask("plug"),
            await client.ask("reset", kind="sw"),
            await client.ask("power", on=False),
            await client.ask("power", on=True),
            await client.ask("unplug"),
            await client.ask("set_fault", faults=["dhcp-server-not-started"]),
        ]
        assert [answer["ok"] for answer in answers] == [True] * 6
        assert [answer["t_ns"] for answer in answers] == sorted(answer["t_ns"] for answer in answers)
        state = await client.ask("state")
        assert (state["boots"], state["plugged"], state["faults"]) == (3, False, {"dhcp-server-not-started": True})

    run(scenario)


@pytest.mark.parametrize(
    ("message", "error"),
    [
        (
            {"do": "fly"},
            "unknown request 'fly'; known: configure, plug, unplug, power, reset, hold_boot, set_fault, state, stop",
        ),
        ({"do": "power", "on": 1}, "power: on is 1, expected true or false"),
        ({"do": "reset", "kind": "hard"}, "reset: kind is 'hard'; known: en, sw, panic"),
        ({"do": "reset", "kind": "en"}, "reset EN: the board has no power; plug it in or switch its supply on"),
        ({"do": "set_fault", "faults": "x"}, "set_fault: faults is 'x', expected a list of texts"),
        ({"do": "configure", "board": "b"}, "configure: this process has its board already; start another one"),
    ],
)
def test_what_cannot_be_done_is_answered_with_value_and_choices(message: dict[str, Any], error: str) -> None:
    """The connection goes on after an error."""

    async def scenario(client: Client) -> None:
        await client.ask("configure", board="s3-a")
        answer = await client.ask(**message)
        assert (answer["ok"], answer["error"], answer["kind"]) == (False, error, "VirtualBoardError")
        assert (await client.ask("state"))["ok"]

    run(scenario)


def test_nothing_can_be_done_before_configure() -> None:
    """The error says what comes first; a line that is no JSON is answered too."""

    async def scenario(client: Client) -> None:
        assert (await client.ask("plug"))["error"] == "'plug' before configure; the first message is configure"
        client.writer.write(b"hello\n")
        answer = await client.read()
        assert (answer["id"], answer["ok"]) == (None, False)
        assert answer["error"] == "'hello' before configure; the first message is configure"

    run(scenario)


@pytest.mark.parametrize("ending", ["stop", "eof"])
def test_stop_and_end_of_file_give_everything_back(ending: str) -> None:
    """The assembly is closed and serve says that all is well."""

    async def scenario(client: Client) -> None:
        await client.ask("configure", board="s3-a")
        await client.ask("plug")
        if ending == "stop":
            assert (await client.ask("stop"))["ok"]

    client, stopped = run(scenario)
    assert (client.made[0].closed, stopped) == (True, True)


def test_a_board_that_dies_is_announced() -> None:
    """The client reads why, unasked, and serve says that all is not well."""

    async def scenario(client: Client) -> None:
        await client.ask("configure", board="s3-a")
        client.died(VirtualBoardError("fault broken: mine.py:3: ValueError: oops"))
        assert await client.read() == {"notify": "died", "error": "fault broken: mine.py:3: ValueError: oops"}

    client, stopped = run(scenario)
    assert (client.made[0].closed, stopped) == (True, False)


def test_an_error_that_nobody_caught_ends_the_board() -> None:
    """A bug in a callback is announced with its place instead of leaving a silent board."""

    async def scenario(client: Client) -> None:
        await client.ask("configure", board="s3-a")
        asyncio.get_running_loop().call_soon(int, "x")
        died = await client.read()
        assert died["notify"] == "died"
        assert died["error"].endswith("ValueError: invalid literal for int() with base 10: 'x'")

    _, stopped = run(scenario)
    assert not stopped
