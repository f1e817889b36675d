"""What a board says of the application that it runs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hil.agent.replies import ConnectFailed
from hil.bench import Board
from hil.device.actions import Actions
from hil.device.readings import Readings
from hil.device.running import Running, Teller, described
from hil.device.usb_network import UsbNetwork
from hil.profiles import load
from hil.testing.faked_bench import CONSOLE, FakedBench
from hil.testing.scripted_http import ScriptedHttp, reply
from hil.timeline.events import Acted, SerialLine
from hil.wire.esp_image import AppDescription

APP = AppDescription("hello", "1.2", "abcdef0123456789" * 4)
BOOT = (
    "I (33) app_init: Application information:",
    "I (34) app_init: Project name:     hello",
    "I (35) app_init: App version:      1.2",
    "I (36) app_init: Compile time:     Nov 20 2026 12:00:00",
    "I (37) app_init: ELF file SHA256:  abcdef012...",
)


def test_a_description_is_read_from_the_log() -> None:
    """As ESP-IDF prints it; the last whole one counts."""
    assert described("console", BOOT) == Running("console", "hello", "1.2", "abcdef012")
    later = [line.replace("1.2", "1.3") for line in BOOT]
    assert described("console", [*BOOT, *later]) == Running("console", "hello", "1.3", "abcdef012")
    assert described("console", [*BOOT, *later[:3]]) == Running("console", "hello", "1.2", "abcdef012")
    assert described("console", [*BOOT, *later[2:]]) == Running("console", "", "1.3", "abcdef012")
    older = "I (37) cpu_start: ELF file SHA256:  abcdef0123456789..."
    assert described("serial", [older]) == Running("serial", elf_sha256="abcdef0123456789")
    assert described("console", ["I (1) main: App version: mine", "noise"]) is None


def test_a_description_is_held_against_an_application() -> None:
    """What it leaves out speaks neither for nor against."""
    assert Running("console", "hello", "1.2", "abcdef012").is_app(APP)
    assert Running("/version", version="1.2").is_app(APP)
    assert not Running("/version", "other", "1.2").is_app(APP)
    assert not Running("/version", version="1.3").is_app(APP)
    assert not Running("console", "hello", "1.2", "abcdef013").is_app(APP)
    assert str(Running("console", "hello", "1.2", "abcdef0123")) == "hello 1.2, ELF abcdef012 (by its console)"
    assert str(Running("/version", version="1.2")) == "a firmware 1.2 (by its /version)"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[FakedBench]:
    made = FakedBench(tmp_path, console=CONSOLE).known()
    yield made
    made.close()


def teller(bench: FakedBench, console: str = CONSOLE, fallback: str = "", profile: str = "generic") -> Teller:
    spec = Board("s3-a", "1-1.2", console=console, fallback=fallback, fallback_namespace="hil-lan", profile=profile)
    known = load(profile)
    readings = Readings(spec, known, bench.agent, Actions("s3-a", bench.capture.record), deadline_s=1.0)
    network = UsbNetwork(spec, known, bench.agent, bench.witness)
    return Teller(spec, known, witness=bench.witness, readings=readings, network=network, clock=bench.clock)


def say(bench: FakedBench, after_s: float, source: str = "console", board: str = "s3-a") -> None:
    for text in BOOT:
        bench.capture.record_after(after_s, SerialLine(text, 0, len(text), True, board=board, source=source))


def test_the_console_is_listened_to_first(bench: FakedBench) -> None:
    """It costs no traffic; what it said before the reset does not count."""
    say(bench, 0.0)
    bench.clock.advance(1.0)
    bench.capture.catch_up()
    asker = teller(bench)
    bench.witness.refresh()
    assert asker.heard() == Running("console", "hello", "1.2", "abcdef012")
    bench.clock.advance(1.0)
    reset_ns = bench.clock.now_ns()
    assert asker.heard(reset_ns) is None
    say(bench, 0.4)
    assert asker.since(reset_ns) == Running("console", "hello", "1.2", "abcdef012")
    assert bench.clock.now_ns() - reset_ns < 1_000_000_000


def test_the_boards_own_port_tells_as_well(bench: FakedBench) -> None:
    """Where there is no console; and not what another board says."""
    say(bench, 0.0, source="serial", board="s3-b")
    bench.capture.catch_up()
    assert teller(bench, console="").since(0) is None
    say(bench, 0.0, source="serial")
    bench.capture.catch_up()
    assert teller(bench, console="").since(0) == Running("serial", "hello", "1.2", "abcdef012")


def test_a_version_path_is_asked_over_the_fallback(bench: FakedBench) -> None:
    """Until the server listens; what it leaves out is left open."""
    with ScriptedHttp() as http:
        told = http.says(reply(b'{"version":"1.2","project":"hello","uptime_ms":1}'))
        bench.agent.answers += [ConnectFailed("refused", "nobody listens"), told]
        asker = teller(bench, console="", fallback="192.0.2.7", profile="reference")
        assert asker.since(0) == Running("/version", "hello", "1.2")
    assert bench.agent.calls.count(("open_tcp_socket", "lan", "192.0.2.7", "80")) == 2


def test_a_version_path_is_asked_over_usb_where_there_is_no_fallback(bench: FakedBench) -> None:
    """Once the interface is in its namespace; the host's address there is gone afterwards."""
    with ScriptedHttp() as http:
        bench.agent.answers += [http.says(reply(b'{"version":"1.2","project":"hello","uptime_ms":1}'))]
        bench.capture.record_after(2.0, Acted("interface_adopted", "nothing", board="s3-a", source="agent"))
        assert teller(bench, console="", profile="reference").since(0) == Running("/version", "hello", "1.2")
    assert [call for call in bench.agent.calls if "address" in call[0] or "tcp" in call[0]] == [
        ("set_address", "s3-a", "192.168.7.253/24", ""),
        ("open_tcp_socket", "s3-a", "192.168.7.1", "80"),
        ("clear_address", "s3-a"),
    ]


def test_who_has_no_way_to_tell_is_not_asked(bench: FakedBench) -> None:
    """No interface, or a profile without a version path."""
    assert teller(bench, console="", profile="reference").since(0) is None
    assert teller(bench, console="", fallback="192.0.2.7").since(0) is None
