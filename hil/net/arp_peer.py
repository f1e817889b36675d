"""Hosts of the ``host`` fixture that do nothing but ARP, for boards that have an address of their own."""

from collections.abc import Callable

from hil.agent.replies import Done
from hil.board.interfaces import Instant
from hil.clock import now_ns, to_s
from hil.errors import MisuseError
from hil.net.interface_runner import InterfaceRunner, Machine, NetAgent
from hil.personas.arp_hosts import Asker, Squatter
from hil.timeline.events import Event


class ArpPeer:
    """A host on the board's interface; it begins with :meth:`start` and runs until the test ends."""

    def __init__(self, agent: NetAgent, name: str, machine: Machine, record: Callable[[Event], Event]) -> None:
        self.name = name
        self._agent = agent
        self._machine = machine
        self._record = record
        self._runner: InterfaceRunner | None = None

    def __repr__(self) -> str:
        return self.name

    def start(self, board: str) -> Instant:
        """Behave like this host from now on.

        Returns:
            The instant before it began.
        """
        if self._runner is not None:
            raise MisuseError(f"{self.name} runs already; a test starts it once")
        self._runner = self._make(board)
        began = Done(now_ns(), 0)
        self._runner.start()
        return began

    def _make(self, board: str) -> InterfaceRunner:
        """What runs its machine on the interface of ``board``."""
        return InterfaceRunner(self._agent, board, self.name, self._machine, self._record)

    @property
    def interface(self) -> str:
        """Name of the interface that carries it now, or ''."""
        return "" if self._runner is None else self._runner.interface

    def check(self) -> None:
        """
        Raises:
            HarnessError: it has failed.
        """
        if self._runner is not None:
            self._runner.check()

    def stop(self) -> None:
        if self._runner is not None:
            runner, self._runner = self._runner, None
            runner.stop()

    def _send(self, frame: bytes) -> Instant:
        """The instant before it was sent."""
        if self._runner is None:
            raise MisuseError(f"{self.name} has not been started; known: start(board)")
        began = Done(now_ns(), 0)
        self._runner.send(frame)
        return began


class AddressAsker(ArpPeer):
    """A host that wants to talk to whoever has an address."""

    def __init__(self, agent: NetAgent, asker: Asker, record: Callable[[Event], Event]) -> None:
        super().__init__(agent, "asker", asker, record)
        self._asker = asker

    @property
    def late_s(self) -> float:
        """By how much this machine was late with a question, at most: what is closer than twice that is undecided."""
        return to_s(self._asker.late_ns)

    def ask(self) -> Instant:
        """Ask once.

        Returns:
            The instant before the question was sent.
        """
        return self._send(self._asker.question() if self.interface else b"")


class AddressSquatter(ArpPeer):
    """A host that has the address which a board wants."""

    def __init__(self, agent: NetAgent, squatter: Squatter, record: Callable[[Event], Event]) -> None:
        super().__init__(agent, "squatter", squatter, record)
        self._squatter = squatter

    def claim(self) -> Instant:
        """Announce the address once.

        Returns:
            The instant before the announcement was sent.
        """
        return self._send(self._squatter.claim())

    def probe(self) -> Instant:
        """Probe for the address once, as a host that wants it too.

        Returns:
            The instant before the probe was sent.
        """
        return self._send(self._squatter.probe())
