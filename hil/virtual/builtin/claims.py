"""Faults of what the board says of itself."""

from dataclasses import replace

from hil.virtual.faults import Fault
from hil.virtual.firmware import FirmwareConfig


class StaleFlags(Fault):
    """The event log and its flags outlive a reset: what an earlier boot has reached, this one claims too.

    Source: mcu-apple-bridge never clears them but by a reboot, so on a board with its own supply they outlive the
    cable (``main/event_log.c`` at 0d5a385); kept in memory that a reset leaves alone they outlive that as well.

    Finding: the board says that it heard DHCP of a host that has not asked in this cycle.
    """

    name = "stale-flags"

    def configure(self, config: FirmwareConfig) -> FirmwareConfig:
        return replace(config, events_survive_boot=1)


CLAIM_FAULTS: tuple[type[Fault], ...] = (StaleFlags,)
