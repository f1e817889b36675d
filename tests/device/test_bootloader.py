"""What comes of each way into the chip's loader and out of it, and where each may end instead."""

import errno

import pytest

from hil.agent.replies import PortHeld
from hil.board.identity import Identity
from hil.errors import AgentError, BenchError, BoardFailure, BoardMute, LoaderFailure, MisuseError
from hil.profiles.http import Http
from hil.profiles.loader import Loader
from hil.testing.fake_agent import PATH, VID
from hil.testing.faked_bench import CONSOLE
from hil.testing.scripted_http import ScriptedHttp, reply
from hil.timeline.events import BoardSaid, EnumerationFailed
from hil.wire.esp_loader import Op
from tests.device.faked_chip import APPLICATION, JTAG, OTG, SOON_S, Chip, Made, found, in_loader

# ---- where a way in may end ---------------------------------------------------------------------


def test_no_port_ever(chip: Made) -> None:
    """The board left the bus, and nothing came."""
    made = chip(Loader(serial="bootloader"))

    def leaves(data: bytes) -> bytes:
        made.bench.agent.detach()
        return b"ok bootloader\n"

    made.port.answer = leaves
    with pytest.raises(LoaderFailure) as error:
        made.bootloader.enter()
    assert str(error.value) == (
        "loader-never-appears: board s3-a was sent to its loader by serial, said 'ok bootloader', and nothing came to "
        "1-1.2 within 10 s: the PHY was left without an owner, the chip hangs before its loader, or its cable or hub "
        "port lets nothing through"
    )
    assert made.bench.actions()[-1] == ("ActionFailed", "enter_bootloader")


def test_a_port_that_does_not_answer(chip: Made) -> None:
    """The identity is a loader's, and nobody speaks its protocol."""
    made = chip(Loader(serial="bootloader"))
    made.rom.mute = True
    made.obeys(JTAG)
    with pytest.raises(LoaderFailure) as error:
        made.bootloader.enter()
    assert str(error.value) == (
        "loader-does-not-answer: board s3-a is USB-Serial/JTAG (303a:1001) at /dev/ttyACM0 and answers no SYNC within "
        "3 s: no loader runs there (an application that leaves USB to Serial/JTAG looks the same), or it hangs"
    )


def test_whoever_opens_the_loaders_port_meanwhile_is_named(chip: Made) -> None:
    """Its answer went there: no fault of the board's, and no loader that hangs."""
    made = chip(Loader(serial="bootloader"))
    made.obeys(JTAG)
    made.rom.mute = True
    made.port.taken_after = 2
    with pytest.raises(PortHeld, match=r"^/dev/ttyACM0 is held by ModemManager \(process 412\)$"):
        made.bootloader.enter()


def test_a_board_that_has_just_come_is_told_once_its_driver_has_made_its_port(chip: Made) -> None:
    """The kernel tells of a device before it has bound its drivers."""
    made = chip(Loader(serial="bootloader"))
    made.obeys(JTAG)
    node = made.bench.agent.ttys.pop("usb")
    made.port.on_lent = lambda: made.bench.agent.find_tty("s3-a", "usb")
    made.bench.capture.after(0.5, lambda: made.bench.agent.ttys.update(usb=node))
    assert made.bootloader.enter().identity is Identity.SERIAL_JTAG


def test_a_loader_that_has_just_come_is_asked_before_anybody_looks_who_has_it(chip: Made) -> None:
    """The search takes an emulated machine longer than the answer, and the answer is what tells."""
    made = chip(Loader(serial="bootloader"))
    made.obeys(JTAG)
    made.port.taken_after = 1  # once the order is out
    assert made.bootloader.enter().identity is Identity.SERIAL_JTAG


def test_a_loader_that_goes_before_it_is_asked_is_waited_for(chip: Made) -> None:
    """The PHY changed hands before the restart: the port that the timeline told of is there no more."""
    made = chip(Loader(serial="bootloader"))
    made.obeys(JTAG)

    def gone() -> None:
        if len(made.port.lent) == 2:
            made.goes_to(OTG)
        if not made.bench.agent.present:
            raise AgentError(f"no USB device at {PATH}")

    made.port.on_lent = gone
    assert made.bootloader.enter().identity is Identity.USB_OTG


def test_the_other_identity(chip: Made) -> None:
    """0009 where 1001 was expected."""
    made = chip(Loader(serial="bootloader", identity="serial-jtag"))
    made.obeys(OTG)
    with pytest.raises(LoaderFailure) as error:
        made.bootloader.enter()
    assert str(error.value) == (
        "loader-on-other-usb: board s3-a came up as the ROM's loader over USB-OTG (303a:0009), expected "
        "USB-Serial/JTAG (303a:1001): the PHY was left with USB-OTG: route it to USB-Serial/JTAG before the restart "
        "(usb_usj_mode)"
    )


def test_a_firmware_may_be_known_to_go_to_the_other_identity(chip: Made) -> None:
    """What a test expects stands above the profile."""
    made = chip(Loader(serial="bootloader", identity="serial-jtag"))
    made.obeys(OTG)
    assert made.bootloader.enter("serial", identity=Identity.USB_OTG).identity is Identity.USB_OTG


def test_a_firmware_that_does_not_go_where_it_is_known_to_go(chip: Made) -> None:
    """The test's word again, and not the profile's."""
    made = chip(Loader(serial="bootloader", identity="serial-jtag"))
    made.obeys(JTAG)
    with pytest.raises(LoaderFailure) as error:
        made.bootloader.enter("serial", identity=Identity.USB_OTG)
    assert str(error.value) == (
        "loader-on-other-usb: board s3-a came up as USB-Serial/JTAG (303a:1001), expected the ROM's loader over "
        "USB-OTG (303a:0009): the PHY was given to USB-Serial/JTAG before the restart"
    )


def test_a_device_that_does_not_function(chip: Made) -> None:
    """The kernel log has it: something came and could not be enumerated."""
    made = chip(Loader(serial="bootloader"))

    def breaks(data: bytes) -> bytes:
        made.bench.agent.detach()
        made.bench.capture.record_after(0.5, EnumerationFailed(PATH, "descriptor", -71, board="s3-a", source="kmsg"))
        return b""

    made.port.answer = breaks
    with pytest.raises(LoaderFailure) as error:
        made.bootloader.enter()
    assert str(error.value) == (
        "loader-not-enumerated: board s3-a was sent to its loader by serial, and what came to 1-1.2 is not "
        "functioning: it failed at its descriptor (error -71); the kernel log has the rest"
    )


def test_a_repl_that_answers_and_stays(chip: Made) -> None:
    """What it printed is told; its identity is what counts."""
    made = chip(Loader(repl="import pz_actuator; pz_actuator.enter_bootloader()"))
    made.bench.agent.refuses = ("read_attribute", "s3-a", "bound_ncm")
    made.tells = lambda *told: "Entering bootloader..."
    with pytest.raises(LoaderFailure) as error:
        made.bootloader.enter()
    assert str(error.value) == (
        "bootloader-request-ignored: board s3-a was sent to its loader by micropython, said 'Entering bootloader...', "
        "and stayed on the bus: its application runs on"
    )


def test_an_application_that_comes_back(chip: Made) -> None:
    """It restarted, and the download bit was not set."""
    made = chip(Loader(serial="bootloader"))
    made.obeys(APPLICATION)
    with pytest.raises(LoaderFailure, match="restarted, and its application came back: the download bit") as error:
        made.bootloader.enter()
    assert found(error) == "application-came-back"


@pytest.mark.parametrize("again_s", [2.0, 9.9], ids=["long before the end", "while the wait ends"])
def test_a_recovery_of_usb_is_no_restart(chip: Made, again_s: float) -> None:
    """The firmware stayed, though it left the bus because nobody spoke to it; it is waited for."""
    made = chip(Loader(serial="bootloader"))
    capture, agent = made.bench.capture, made.bench.agent

    def recovers() -> None:
        capture.record(BoardSaid("USB_RECOVER", "attempt 1", 3528, "serial", source="serial"))
        agent.become(VID, APPLICATION, 0.5)

    def answer(_data: bytes) -> bytes:
        capture.after(again_s, recovers)
        return b"ok bootloader\n"

    made.port.answer = answer
    with pytest.raises(LoaderFailure) as error:
        made.bootloader.enter()
    assert found(error) == "bootloader-request-ignored"
    assert agent.present


def test_a_recovery_out_of_which_nothing_comes(chip: Made) -> None:
    """The board is not there, whatever it said before."""
    made = chip(Loader(serial="bootloader"))

    def answer(_data: bytes) -> bytes:
        made.bench.capture.record(BoardSaid("USB_RECOVER", "attempt 1", 3528, "serial", source="serial"))
        made.bench.agent.detach()
        return b""

    made.port.answer = answer
    with pytest.raises(LoaderFailure) as error:
        made.bootloader.enter()
    assert found(error) == "loader-never-appears"


def test_a_refusal_is_told_as_it_is(chip: Made) -> None:
    """With its status."""
    made = chip(http=Http(bootloader="/bootloader"))
    with ScriptedHttp() as http:
        made.bench.agent.answers.append(http.says(reply(b"", status=404)))
        with pytest.raises(BoardFailure, match="s3-a answered POST /bootloader with 404"):
            made.bootloader.enter("http")


def test_lines_that_lead_nowhere(chip: Made) -> None:
    """Over the console: nothing of the ROM was heard, and nobody answers."""
    made = chip(console=CONSOLE, flash="console")
    made.rom.mute = True
    made.bench.agent.lines_reset = False
    with pytest.raises(LoaderFailure, match=r"lines of its console; no line of the ROM was heard, and SYNC was not"):
        made.bootloader.enter()


def test_a_bridge_that_leads_to_another_chip(chip: Made) -> None:
    """A loader answers there, and the board has not moved: nothing may be written, and that chip runs again."""
    made = chip(console=CONSOLE, flash="console")
    made.bench.agent.lines_reset = False
    with pytest.raises(BenchError) as error:
        made.bootloader.enter()
    assert str(error.value) == (
        "board s3-a: a loader answers at /dev/ttyUSB0 (1-1.3), and an application stayed at 1-1.2 all the while: "
        "that bridge leads to another chip; see usb and console in bench.toml"
    )
    lines = [call for call in made.bench.agent.calls if call[0] == "reset_by_lines"]
    assert lines == [("reset_by_lines", "s3-a", "download"), ("reset_by_lines", "s3-a")]
    assert made.bench.actions()[-1] == ("ActionFailed", "enter_bootloader")


def test_a_board_whose_usb_shows_nothing_may_be_at_the_bridge(chip: Made) -> None:
    """An application without USB does not leave the bus."""
    made = chip(console=CONSOLE, flash="console")
    made.bench.agent.refuses = ("read_attribute", "s3-a", "idVendor")
    made.bench.agent.lines_reset = False
    assert made.bootloader.enter().port == "console"


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Le"], ids=["none", "half of one"])
def test_a_board_that_is_gone_before_its_answer_is_out(chip: Made, answer: bytes) -> None:
    """It was asked, and what comes to the bus tells what that was worth."""
    made = chip(http=Http(bootloader="/bootloader"))
    with ScriptedHttp() as http:
        made.bench.agent.answers.append(http.says(answer))
        made.bench.capture.after(SOON_S, lambda: made.goes_to(JTAG))
        assert made.bootloader.enter("http").identity is Identity.SERIAL_JTAG


def test_a_board_that_nobody_reaches_was_not_asked(chip: Made) -> None:
    """It is not waited for."""
    made = chip(http=Http(bootloader="/bootloader"))
    made.bench.agent.answers.append(ConnectionRefusedError(errno.ECONNREFUSED, "refused"))
    with pytest.raises(BoardMute, match="s3-a did not answer POST /bootloader over usb"):
        made.bootloader.enter("http")


# ---- ways out -----------------------------------------------------------------------------------


def leaves_by_rts(made: Chip, pid: int) -> None:
    """RTS asserted and released restarts the chip."""
    made.port.on_lines = lambda dtr, rts: made.goes_to(pid) if not rts else None


@pytest.mark.parametrize("pid", [JTAG, OTG])
def test_the_rtc_watchdog_leads_out(chip: Made, pid: int) -> None:
    """It clears the order to stay, and IO0 is read anew; the lines are not touched."""
    made = chip()
    in_loader(made, pid)
    talk = made.port.answer

    def restarts(data: bytes) -> bytes:
        said = talk(data)
        if len(made.rom.requests) == 5:
            made.goes_to(APPLICATION)
        return said

    made.port.answer = restarts
    left = made.bootloader.leave()
    assert (left.identity, left.how) == (Identity.APPLICATION, "its RTC watchdog")
    assert made.port.lines == []
    assert made.bench.acted() == [("leave_bootloader", "reset")]


def test_where_no_loader_answers_the_lines_are_left(chip: Made) -> None:
    """RTS: an application that leaves USB to Serial/JTAG, or a loader that hangs."""
    made = chip()
    in_loader(made)
    made.rom.mute = True
    leaves_by_rts(made, APPLICATION)
    assert made.bootloader.leave().how == "its own lines"
    assert made.port.lines == [(False, True), (False, False)]


def test_the_bridge_leads_out_too(chip: Made) -> None:
    """EN clears the order; the loader is not spoken to."""
    made = chip(console=CONSOLE)
    in_loader(made)
    assert made.bootloader.leave().how == "the lines of its console"
    assert made.rom.requests == []


def test_a_reset_that_does_not_reach_the_board(chip: Made) -> None:
    """Its application runs as before; nothing is said of what is in its flash."""
    made = chip(console=CONSOLE)
    made.bench.agent.lines_reset = False
    with pytest.raises(
        LoaderFailure, match=r"application had been at 1-1\.2 all the while: the reset did not reach it"
    ):
        made.bootloader.leave()


def test_lines_that_do_not_reach_a_chip_in_its_loader(chip: Made) -> None:
    """EN takes every device of the chip off the bus: one that stayed tells nothing of the order to stay."""
    made = chip(console=CONSOLE)
    made.bench.agent.lines_reset = False
    in_loader(made)
    made.bench.capture.catch_up()
    made.bench.clock.advance(0.5)
    with pytest.raises(LoaderFailure) as error:
        made.bootloader.leave()
    assert str(error.value) == (
        "application-never-appears: board s3-a was reset out of its loader by the lines of its console, and "
        "USB-Serial/JTAG (303a:1001) had been at 1-1.2 all the while: the reset did not reach it: are DTR and RTS "
        "wired to EN and IO0?"
    )


def test_a_loader_that_comes_back_was_told_to_stay(chip: Made) -> None:
    """After a plain reset, although the bit was to be cleared: it was not."""
    made = chip()
    in_loader(made)
    leaves_by_rts(made, JTAG)
    with pytest.raises(LoaderFailure) as error:
        made.bootloader.leave(plain=True)
    assert str(error.value) == (
        "download-bit-never-cleared: board s3-a was reset out of its loader by its own lines, and USB-Serial/JTAG "
        "(303a:1001) is there again: the download bit (RTC_CNTL_OPTION1 bit 0) was never cleared and outlives a reset "
        "that keeps the supply, or GPIO0 is held low"
    )
    assert [request.op for request in made.rom.requests] == [Op.SYNC, Op.WRITE_REG, Op.SYNC]


def test_serial_jtag_without_a_loader_is_a_flash_that_does_not_run(chip: Made) -> None:
    """A chip that fails to boot shows its own USB, and nobody answers there."""
    made = chip()
    in_loader(made)
    made.rom.mute = True
    leaves_by_rts(made, JTAG)
    with pytest.raises(LoaderFailure, match="there without a loader that answers: what is in its flash does not run"):
        made.bootloader.leave()


def test_a_flash_that_holds_nothing_that_runs(chip: Made) -> None:
    """The loader went and nothing came."""
    made = chip()
    in_loader(made)
    made.rom.mute = True
    made.port.on_lines = lambda dtr, rts: made.bench.agent.detach() if not rts else None
    with pytest.raises(LoaderFailure, match=r"nothing came to 1-1\.2 within 10 s: what is in its flash does not run"):
        made.bootloader.leave()


def test_an_application_has_no_loader_to_leave(chip: Made) -> None:
    """What is there is said."""
    with pytest.raises(MisuseError, match=r"s3-a is not in its loader: there is an application at 1-1\.2"):
        chip().bootloader.leave()
