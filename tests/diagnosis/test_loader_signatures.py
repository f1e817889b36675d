"""Where a way into the chip's loader, or out of it, ended instead: by what was seen, whatever the error says."""

import pytest

from hil.device import loader_failures
from hil.diagnosis.loader_signatures import LOADER_SIGNATURES
from hil.testing.handmade import PORT, at, attached, detached, names, said
from hil.timeline.events import (
    ActionFailed,
    BootMessage,
    CaptureGap,
    EnumerationFailed,
    Event,
    HttpFailed,
    HttpReply,
    LoaderAsked,
    ProfileRead,
    Started,
    UsbAttached,
    UsbDetached,
)

GONE = detached(5.3)
EXPECTS_JTAG = at(-1.0, ProfileRead("reference", "", 24, "", "", "serial-jtag"), "harness")
EXPECTS_NOTHING = at(-1.0, ProfileRead("generic", "", 24, "", "", ""), "harness")


def jtag(t_s: float) -> UsbAttached:
    return at(t_s, UsbAttached(PORT, 0x303A, 0x1001), "uevent")


def otg(t_s: float) -> UsbAttached:
    return at(t_s, UsbAttached(PORT, 0x303A, 0x0009), "uevent")


def asked(t_s: float, answered: bool, port: str = "usb") -> LoaderAsked:
    return at(t_s, LoaderAsked(port, answered), "action")


def rom(t_s: float, how: str) -> BootMessage:
    return at(t_s, BootMessage("rom", f"rst:0x15 (USB_UART_CHIP_RESET),boot:{how}", "USB_UART"), "console")


WAITS, STARTS = rom(5.6, "0x0 (DOWNLOAD(USB/UART0))"), rom(5.6, "0x8 (SPI_FAST_FLASH_BOOT)")


RECOVERS = said(5.2, "USB_RECOVER", "attempt 1")


def posted(t_s: float, status: int) -> HttpReply:
    return at(t_s, HttpReply("/bootloader", status, "POST", "application/json", "", 0.1), "http")


def unheard(t_s: float) -> HttpFailed:
    return at(t_s, HttpFailed("/bootloader", "POST", "timeout", 0.1, ""), "http")


def broken(t_s: float) -> EnumerationFailed:
    return at(t_s, EnumerationFailed(PORT, "descriptor", -71), "kmsg")


def enters(*between: Event, how: str = "serial", until_s: float = 15.0) -> list[Event]:
    """A board that was told to go at 5 s, which failed."""
    begun, failed = Started("enter_bootloader", how), ActionFailed("enter_bootloader", "…")
    return [EXPECTS_JTAG, attached(1.0), at(5.0, begun, "action"), *between, at(until_s, failed, "action")]


def leaves(*between: Event) -> list[Event]:
    """A board in its loader that was reset out of it at 5 s, which failed."""
    begun, failed = Started("leave_bootloader", "plain"), ActionFailed("leave_bootloader", "…")
    return [EXPECTS_JTAG, jtag(1.0), at(5.0, begun, "action"), *between, at(15.0, failed, "action")]


@pytest.mark.parametrize(
    ("name", "events"),
    [
        ("loader-never-appears", enters(GONE)),
        ("loader-never-appears", enters(GONE, WAITS)),
        ("loader-never-appears", enters(GONE, jtag(5.5), detached(5.6))),
        ("loader-not-enumerated", enters(GONE, broken(6.0))),
        ("loader-not-enumerated", leaves(GONE, broken(6.0))),
        ("loader-does-not-answer", enters(GONE, jtag(6.0), asked(9.0, False))),
        ("loader-does-not-answer", enters(WAITS, asked(9.0, False, "console"), how="dtr_rts")),
        ("loader-on-other-usb", enters(GONE, otg(6.0))),
        ("bootloader-request-ignored", enters()),
        ("bootloader-request-ignored", enters(posted(5.1, 200), how="http")),
        ("bootloader-request-ignored", enters(RECOVERS, GONE, attached(6.0))),
        (
            "bootloader-request-ignored",
            enters(RECOVERS, GONE, attached(6.0), said(8.2, "USB_RECOVER"), detached(8.3), attached(9.0)),
        ),
        ("application-came-back", enters(RECOVERS, GONE, STARTS, attached(6.0))),
        ("application-came-back", enters(RECOVERS, GONE, attached(6.0), detached(8.3), attached(9.0))),
        ("loader-never-appears", enters(RECOVERS, GONE)),
        ("application-came-back", enters(GONE, attached(6.5))),
        ("application-came-back", enters(GONE, STARTS, attached(6.5))),
        ("download-bit-never-cleared", leaves()),
        ("download-bit-never-cleared", leaves(GONE, jtag(6.0), WAITS)),
        ("application-never-appears", leaves(GONE)),
        ("application-never-appears", leaves(GONE, STARTS)),
        ("application-never-appears", leaves(GONE, STARTS, jtag(6.0), asked(9.0, False))),
        ("application-never-appears", leaves(asked(9.0, False))),
        ("download-bit-never-cleared", leaves(asked(9.0, True))),
    ],
)
def test_each_end_of_a_way_is_named(name: str, events: list[Event]) -> None:
    """By what the host saw after the order, and no other finding beside it."""
    assert names(events) == [name]


def test_a_chip_that_never_left_the_bus_was_perhaps_not_reset() -> None:
    """By EN or the RTC watchdog it would have: that speaks against an order to stay."""
    (plain, *_), (begun, *_) = leaves(), [at(5.0, Started("leave_bootloader", ""), "action")]
    thorough = [plain, jtag(1.0), begun, at(15.0, ActionFailed("leave_bootloader", "…"), "action")]
    assert names(thorough) == []


@pytest.mark.parametrize(
    "events",
    [
        enters(RECOVERS, GONE, attached(6.0), detached(14.8)),
        enters(GONE, otg(6.0), how="dtr_rts"),
        [EXPECTS_NOTHING, *enters(GONE, otg(6.0))[1:]],
        enters(until_s=5.5),
        enters(posted(5.1, 404), how="http"),
        enters(unheard(5.2), how="http"),
        enters(GONE, WAITS, attached(6.5)),
        enters(GONE, jtag(6.0), asked(6.1, False), asked(6.3, True)),
        enters(GONE, jtag(6.0), asked(9.0, False), STARTS),
        leaves(GONE, jtag(6.0), STARTS),
        leaves(GONE, WAITS),
        leaves(WAITS, asked(9.0, False)),
        leaves(GONE, attached(6.0)),
    ],
    ids=[
        "its application came back meanwhile, and has just gone again",
        "the bridge, not the firmware, chose the other identity",
        "no identity is expected",
        "given up at once",
        "refused",
        "not heard",
        "the ROM waits although the application is there",
        "answers after all",
        "the ROM starts an application that leaves USB alone",
        "the ROM starts what is in flash, which shows no device",
        "the ROM waits, and has no port",
        "the ROM waits and does not answer",
        "the application is there",
    ],
)
def test_what_speaks_against_it_is_believed(events: list[Event]) -> None:
    """Nothing is named."""
    assert names(events) == []


@pytest.mark.parametrize("events", [enters(GONE), enters(), leaves(), leaves(GONE)])
def test_where_the_bus_was_not_watched_nothing_is_named(events: list[Event]) -> None:
    """An absence in a channel that lost data proves nothing."""
    assert names([*events, at(7.0, CaptureGap("uevent", "lost 3", 1.0), "harness")]) == []


def test_a_way_that_leads_there_is_none_of_these() -> None:
    """Into the loader and out of it; then the application is on the bus."""
    went = [at(5.0, Started("enter_bootloader", "serial"), "action"), GONE, jtag(6.0), asked(6.1, True)]
    left = [at(7.0, Started("leave_bootloader", ""), "action"), detached(7.1), attached(8.0)]
    assert names([EXPECTS_JTAG, attached(1.0), *went, *left]) == []


def test_another_ports_device_is_not_the_boards() -> None:
    """Its UART bridge may come and go."""
    bridge = [at(5.2, UsbDetached("1-2"), "uevent"), at(6.0, UsbAttached("1-2", 0x1A86, 0x7523), "uevent")]
    assert names(enters(*bridge)) == ["bootloader-request-ignored"]


def test_each_name_of_a_failure_has_a_finding() -> None:
    """A LoaderFailure and its finding have one name; the names are the constants of the module that raises them."""
    raised = {value for name, value in vars(loader_failures).items() if name.isupper() and isinstance(value, str)}
    assert {signature.name for signature in LOADER_SIGNATURES} == raised
