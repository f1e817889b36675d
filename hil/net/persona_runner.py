"""Runs a DHCP client's persona on the board's interface, and sets the addresses that it gets."""

import random
from collections.abc import Callable

from hil.errors import AgentError
from hil.net.interface_runner import InterfaceRunner, NetAgent
from hil.personas.client_profile import ClientProfile
from hil.personas.commands import (
    ClearAddress,
    ClearLinkLocal,
    Command,
    Doubted,
    GaveUp,
    SetAddress,
    SetLinkLocal,
    StateChanged,
)
from hil.personas.host_stack import HostStack
from hil.personas.lease import Lease
from hil.personas.link_local import PREFIX
from hil.personas.states import FAILED, INIT
from hil.timeline.events import (
    Event,
    LeaseBound,
    LeaseLost,
    LinkLocalBound,
    LinkLocalLost,
    PersonaGaveUp,
    PersonaNote,
    PersonaState,
    ReplyDoubted,
)
from hil.wire.ethernet import BROADCAST


class PersonaRunner(InterfaceRunner):
    """A host persona on one board's interface, from :meth:`start` to :meth:`stop`.

    Args:
        agent: opens the sockets and sets addresses.
        board: the board's name.
        profile: which client it is.
        record: takes every event that the persona causes.
        seed: makes transaction ids and jitter repeat.
    """

    def __init__(
        self, agent: NetAgent, board: str, profile: ClientProfile, record: Callable[[Event], Event], seed: int = 1
    ) -> None:
        self.profile = profile
        self._stack = HostStack(profile, random.Random(seed))
        super().__init__(agent, board, profile.name, self._stack, record)
        self._address = ""
        self._link_local = ""
        self._gave_up: GaveUp | None = None
        self._refused = ""

    @property
    def refused(self) -> str:
        """Why the address of a lease could not be set although the interface is there, or ''."""
        return self._refused

    @property
    def address(self) -> str:
        """The leased address as long as it is on the interface, else ''."""
        return self._address

    @property
    def link_local(self) -> str:
        """The link-local address as long as it is on the interface, else ''."""
        return self._link_local

    @property
    def gave_up(self) -> GaveUp | None:
        """What the host has stopped waiting for, as long as it waits for nothing else."""
        return self._gave_up

    @property
    def board_mac(self) -> str:
        """The address that the lease came from, or the broadcast address."""
        return self.lease.server_mac if self.lease else BROADCAST

    @property
    def lease(self) -> Lease | None:
        """What the last ACK granted, whether or not it still holds."""
        return self._stack.dhcp.lease

    @property
    def state(self) -> str:
        """State of the DHCP client, one of :mod:`hil.personas.states`."""
        return self._stack.dhcp.state

    def wait_bound(self, within_s: float) -> str:
        """The leased address as soon as it is on the interface; '' where that did not happen within ``within_s``."""
        with self._changed:
            self._changed.wait_for(lambda: self._address or self._failure is not None, within_s)
        return self._address

    def wait_gave_up(self, within_s: float) -> GaveUp | None:
        """What the host has stopped waiting for, as soon as it has; None where that was not within ``within_s``."""
        with self._changed:
            self._changed.wait_for(lambda: self._gave_up is not None or self._failure is not None, within_s)
        return self._gave_up

    def _left(self) -> None:
        self._refused = ""

    def _do(self, command: Command) -> None:
        name = self.profile.name
        match command:
            case SetAddress():
                self._set_address(command)
            case ClearAddress(address, reason):
                self._address = ""
                self._clear()
                self._tell(LeaseLost(address, reason, name))
            case SetLinkLocal(address):
                self._set_link_local(address)
            case ClearLinkLocal(address, reason):
                self._link_local = ""
                self._clear()
                self._tell(LinkLocalLost(address, reason, name))
            case StateChanged(state, previous):
                self._tell(PersonaState(state, previous, name))
                if state not in (FAILED, INIT):
                    self._gave_up = None
            case GaveUp(awaited, tries):
                self._tell(PersonaGaveUp(awaited, tries, name))
                self._note_failure(command)
            case Doubted(message, reason, taken, address, server):
                self._tell(ReplyDoubted(message, reason, taken, address, server, name))
            case _:
                super()._do(command)

    def _set_address(self, lease: SetAddress) -> None:
        if lease.address != self._address:  # a renewal leaves the interface alone
            self._refused = self._change(
                lambda: self._agent.set_address(self._board, lease.address, lease.prefix, lease.router)
            )
        if self._refused:
            return
        self._tell(LeaseBound(lease.address, lease.server, lease.lease_s, self.profile.name))
        with self._changed:
            self._address = lease.address
            self._changed.notify_all()

    def _set_link_local(self, address: str) -> None:
        if not self._change(lambda: self._agent.set_address(self._board, address, PREFIX)):
            self._link_local = address
            self._tell(LinkLocalBound(address, self.profile.name))

    def _clear(self) -> None:
        if self._link is not None:
            self._change(lambda: self._agent.clear_address(self._board))

    def _note_failure(self, what: GaveUp) -> None:
        """Only where the host rests: an ACK that does not come is followed by another DISCOVER."""
        if self.state in (FAILED, INIT):
            with self._changed:
                self._gave_up = what
                self._changed.notify_all()

    def _change(self, change: Callable[[], object]) -> str:
        """Why the interface could not be changed, '' where it was; it cannot where it has just left."""
        try:
            change()
        except AgentError as error:
            self._agent.boards_known()  # raises where it is the agent that is gone
            self._tell(PersonaNote(str(error), self.profile.name))
            return str(error)
        return ""
