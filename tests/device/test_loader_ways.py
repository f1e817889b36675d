"""Into the chip's loader, by every way."""

import pytest

from hil.board.identity import Identity
from hil.clock import Clock, to_ns
from hil.device.lent_port import BRIDGE_DOWNLOAD, USJ_DOWNLOAD, Port
from hil.errors import AgentError, LoaderFailure, MisuseError
from hil.profiles.http import Http
from hil.profiles.loader import Loader
from hil.testing.faked_bench import CONSOLE
from hil.testing.scripted_http import ScriptedHttp, reply
from hil.timeline.events import BootMessage
from hil.wire.esp_loader import Op
from tests.device.faked_chip import APPLICATION, JTAG, OTG, SOON_S, Made, found, line_of


def test_the_surest_way_comes_first(chip: Made) -> None:
    """Lines need no firmware, a serial command no network; what is not named is no way."""
    everything = Loader(serial="bootloader", touch_1200=True, lines=True)
    ways = chip(everything, Http(bootloader="/bootloader"), console=CONSOLE, button=True).bootloader.ways()
    assert ways == ("dtr_rts", "power", "serial", "http", "touch1200")


def test_no_way_is_the_tests_mistake(chip: Made) -> None:
    """It says where ways are named, and which there are."""
    with pytest.raises(
        MisuseError, match=r"board s3-a by '' with profile mine; ways: none: no console or boot in bench.toml"
    ):
        chip().bootloader.enter()
    with pytest.raises(MisuseError, match=r"by 'http' with profile mine; ways: 'serial'"):
        chip(Loader(serial="bootloader")).bootloader.enter("http")


def test_a_round_trip_asks_for_what_the_timeline_does_not_tell(chip: Made) -> None:
    """The pulses, and the port once: each further question is time that a test waits for."""
    made = chip(console=CONSOLE)
    agent = made.bench.agent
    agent.tells_of_tty = True
    before = len(agent.calls)
    made.bootloader.enter("dtr_rts")
    made.bootloader.leave()
    pulses = [("reset_by_lines", "s3-a", "download"), ("reset_by_lines", "s3-a")]
    assert agent.calls[before:] == pulses
    assert made.port.lent == ["usb"]


def test_a_line_on_the_serial_port_is_obeyed(chip: Made) -> None:
    """The loader is there when its identity came and SYNC was answered; the instant is that of its coming."""
    made = chip(Loader(serial="bootloader", identity="serial-jtag"))
    made.obeys(JTAG, b"I (17) main: x\r\nok bootloader\r\n")
    entered = made.bootloader.enter()
    assert (entered.identity, entered.port, entered.how) == (Identity.SERIAL_JTAG, "usb", "serial")
    assert made.port.written[0] == b"\nbootloader\n", "what the kernel has echoed to it stands before a line end"
    assert made.bench.acted() == [("enter_bootloader", "reset")]
    assert made.rom.requests[-1].op == Op.SYNC


def test_a_port_that_goes_before_it_is_open_is_waited_for(chip: Made) -> None:
    """A firmware that recovers by itself is off the bus for a moment; the order is given when it is back, once."""
    made = chip(Loader(serial="bootloader", identity="serial-jtag"))
    made.obeys(JTAG, b"ok bootloader\r\n")

    def goes() -> None:
        made.port.on_lent = lambda: None
        made.bench.agent.become(0x303A, APPLICATION, 1.0)
        raise AgentError("open_tty: 1-1 has no serial port ttyACM0")

    made.port.on_lent = goes
    assert made.bootloader.enter().identity is Identity.SERIAL_JTAG
    assert made.port.written.count(b"\nbootloader\n") == 1


def test_a_port_that_cannot_be_opened_while_the_board_stays_is_an_error(chip: Made) -> None:
    """Nothing has gone, so nothing is waited for."""
    made = chip(Loader(serial="bootloader"))

    def refuses() -> None:
        raise AgentError("open_tty: /dev/ttyACM0: Input/output error")

    made.port.on_lent = refuses
    with pytest.raises(AgentError, match="Input/output error"):
        made.bootloader.enter()
    assert made.port.lent == ["usb"]


def test_the_firmware_is_asked_by_post(chip: Made) -> None:
    """At the profile's path."""
    made = chip(http=Http(bootloader="/bootloader"))
    with ScriptedHttp() as http:
        made.bench.agent.answers.append(http.says(reply(b'{"status":"bootloader"}')))
        made.bench.capture.after(SOON_S, lambda: made.goes_to(JTAG))
        assert made.bootloader.enter("http").identity is Identity.SERIAL_JTAG


def test_a_statement_is_told_to_micropython(chip: Made) -> None:
    """The statement is the profile's."""
    made = chip(Loader(repl="import board_utils; board_utils.enter_bootloader()"))
    made.bench.agent.refuses = ("read_attribute", "s3-a", "bound_ncm")
    told: list[str] = []

    def tells(port: Port, board: str, statement: str, clock: Clock) -> str:
        told.append(statement)
        made.goes_to(OTG)
        return ""

    made.tells = tells
    assert made.bootloader.enter().identity is Identity.USB_OTG
    assert told == ["import board_utils; board_utils.enter_bootloader()"]


def test_no_ctrl_c_goes_to_what_has_an_ncm_interface(chip: Made) -> None:
    """303a:4001 is MicroPython and the bridge alike; the interfaces tell them apart."""
    made = chip(Loader(repl="import machine; machine.bootloader()"))
    made.tells = lambda *told: pytest.fail("a Ctrl-C was sent")
    with pytest.raises(MisuseError, match="has an NCM interface, so it is not the MicroPython of profile mine; no Ctr"):
        made.bootloader.enter()


def test_a_touch_is_1200_baud_and_dtr_low(chip: Made) -> None:
    """Nothing is written."""
    made = chip(Loader(touch_1200=True))
    made.port.on_lines = lambda dtr, rts: made.goes_to(JTAG)
    assert made.bootloader.enter("touch1200").how == "touch1200"
    assert made.port.bauds == [1200]
    assert made.port.lines == [(False, False)]


def test_the_bridge_pulls_io0_low(chip: Made) -> None:
    """By the agent; no port of the board is touched before its loader is there."""
    made = chip(console=CONSOLE)
    assert made.bootloader.enter().identity is Identity.SERIAL_JTAG
    assert ("reset_by_lines", "s3-a", "download") in made.bench.agent.calls
    assert made.port.lent == ["usb"]


def test_a_console_that_is_flashed_by_is_asked_itself(chip: Made) -> None:
    """The ROM says that it waits, and answers at the bridge, whatever USB shows."""
    made = chip(console=CONSOLE, flash="console")
    line = BootMessage("rom", "rst:0x1 (POWERON),boot:0x0 (DOWNLOAD(USB/UART0))", "POWERON")
    made.bench.capture.record_after(0.2, line_of(BootMessage("rom", "ESP-ROM:esp32s3-20210327", "")))
    made.bench.capture.record_after(0.3, line_of(line))
    began_ns = made.bench.clock.now_ns()
    entered = made.bootloader.enter()
    assert made.bench.clock.now_ns() - began_ns < to_ns(1.0)
    assert (entered.port, made.port.lent) == ("console", ["console"])


def test_power_with_boot_held_leads_to_the_loader(chip: Made) -> None:
    """It asks nothing of the firmware; the board sees its supply go, and BOOT is let go once the loader is there."""
    made = chip(button=True)
    assert made.bootloader.ways() == ("power",)
    entered = made.bootloader.enter("power")
    assert (entered.identity, entered.port, entered.how) == (Identity.SERIAL_JTAG, "usb", "power")
    assert made.bench.acted() == [("enter_bootloader", "vbus_off")]
    assert made.held == [True, False]


def test_a_boot_line_that_leads_nowhere_is_found(chip: Made) -> None:
    """The application came back; nothing is held any more."""
    made = chip(button=True)
    made.wired = False
    with pytest.raises(LoaderFailure, match=r"sent to its loader by power, restarted, and .* IO0 was high") as error:
        made.bootloader.enter("power")
    assert found(error) == "application-came-back"
    assert made.held == [True, False]


def test_power_with_boot_held_is_heard_at_the_console_too(chip: Made) -> None:
    """Where that one is asked; without an answer both wires are named."""
    made = chip(console=CONSOLE, button=True)
    assert made.bootloader.enter("power", at="console").port == "console"
    made.rom.mute = True
    with pytest.raises(
        LoaderFailure, match=r"by power with BOOT held; .*: is BOOT wired to IO0, and does its power go"
    ):
        made.bootloader.enter("power", at="console")


def test_serial_jtag_resets_by_its_own_lines(chip: Made) -> None:
    """An application that leaves USB to Serial/JTAG is brought into the loader by its DTR and RTS."""
    made = chip()
    made.goes_to(JTAG, 0.0)
    made.bench.capture.catch_up()
    made.bench.clock.advance(0.5)
    made.port.on_lines = lambda dtr, rts: made.goes_to(JTAG) if len(made.port.lines) == len(USJ_DOWNLOAD) else None
    assert made.bootloader.ways() == ("dtr_rts",)
    assert made.bootloader.enter("dtr_rts").identity is Identity.SERIAL_JTAG
    assert made.port.lines == [(dtr, rts) for dtr, rts, _ in USJ_DOWNLOAD]


def test_lines_are_toggled_only_where_the_firmware_is_known_to_watch_them(chip: Made) -> None:
    """MicroPython leaves for its loader by them; to any other application it would be an accident."""
    assert chip().bootloader.ways() == ()
    made = chip(Loader(lines=True))
    made.port.on_lines = lambda dtr, rts: made.goes_to(JTAG) if len(made.port.lines) == len(BRIDGE_DOWNLOAD) else None
    assert made.bootloader.enter("dtr_rts").identity is Identity.SERIAL_JTAG


def test_a_board_that_is_in_its_loader_already_is_left_there(chip: Made) -> None:
    """SYNC is answered, and no way is gone."""
    made = chip(Loader(serial="bootloader"))
    made.goes_to(OTG, 0.0)
    made.bench.capture.catch_up()
    entered = made.bootloader.enter()
    assert (entered.identity, entered.how) == (Identity.USB_OTG, "")
    with pytest.raises(LoaderFailure, match=r"came up as .*303a:0009.*, expected .*303a:1001") as error:
        made.bootloader.enter(identity=Identity.SERIAL_JTAG)
    assert found(error) == "loader-on-other-usb"
    assert made.bench.acted() == []


def test_an_identity_that_shows_for_a_moment_is_not_the_loader(chip: Made) -> None:
    """A PHY that changes hands before the restart: the loader is what stays and answers."""
    made = chip(Loader(serial="bootloader"))

    def restarts(data: bytes) -> bytes:
        made.port.answer = made.rom.answer
        made.goes_to(JTAG)
        made.bench.capture.after(0.8, lambda: made.goes_to(JTAG))
        return b""

    made.port.answer = restarts
    assert made.bootloader.enter().identity is Identity.SERIAL_JTAG
