"""Faults of the link and of its recovery: what the host is told, and what is done about a silent one."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from hil.errors import WireError
from hil.virtual.faults import Fault
from hil.virtual.firmware import FirmwareConfig
from hil.virtual.points import Injection, Mount, Point
from hil.virtual.soc import Reset
from hil.wire.cdc import ConnectionSpeedChange, NetworkConnection, parse_notification

LATE_STACK_MS = 12_800
"""Longer than a host that retries after 1, 2, 4 and 8 s waits between its fourth question and the end of a scenario."""


class NoLinkNotification(Fault):
    """The host is never told that the link is up, though the firmware says NCM_LINK_UP.

    Source: TinyUSB keeps its own link flag and ignores a repeated state, so ``tud_network_link_state(true)`` may send
    nothing (``src/class/net/ncm_device.c``, fixed upstream by cf055c237 of 2026-07-08: "host stuck at NO-CARRIER").

    Finding: the board claims NCM_LINK_UP, the host's carrier stays down.
    """

    name = "no-link-notification"

    def notification(self, data: bytes) -> bytes | None:
        try:
            found = parse_notification(data)
        except WireError:
            return data
        return None if isinstance(found, NetworkConnection | ConnectionSpeedChange) else data


class LinkAnnouncedTooEarly(Fault):
    """The link comes up with the mount, long before there is an IP stack, and is not kicked when there is one.

    Source: TinyUSB's link flag is up after every bus reset, so firmware that never calls ``tud_network_link_state()``
    has a link as soon as the host selects alternate setting 1 (``netd_reset`` in ``src/class/net/ncm_device.c``;
    espressif/esp-idf c9c0af84b7a of 2026-01-08 put the call into the example, issue 18079).

    Finding: carrier, and questions into it, before the board says NETIF_READY; no link change after.
    """

    name = "link-announced-too-early"

    def configure(self, config: FirmwareConfig) -> FirmwareConfig:
        return replace(config, link_ignores_stack=1, netif_start_ms=LATE_STACK_MS)


class NoRecoveryAfterSilence(Fault):
    """A host that stays silent after the mount is left alone.

    Source: a board without a watchdog for it, such as ESP-IDF's example tusb_ncm; mcu-apple-bridge has one because an
    iPhone that has given up asks again only after the link or the device has come anew (``main/network_setup.c``).

    Finding: a host with carrier says nothing, and the board neither drops the link nor comes back on the bus.
    """

    name = "no-recovery-after-silence"

    def configure(self, config: FirmwareConfig) -> FirmwareConfig:
        return replace(config, silence_ignored=1)


class RecoveryStorm(Fault):
    """Recovery never ends: each re-enumeration clears the count of attempts and their backoff.

    Source: ``tud_mount_cb`` of mcu-apple-bridge sets its attempts, their time and the backoff to zero
    (``main/network_setup.c`` at 0d5a385).

    Finding: the device leaves the bus again and again at the same short distance, each time "attempt 1".
    """

    name = "recovery-storm"

    def configure(self, config: FirmwareConfig) -> FirmwareConfig:
        return replace(config, mount_clears_attempts=1)


class RecoveryTimerUnderflow(Fault):
    """A mount that falls into the first kick of a boot makes the recovery fire at once.

    Source: the watchdog of mcu-apple-bridge reads the clock, holds the link down for 250 ms and only then subtracts
    the time of the mount, as an unsigned number (``main/network_setup.c`` at 0d5a385).

    Finding: the board recovers from silence within a second of the mount.
    """

    name = "recovery-timer-underflow"

    def __init__(self, options: Mapping[str, str]) -> None:
        super().__init__(options)
        self._raced = False

    def boot(self, reset: Reset) -> Reset:
        self._raced = False
        return reset

    def configure(self, config: FirmwareConfig) -> FirmwareConfig:
        return replace(config, grace_from_old_clock=1)

    def at_point(self, point: Point, now_ms: int) -> Sequence[Injection]:
        if point is not Point.LINK_KICK_END or self._raced:
            return ()
        self._raced = True
        return (Mount(),)


class LinkDownAfterResume(Fault):
    """After a resume the link is taken down for the host to notice, and is not put up again.

    Source: what a suspend cancels has to be started anew by the firmware (zephyrproject-rtos/zephyr issue 26725); the
    kick of mcu-apple-bridge after a resume is two calls, 250 ms apart, in a task that the suspend may have stopped.

    Finding: carrier goes with the resume and does not come back.
    """

    name = "link-down-after-resume"

    def configure(self, config: FirmwareConfig) -> FirmwareConfig:
        return replace(config, resume_leaves_down=1)


class SuspendMovesLink(Fault):
    """The link is taken down when the bus is suspended, and put up again while it still sleeps.

    Source: a suspended device is mounted, so the watchdog of mcu-apple-bridge kicks the link that its suspend callback
    took down (``main/network_setup.c`` at 0d5a385).

    Finding: by the board's own log its link came up between a suspend and the resume.
    """

    name = "suspend-moves-link"

    def configure(self, config: FirmwareConfig) -> FirmwareConfig:
        return replace(config, suspend_moves_link=1)


LINK_FAULTS: tuple[type[Fault], ...] = (
    NoLinkNotification,
    LinkAnnouncedTooEarly,
    NoRecoveryAfterSilence,
    RecoveryStorm,
    RecoveryTimerUnderflow,
    LinkDownAfterResume,
    SuspendMovesLink,
)
