"""What the agent's clients share: the allow list, the sysfs tree, the state on disk, and who holds which board."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from hil.agent.allow import AllowList
from hil.agent.server import interfaces, namespaces, programs, undo, virtual
from hil.agent.server.interfaces import InterfaceFollower, QuietIpv6
from hil.agent.server.locks import BoardLock
from hil.agent.server.namespaces import Namespace
from hil.agent.server.power import PowerSwitches
from hil.agent.server.sessions import HeldBoard, Session
from hil.agent.server.undo import StateFile
from hil.agent.server.usbdevice import DEV, SYSFS, UsbDevice
from hil.errors import AgentError, AgentRefused, HilError, VirtualBoardError


@dataclass(frozen=True)
class Places:
    """Where things are; other places than the machine's own only in tests."""

    sysfs: Path = SYSFS
    dev: Path = DEV
    run: Path = undo.RUN
    virtual_command: tuple[str, ...] = field(default=virtual.COMMAND)
    programs: str = programs.SEARCH
    virtual_ahead: bool = False
    """Whether a virtual board's process is started before a client asks for it."""
    flashes: Path = virtual.FLASHES


class Machine:
    """One agent's hold on the machine."""

    def __init__(self, allow: AllowList, places: Places | None = None, fault_files_allowed: bool = False) -> None:
        """
        Raises:
            OSError: the run directory cannot be written.
        """
        places = places or Places()
        self.allow = allow
        self.sysfs = places.sysfs
        self.dev = places.dev
        self.run = places.run
        self.flashes = places.flashes
        self.virtual_processes = virtual.VirtualProcesses(
            places.virtual_command, places.virtual_ahead and allow.virtual
        )
        self.fault_files_allowed = fault_files_allowed
        self.state = StateFile(places.run)
        self.home = namespaces.home()
        self.quiet = QuietIpv6(self.home, self.state)
        self.follower = InterfaceFollower(self.home)
        self.power = PowerSwitches(allow, places.sysfs, places.programs)

    def close(self) -> None:
        """Close what is held; call it when every session has ended."""
        self.state.close()
        self.home.close()

    def device(self, path: str) -> UsbDevice:
        return UsbDevice(path, self.sysfs, self.dev)

    def hold(self, session: Session, name: str) -> HeldBoard:
        """The board, locked with its paths for this session from the first time it is asked for.

        Raises:
            AgentRefused: the allow list does not name it, and it is no virtual board of this session.
            BoardBusy: another client holds it, or a path of it.
        """
        if name not in session.boards:
            paths = self.allow.paths(name)
            self._lock(session, name, paths, paths)
        return session.boards[name]

    def require_free(self, session: Session, name: str) -> None:
        """
        Raises:
            AgentRefused: a board on the bench, or one of this session, has that name already.
        """
        if name in self.allow.boards or name in session.boards:
            raise AgentRefused(f"a virtual board cannot be called {name!r}: a board has that name already")

    def hold_virtual(self, session: Session, name: str, configured: virtual.Configured) -> None:
        """Register a virtual board that has said which topology paths it has.

        Raises:
            AgentRefused: a path of it does not hang under vhci_hcd.
            BoardBusy: another client has a board of that name.
            VirtualBoardError: the namespace of its second network is not there.
        """
        paths = (configured.usb, configured.console) if configured.console else (configured.usb,)
        for path in paths:
            self.device(path).require_virtual()
        board = self._lock(session, name, paths)
        board.virtual, board.fallback = True, configured.address
        if configured.lan:
            board.lan = _open_lan(configured.lan)

    def release(self, session: Session, name: str) -> None:
        """Let go of a board; nothing happens where it is not held."""
        board = session.boards.pop(name, None)
        if board is not None:
            for watch in board.watches.values():
                watch.close()
            if board.lan is not None:
                board.lan.close()
            board.lock.close()

    def make_namespace(self, name: str) -> Namespace:
        """
        Raises:
            AgentError: there is one of that name, which this agent has not made.
            OSError: the kernel refused.
        """
        if (namespaces.DIRECTORY / name).exists():
            raise AgentError(f"namespace {name} is there and not this agent's; 'ip netns delete {name}' ends it")
        self.state.note("namespace", name)
        return namespaces.create(name)

    def end_namespace(self, namespace: Namespace) -> None:
        """Give its interfaces back and remove it.

        Raises:
            OSError: the kernel refused.
        """
        try:
            interfaces.give_back(namespace, self.home)
        finally:
            namespaces.remove(namespace.name)
            namespace.close()
            self.state.forget("namespace", namespace.name)

    @staticmethod
    def restore_attribute(device: UsbDevice, attribute: str, former: str) -> None:
        """Write back a value; an attribute of a device that is gone went with it.

        Raises:
            AgentError: the kernel refused.
        """
        try:
            current = device.read(attribute)
        except AgentRefused:
            raise
        except AgentError:
            return
        if current != former:
            device.write(attribute, former)

    def recover(self) -> list[str]:
        """Undo what agents that were killed have left, by their own notes. Returns one line for each."""
        notes = self.state.adopt_orphans()
        lines = []
        for key, former in notes.get("attribute", {}).items():
            path, _, attribute = key.partition(" ")
            lines.append(_attempt(f"{attribute} of {path} to {former}", self._restore(path, attribute, former)))
            self.state.forget("attribute", key)
        for name in notes.get("boot", {}):  # before its power comes
            lines.append(_attempt(f"BOOT of {name} let go", self._let_go(name)))
            self.state.forget("boot", name)
        for name in notes.get("power", {}):
            lines.append(_attempt(f"power of {name} on", self._power_on(name)))
            self.state.forget("power", name)
        for name in notes.get("namespace", {}):
            lines.append(_attempt(f"namespace {name}", self._end_named(name)))
            self.state.forget("namespace", name)
        for key, former in notes.get("sysctl", {}).items():
            lines.append(_attempt(f"{key} to {former}", self._restore_sysctl(key, former)))
            self.state.forget("sysctl", key)
        return lines

    def _restore(self, path: str, attribute: str, former: str) -> Callable[[], None]:
        return lambda: self.restore_attribute(self.device(path), attribute, former)

    def _power_on(self, name: str) -> Callable[[], None]:
        def on() -> None:
            if name not in self.allow.power:
                raise AgentRefused(f"{self.allow.place} names no power of board {name} any more")
            self.power.find(name, self.allow.power[name], on=True).turn(True)

        return on

    def _let_go(self, name: str) -> Callable[[], None]:
        def let_go() -> None:
            if name not in self.allow.boot:
                raise AgentRefused(f"{self.allow.place} names no boot of board {name} any more")
            self.power.hold_boot(self.allow.boot[name], False)

        return let_go

    def _end_named(self, name: str) -> Callable[[], None]:
        def end() -> None:
            if name.startswith(namespaces.PREFIX) and "/" not in name and (namespaces.DIRECTORY / name).exists():
                self.end_namespace(namespaces.open_named(name))

        return end

    def _restore_sysctl(self, key: str, former: str) -> Callable[[], None]:
        def restore() -> None:
            if key == str(namespaces.IPV6_DEFAULT):
                self.home.run(lambda: namespaces.IPV6_DEFAULT.write_text(former))

        return restore

    def _lock(self, session: Session, name: str, paths: tuple[str, ...], locked: tuple[str, ...] = ()) -> HeldBoard:
        ports = {port: self.device(path) for port, path in zip(("usb", "console"), paths, strict=False)}
        lock = BoardLock(self.run, name, session.peer.pid, locked)
        board = session.boards[name] = HeldBoard(name, ports, lock)

        async def unlock() -> None:
            self.release(session, name)

        session.undo.push(name, f"lock on {name}", unlock)
        return board


def _open_lan(name: str) -> Namespace:
    try:
        return namespaces.open_named(name)
    except OSError as error:
        raise VirtualBoardError(f"the virtual board's namespace {name} cannot be opened: {error.strerror}") from error


def _attempt(name: str, deed: Callable[[], None]) -> str:
    try:
        deed()
    except (OSError, HilError) as error:
        return f"{name}: FAILED: {error}"
    return name
