"""A flash that failed: refused, not taken, not held, interrupted; each by its own name."""

import pytest

from hil.diagnosis.flash_signatures import FLASH_SIGNATURES
from hil.testing.handmade import PORT, at, attached, detached, names
from hil.timeline.events import (
    ActionFailed,
    BootMessage,
    CaptureGap,
    Event,
    FlashProgress,
    LoaderAsked,
    SerialLine,
    Started,
    TtyAppeared,
    UsbAttached,
)

ENTERED = [attached(1.0), at(2.0, Started("flash", "hil-reference 0.9.9"), "action"), detached(2.2)]
JTAG = UsbAttached(PORT, 0x303A, 0x1001)
IN_LOADER = [*ENTERED, at(2.6, JTAG, "uevent"), at(2.8, LoaderAsked("usb", True), "action")]


def step(t_s: float, status: str, percent: int = 0, detail: str = "", reason: str = "") -> FlashProgress:
    return at(t_s, FlashProgress(status, percent, detail, reason), "action")


def fails(t_s: float, reason: str) -> list[Event]:
    return [
        step(t_s, "failed", 50, "board s3-a …", reason),
        at(t_s + 0.1, ActionFailed("flash", "board s3-a …"), "action"),
    ]


def rom(t_s: float, text: str = "ESP-ROM:esp32s3-20210327") -> BootMessage:
    return at(t_s, BootMessage("rom", text, ""), "console")


WRITING = [*IN_LOADER, step(3.0, "connecting"), step(3.5, "erasing"), step(4.0, "writing", 50, "app.bin at 0x10000")]
CUT = detached(4.5)
ANSWERS = at(5.8, LoaderAsked("usb", True), "action")
BACK = at(5.5, JTAG, "uevent")


@pytest.mark.parametrize(
    ("reason", "name"),
    [
        ("loader-refused", "loader-refuses-write"),
        ("hash", "flash-holds-something-else"),
        ("stub", "stub-never-starts"),
        ("other-chip", "build-for-another-chip"),
        ("flash-size", "build-exceeds-flash"),
        ("security", "efuses-forbid-flashing"),
        ("other-board", "another-board-at-the-port"),
        ("revision", "build-excludes-revision"),
        ("partitions", "build-against-partitions"),
    ],
)
def test_each_reason_has_a_name(reason: str, name: str) -> None:
    """And another reason does not."""
    assert names([*IN_LOADER, step(3.0, "connecting"), *fails(3.5, reason)]) == [name]
    assert names([*IN_LOADER, step(3.0, "connecting"), *fails(3.5, "")]) == []


@pytest.mark.parametrize("reason", ["other-chip", "other-board", "flash-size", "security", "revision", "partitions"])
def test_a_refusal_after_the_first_byte_is_none(reason: str) -> None:
    """They are refused before anything is written."""
    assert names([*WRITING, *fails(4.5, reason)]) == []


def test_a_flash_that_ends_well_is_none_of_these() -> None:
    """Also where it was repeated after something else."""
    assert names([*WRITING, step(5.0, "verifying", 100), step(5.5, "resetting", 100), step(8.0, "done", 100)]) == []


@pytest.mark.parametrize(
    "after",
    [
        [rom(5.2), attached(6.0)],
        [rom(5.2), BACK, at(8.5, LoaderAsked("usb", False), "action")],
        [rom(5.2), BACK, ANSWERS],
        [BACK, at(8.5, LoaderAsked("usb", False), "action")],
        [attached(6.0)],
        [],
    ],
    ids=["starts", "starts over and over", "held in its loader", "shows its boot", "application", "stays away"],
)
def test_a_board_that_loses_its_supply_is_named(after: list[Event]) -> None:
    """Whatever it does when it is back, and if it is not."""
    assert names([*WRITING, CUT, *after, *fails(9.6, "vanished")]) == ["board-lost-while-flashing"]


def test_what_a_half_written_image_does_is_not_told_beside_it() -> None:
    """The ROM finds no image again and again."""
    loop = [
        event
        for number in range(5)
        for event in (
            rom(5.0 + number / 2),
            at(5.1 + number / 2, SerialLine("invalid header: 0xffffffff", 0, 27, True), "console"),
        )
    ]
    assert names([*WRITING, CUT, *loop, *fails(9.6, "vanished")]) == ["board-lost-while-flashing"]


@pytest.mark.parametrize("reason", ["loader-refused", "hash"])
def test_that_the_application_does_not_come_is_not_told_beside_it(reason: str) -> None:
    """At the end of the test the board is led out of its loader, in vain: the image is half written."""
    out = [
        at(6.0, Started("leave_bootloader", ""), "action"),
        at(9.0, LoaderAsked("usb", False), "action"),
        at(9.1, ActionFailed("leave_bootloader", "…"), "action"),
    ]
    found = names([*WRITING, *fails(4.5, reason), *out])
    assert found == names([*WRITING, *fails(4.5, reason)])
    assert "application-never-appears" in names([*IN_LOADER, *out])


@pytest.mark.parametrize("node", ["/dev/ttyACM0", "/dev/ttyACM1"])
def test_a_contact_that_was_lost_is_told_from_a_cable(node: str) -> None:
    """The loader is there still and answers; nobody has started the chip. The name of its port may be another."""
    ports = [at(2.7, TtyAppeared(PORT, "/dev/ttyACM0"), "uevent"), at(5.5, TtyAppeared(PORT, node), "uevent")]
    assert names([*WRITING, CUT, BACK, *ports, ANSWERS, *fails(6.0, "vanished")]) == ["contact-lost-while-flashing"]


def test_a_device_that_has_gone_and_was_not_seen_to_go_is_not_named() -> None:
    """Nor is one where the bus was not watched."""
    assert names([*WRITING, *fails(5.0, "vanished")]) == []
    blind = at(4.4, CaptureGap("uevent", "lost 3", 1.0), "harness")
    assert names([*WRITING, CUT, blind, *fails(9.6, "vanished")]) == []


def test_every_finding_of_flashing_is_tried_here() -> None:
    """Nine reasons and two interruptions."""
    assert len(FLASH_SIGNATURES) == 11
