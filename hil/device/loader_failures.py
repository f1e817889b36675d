"""Where the way into the chip's loader ended instead, by name.

The names are those of the findings; each message begins with its name.
"""

from dataclasses import dataclass

from hil.board.identity import Identity
from hil.errors import LoaderFailure
from hil.timeline.events import EnumerationFailed

NO_PORT = "loader-never-appears"
NO_SYNC = "loader-does-not-answer"
OTHER_IDENTITY = "loader-on-other-usb"
NOT_FUNCTIONING = "loader-not-enumerated"
STAYED = "bootloader-request-ignored"
APPLICATION_BACK = "application-came-back"
LOADER_BACK = "download-bit-never-cleared"
NO_APPLICATION = "application-never-appears"


@dataclass(frozen=True, slots=True)
class Attempt:
    """What was done and what is there now."""

    board: str
    path: str
    """Its topology path."""
    how: str
    """By which way."""
    now: Identity
    left_bus: bool
    """Its device was seen to go since, and not only to recover."""
    within_s: float
    """How long was waited."""
    answer: str = ""
    """What the firmware said to it, or ''."""
    broken: EnumerationFailed | None = None
    """What the kernel log says of the port since."""
    answers: bool = True
    """A loader answers, where its identity is there."""
    takes_off_bus: bool = False
    """What was done takes every device of the chip off the bus, as EN does."""


def failure_to_enter(seen: Attempt) -> LoaderFailure:
    """Why no loader came within the time."""
    start = f"board {seen.board} was sent to its loader by {seen.how}"
    said = f", said {seen.answer!r}" if seen.answer else ""
    waited = f"within {seen.within_s:g} s"
    if seen.broken is not None and seen.now is Identity.NOTHING:
        return LoaderFailure(NOT_FUNCTIONING, f"{start}{said}, and {_broken(seen.broken)}")
    if seen.now is Identity.NOTHING:
        return LoaderFailure(
            NO_PORT,
            f"{start}{said}, and nothing came to {seen.path} {waited}: the PHY was left without an owner, the chip "
            "hangs before its loader, or its cable or hub port lets nothing through",
        )
    if seen.now is Identity.APPLICATION and not seen.left_bus:
        return LoaderFailure(STAYED, f"{start}{said}, and stayed on the bus: its application runs on")
    if seen.now is Identity.APPLICATION:
        return LoaderFailure(
            APPLICATION_BACK,
            f"{start}{said}, restarted, and its application came back: the download bit (RTC_CNTL_OPTION1 bit 0) was "
            "not set before the restart, or IO0 was high",
        )
    return LoaderFailure(NO_PORT, f"{start}{said}, and {seen.now} is at {seen.path} {waited}")


def other_identity(board: str, came: Identity, wanted: Identity) -> LoaderFailure:
    """A loader came, and not the one that the profile names."""
    why = (
        "the PHY was left with USB-OTG: route it to USB-Serial/JTAG before the restart (usb_usj_mode)"
        if came is Identity.USB_OTG
        else "the PHY was given to USB-Serial/JTAG before the restart"
    )
    return LoaderFailure(OTHER_IDENTITY, f"board {board} came up as {came}, expected {wanted}: {why}")


def no_answer(board: str, identity: Identity, node: str, within_s: float) -> LoaderFailure:
    """A loader's identity is there and does not speak its protocol."""
    return LoaderFailure(
        NO_SYNC,
        f"board {board} is {identity} at {node} and answers no SYNC within {within_s:g} s: no loader runs there (an "
        "application that leaves USB to Serial/JTAG looks the same), or it hangs",
    )


def failure_to_leave(seen: Attempt) -> LoaderFailure:
    """Why no application came within the time."""
    start = f"board {seen.board} was reset out of its loader by {seen.how}"
    if seen.broken is not None and seen.now is Identity.NOTHING:
        return LoaderFailure(NOT_FUNCTIONING, f"{start}, and {_broken(seen.broken)}")
    if seen.now is Identity.NOTHING:
        return LoaderFailure(
            NO_APPLICATION,
            f"{start}, and nothing came to {seen.path} within {seen.within_s:g} s: what is in its flash does not run, "
            "or does not bring USB up",
        )
    if seen.now is Identity.APPLICATION:
        return LoaderFailure(
            NO_APPLICATION,
            f"{start}, and its application had been at {seen.path} all the while: the reset did not reach it",
        )
    if seen.takes_off_bus and not seen.left_bus:
        return LoaderFailure(
            NO_APPLICATION,
            f"{start}, and {seen.now} had been at {seen.path} all the while: the reset did not reach it: are DTR and "
            "RTS wired to EN and IO0?",
        )
    if not seen.answers:
        return LoaderFailure(
            NO_APPLICATION,
            f"{start}, and {seen.now} is there without a loader that answers: what is in its flash does not run",
        )
    return LoaderFailure(
        LOADER_BACK,
        f"{start}, and {seen.now} is there again: the download bit (RTC_CNTL_OPTION1 bit 0) was never cleared and "
        "outlives a reset that keeps the supply, or GPIO0 is held low",
    )


def _broken(failed: EnumerationFailed) -> str:
    error = f" (error {failed.error})" if failed.error else ""
    what = "the kernel gave up on it" if failed.stage == "given_up" else f"it failed at its {failed.stage}{error}"
    return f"what came to {failed.path} is not functioning: {what}; the kernel log has the rest"
