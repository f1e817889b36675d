"""What `dhcp-server-not-started` does, under a name that no finding can know."""

from hil.virtual.faults import Fault
from hil.virtual.firmware import Command, StartDhcpServer


class DeafPort(Fault):
    """The firmware's call to start the server is lost."""

    def command(self, command: Command) -> Command | None:
        return None if isinstance(command, StartDhcpServer) else command
