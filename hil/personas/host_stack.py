"""What a host does about addresses on one interface: a lease, and an address of its own while there is none.

The same calls as :class:`~hil.personas.dhcp_client.DhcpClient`, which this runs together with
:class:`~hil.personas.link_local.LinkLocal`.
"""

import random

from hil.personas.client_profile import ClientProfile
from hil.personas.commands import Command
from hil.personas.dhcp_client import DhcpClient
from hil.personas.link_local import CLAIMED, IDLE, LinkLocal
from hil.personas.states import HOLDING


class HostStack:
    """One host on one interface after another.

    Args:
        profile: how it differs from others.
        dice: source of transaction ids and jitter; seeded, a run repeats itself.
    """

    def __init__(self, profile: ClientProfile, dice: random.Random) -> None:
        self.dhcp = DhcpClient(profile, "", dice)
        self._link_local = LinkLocal(profile.link_local, dice)

    @property
    def deadline_ns(self) -> int | None:
        """When :meth:`wake` wants to be called next; None while there is nothing to wait for."""
        deadlines = (self.dhcp.deadline_ns, self._link_local.deadline_ns)
        return min((deadline for deadline in deadlines if deadline is not None), default=None)

    @property
    def link_local(self) -> str:
        """The address of 169.254/16 that the host has given itself, or ''."""
        return self._link_local.address if self._link_local.state == CLAIMED else ""

    def attached(self, mac: str, carrier: bool, now_ns: int) -> list[Command]:
        """An interface is there, in place of the one before if there was one."""
        return self.detached(now_ns) + self._settled(self.dhcp.attached(mac, carrier, now_ns), now_ns)

    def detached(self, now_ns: int) -> list[Command]:
        """The interface has left."""
        return self._settled(self.dhcp.detached(now_ns), now_ns)

    def link_changed(self, up: bool, now_ns: int) -> list[Command]:
        """The interface got or lost its carrier."""
        return self._settled(self.dhcp.link_changed(up, now_ns), now_ns)

    def receive(self, frame: bytes, now_ns: int) -> list[Command]:
        """Any frame of the interface."""
        return self._settled(self.dhcp.receive(frame, now_ns), now_ns) + self._link_local.receive(frame, now_ns)

    def wake(self, now_ns: int) -> list[Command]:
        """Let every timer that is due fire."""
        return self._settled(self.dhcp.wake(now_ns), now_ns) + self._link_local.wake(now_ns)

    def _settled(self, commands: list[Command], now_ns: int) -> list[Command]:
        """What the client does, and what follows from it for the address of the host's own."""
        if self.dhcp.wants_link_local:
            return commands + self._link_local.wanted(self.dhcp.mac, now_ns)
        if self._link_local.state == IDLE:
            return commands
        return self._link_local.unwanted("lease" if self.dhcp.state in HOLDING else "link-down") + commands
