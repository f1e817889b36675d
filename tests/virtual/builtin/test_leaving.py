"""Ways into the loader and out of it that end elsewhere: what the core orders, and what of it is carried out."""

from hil.catalogue import FAULTS
from hil.virtual.builtin.leaving import (
    LEAVING_FAULTS,
    ApplicationWithoutUsb,
    LoaderFlagLeft,
    LoaderFlagNotSet,
    LoaderRequestIgnored,
)
from hil.virtual.download import Download
from hil.virtual.faults import Fault
from hil.virtual.firmware import (
    Command,
    Firmware,
    FirmwareConfig,
    ForceDownload,
    PhyToSerialJtag,
    Restart,
    StartUsb,
    UsbDisconnect,
)
from hil.virtual.flash import FlashChip
from hil.virtual.points import Point
from hil.virtual.rom.identity import ChipIdentity
from hil.virtual.soc import Reset
from hil.virtual.straps import Latches, Phy


def left(fault: Fault, path: str) -> list[Command]:
    """What is carried out of the orders after a POST to ``path``."""
    firmware = Firmware(config=fault.configure(FirmwareConfig()))

    def at_point(point: Point, at_ms: int) -> None:
        assert fault.at_point(point, at_ms) == ()

    firmware.set_points(at_point)
    fault.boot(Reset.POWER_ON)
    firmware.boot("POWERON", 0)
    firmware.netif_started(0)
    while (due_ms := firmware.deadline_ms) is not None and due_ms <= 2000:
        firmware.wake(due_ms)
    firmware.http("POST", path, 2000)
    ordered: list[Command] = []
    while (due_ms := firmware.deadline_ms) is not None and due_ms <= 3000:
        ordered += firmware.wake(due_ms)
    firmware.set_points(None)
    done = [fault.command(each) for each in ordered]
    return [each for each in done if isinstance(each, UsbDisconnect | PhyToSerialJtag | ForceDownload | Restart)]


def kinds(done: list[Command]) -> list[type]:
    return [type(each) for each in done]


def test_every_fault_of_the_module_is_in_the_table() -> None:
    """A fault that nothing must find is no fault."""
    assert {each.name for each in LEAVING_FAULTS} <= {entry.fault for entry in FAULTS}


def test_a_sound_board_leaves_in_four_steps() -> None:
    """Off the bus, the PHY, the bit, the restart."""
    assert kinds(left(Fault({}), "/bootloader")) == [UsbDisconnect, PhyToSerialJtag, ForceDownload, Restart]


def test_the_bit_is_not_set() -> None:
    """All but that."""
    assert kinds(left(LoaderFlagNotSet({}), "/bootloader")) == [UsbDisconnect, PhyToSerialJtag, Restart]


def test_the_bit_is_set_with_each_boot() -> None:
    """Where the right firmware clears it."""
    for fault, on in ((LoaderFlagLeft({}), True), (Fault({}), False)):
        firmware = Firmware(config=fault.configure(FirmwareConfig()))
        ordered = [*firmware.boot("SW", 0), *firmware.wake(1000)]
        assert [each.on for each in ordered if isinstance(each, ForceDownload)] == [on]


def test_a_request_is_ignored_and_a_reset_is_not() -> None:
    """Nothing of the way to the loader is ordered; a restart for its own sake is."""
    fault = LoaderRequestIgnored({})
    assert left(fault, "/bootloader") == []
    assert kinds(left(fault, "/reset")) == [Restart]


def test_usb_stays_away_after_a_stay_in_the_loader_until_the_power_was() -> None:
    """A first boot has USB, one out of the loader has none, one after power-on has it again."""
    fault = ApplicationWithoutUsb({})
    how = Download(ChipIdentity("34:85:18:00:00:02"), Latches(), FlashChip(), Phy.SERIAL_JTAG)
    fault.boot(Reset.POWER_ON)
    assert fault.command(StartUsb()) == StartUsb()
    assert fault.boot(Reset.SOFTWARE) is Reset.SOFTWARE
    assert fault.download(how) is how
    fault.boot(Reset.RTC_WATCHDOG)
    assert fault.command(StartUsb()) is None
    fault.boot(Reset.POWER_ON)
    assert fault.command(StartUsb()) == StartUsb()
