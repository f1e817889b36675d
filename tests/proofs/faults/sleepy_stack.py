"""What `sends-rejected-while-suspended` does, under a name that no finding can know."""

from hil.virtual.faults import Fault
from hil.virtual.firmware import Command, RemoteWakeup


class SleepyStack(Fault):
    """Refuses to send while the bus is suspended, and wakes nobody."""

    def may_send(self, suspended: bool) -> str | None:
        return "ESP_ERR_INVALID_STATE" if suspended else None

    def command(self, command: Command) -> Command | None:
        return None if isinstance(command, RemoteWakeup) else command
