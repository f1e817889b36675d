"""Switching a board's power and BOOT line as the allow list says, and refusing to take anything else's."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hil.agent.allow import AllowList
from hil.agent.server import programs
from hil.agent.server.hubs import HubPort, Hubs
from hil.agent.server.uhubctl import Uhubctl
from hil.bench import Boot, Power

RELAY_WITHIN_S = 10.0


@dataclass(frozen=True, slots=True)
class Switch:
    """How one board's power is switched, found allowed."""

    turn: Callable[[bool], None]
    """Switches on or off; raises AgentError or SetupError where that did not happen."""
    boards: tuple[str, ...] = ()
    """Other boards of the allow list that lose their power with it."""


class PowerSwitches:
    """The switches of one machine."""

    def __init__(self, allow: AllowList, sysfs: Path, search: str = programs.SEARCH) -> None:
        self._allow = allow
        self._hubs = Hubs(sysfs)
        self._search = search

    def find(self, board: str, power: Power, on: bool) -> Switch:
        """The switch of a board, to be turned ``on`` or off first; that looks at what hangs on its ports.

        Raises:
            SetupError: uhubctl is missing, or the hub cannot switch power.
            AgentError: uhubctl failed.
            AgentRefused: something that the allow list does not name would lose its power.
        """
        if power.driver == "relay":
            return Switch(lambda on: self._turn_relay(power.name, on))
        uhubctl = Uhubctl(self._search)
        wanted = HubPort(power.hub, power.port)
        ports = self._hubs.gang(wanted, uhubctl.is_ganged(wanted))
        if not on:
            self._hubs.require_named(ports, {*self._boards(), *power.also_off}, self._allow.place)
        return Switch(lambda on: uhubctl.switch(ports, on), self._others(board, ports))

    def require_harmless(self, path: str) -> None:
        """Check that the port of a board's own path may be disabled, which cuts its power where the hub can do that.

        Raises:
            AgentRefused: something that the allow list does not name would lose its power.
        """
        ports = self._hubs.lost_with(HubPort.of(path))
        self._hubs.require_named(ports, {path, *self._boards()}, self._allow.place)

    def hold_boot(self, boot: Boot, on: bool) -> None:
        """Hold a board's BOOT line, found allowed, or let go.

        Raises:
            AgentError: the relay's program failed.
        """
        self._turn_relay(boot.name, on)

    def _boards(self) -> set[str]:
        """Every path of every board."""
        return {path for paths in self._allow.boards.values() for path in paths}

    def _others(self, board: str, ports: list[HubPort]) -> tuple[str, ...]:
        tops = tuple(f"{port.path}." for port in ports)
        return tuple(
            name
            for name, paths in self._allow.boards.items()
            if name != board and any(f"{path}.".startswith(tops) for path in paths)
        )

    def _turn_relay(self, name: str, on: bool) -> None:
        programs.run(self._allow.relay_command(name, on), RELAY_WITHIN_S).require_success()
