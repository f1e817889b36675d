"""Faults of the link: which of the core's switches they turn, and when they meddle."""

from dataclasses import replace

import pytest

from hil.virtual.builtin.link import (
    LATE_STACK_MS,
    LINK_FAULTS,
    LinkAnnouncedTooEarly,
    LinkDownAfterResume,
    NoLinkNotification,
    NoRecoveryAfterSilence,
    RecoveryStorm,
    RecoveryTimerUnderflow,
    SuspendMovesLink,
)
from hil.virtual.faults import Fault
from hil.virtual.firmware import Command, Firmware, FirmwareConfig, LinkState, UsbDisconnect
from hil.virtual.points import Mount, Point
from hil.virtual.soc import Reset
from hil.wire.cdc import ConnectionSpeedChange, NetworkConnection, SerialState

MOUNTED_MS = 600
SWITCHES = {
    LinkAnnouncedTooEarly: {"link_ignores_stack": 1, "netif_start_ms": LATE_STACK_MS},
    NoRecoveryAfterSilence: {"silence_ignored": 1},
    RecoveryStorm: {"mount_clears_attempts": 1},
    RecoveryTimerUnderflow: {"grace_from_old_clock": 1},
    LinkDownAfterResume: {"resume_leaves_down": 1},
    SuspendMovesLink: {"suspend_moves_link": 1},
}


def driven(fault: Fault, until_ms: int) -> list[tuple[int, Command]]:
    """What a firmware with ``fault``, mounted by a host that says nothing, does up to ``until_ms``."""
    firmware = Firmware(config=fault.configure(FirmwareConfig()))
    said: list[tuple[int, Command]] = []

    def at_point(point: Point, at_ms: int) -> None:
        for injection in fault.at_point(point, at_ms):
            assert injection == Mount()
            firmware.mounted(at_ms)

    def wake_until(end_ms: int) -> None:
        while (due_ms := firmware.deadline_ms) is not None and due_ms <= end_ms:
            said.extend((due_ms, command) for command in firmware.wake(due_ms))

    firmware.set_points(at_point)
    firmware.boot("POWERON", 0)
    firmware.netif_started(0)
    wake_until(MOUNTED_MS)
    firmware.mounted(MOUNTED_MS)
    wake_until(until_ms)
    firmware.set_points(None)
    return said


def detaches(said: list[tuple[int, Command]]) -> list[int]:
    return [at_ms for at_ms, command in said if isinstance(command, UsbDisconnect)]


@pytest.mark.parametrize("kind", SWITCHES, ids=[kind.name for kind in SWITCHES])
def test_a_fault_turns_its_own_switch_and_no_other(kind: type[Fault]) -> None:
    """Everything else of the config stays as it was."""
    given = FirmwareConfig(project="another")
    assert kind({}).configure(given) == replace(given, **SWITCHES[kind])


def test_every_fault_of_the_module_is_in_its_table() -> None:
    """A fault that is not there cannot be asked for."""
    assert set(LINK_FAULTS) == {NoLinkNotification, *SWITCHES}


def test_the_right_firmware_recovers_and_one_that_ignores_silence_does_not() -> None:
    """2.5 s after the mount; never."""
    assert detaches(driven(Fault({}), 3200)) == [MOUNTED_MS + 2500]
    assert detaches(driven(NoRecoveryAfterSilence({}), 60_000)) == []


def test_a_link_that_is_announced_too_early_does_not_wait_for_the_stack() -> None:
    """It is up 250 ms after the mount, ten seconds before the stack is ready, and never again after that."""
    said = driven(LinkAnnouncedTooEarly({}), 3000)
    ups = [at_ms for at_ms, command in said if isinstance(command, LinkState) and command.up]
    assert ups == [MOUNTED_MS + 250]


def test_the_race_is_raised_once_in_each_boot_and_ends_in_a_hasty_recovery() -> None:
    """The mount at the end of the kick, the recovery at once."""
    fault = RecoveryTimerUnderflow({})
    assert detaches(driven(fault, 2000)) == [MOUNTED_MS + 500]
    assert fault.at_point(Point.LINK_KICK_END, 0) == ()
    assert fault.boot(Reset.EN) is Reset.EN
    assert fault.at_point(Point.LINK_SETTLE, 0) == ()
    assert fault.at_point(Point.LINK_KICK_END, 0) == (Mount(),)


def test_no_link_notification_swallows_link_and_speed_only() -> None:
    """SERIAL_STATE, and what is no notification at all, still reach the host."""
    fault = NoLinkNotification({})
    assert fault.notification(NetworkConnection(2, True).pack()) is None
    assert fault.notification(ConnectionSpeedChange(2, 12_000_000, 12_000_000).pack()) is None
    assert fault.notification(SerialState(0, 1).pack()) == SerialState(0, 1).pack()
    assert fault.notification(b"\1") == b"\1"
