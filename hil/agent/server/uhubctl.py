"""Switching the power of hub ports by uhubctl (https://github.com/mvp/uhubctl), and not believing it blindly.

A run prints blocks: a line for the hub, a line for each port, before and after the request. It ends with status 0 even
where a port kept its power, so the block after the request is read. Formats are those of 2.4 to 2.6; each hub is named
exactly (``-e``), as which other hub is its SuperSpeed half is known to the kernel and only guessed by uhubctl.

::

    Current status for hub 1-1 [2109:3431 USB2.0 Hub, USB 2.10, 4 ports, ppps]
      Port 2: 0503 power highspeed enable connect [303a:4001 Espressif Systems Espressif Device 123456]
    Sent power off request
    New status for hub 1-1 [2109:3431 USB2.0 Hub, USB 2.10, 4 ports, ppps]
      Port 2: 0000 off
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from hil.agent.server import programs
from hil.agent.server.hubs import HubPort
from hil.errors import AgentError, SetupError

WITHIN_S = 20.0
"""For one run; a control transfer that no hub answers takes 5 s, and there are several."""
_HUB = re.compile(r"(Current|New) status for hub (\S+) \[(.*)\]")
_SIZE = re.compile(r", (\d+) ports(?:, (ppps|ganged|nops))?$")
_PORT = re.compile(r"  Port (\d+): ([0-9a-f]{4})([^\[]*)(?:\[.*)?")


@dataclass(frozen=True, slots=True)
class PortStatus:
    """One line about a port."""

    number: int
    text: str
    """What uhubctl says of it: '0103 power enable connect'."""

    @property
    def powered(self) -> bool:
        return "power" in self.text.split()


@dataclass(slots=True)
class HubStatus:
    """One block about a hub."""

    location: str
    after: bool
    """It stands after the request."""
    switching: str
    """ppps: port by port; ganged: all ports together; nops: not at all; '' where this version does not tell."""
    ports: list[PortStatus] = field(default_factory=list)


def parse(text: str) -> list[HubStatus]:
    """The blocks of a run, in order; other lines are passed over."""
    found: list[HubStatus] = []
    for line in text.splitlines():
        if hub := _HUB.fullmatch(line):
            size = _SIZE.search(hub[3])
            found.append(HubStatus(hub[2], hub[1] == "New", (size[2] or "") if size else ""))
        elif found and (port := _PORT.fullmatch(line)):
            found[-1].ports.append(PortStatus(int(port[1]), f"{port[2]} {port[3].strip()}".strip()))
    return found


class Uhubctl:
    """The program, at its whole path."""

    def __init__(self, search: str = programs.SEARCH) -> None:
        """
        Raises:
            SetupError: it is not installed.
        """
        self._program = programs.find("uhubctl", "uhubctl", search)

    def is_ganged(self, port: HubPort) -> bool:
        """Whether the hub says that it switches all of its ports together.

        Raises:
            SetupError: there is no such hub or port, or the hub switches no power.
        """
        ended = programs.run([self._program, "-f", "-e", "-l", port.hub], WITHIN_S)
        blocks = [block for block in parse(ended.text) if block.location == port.hub]
        if ended.status != 0 or not blocks:
            raise SetupError(f"{ended.command} shows no hub {port.hub}, status {ended.status}: {ended.last_words}")
        (block, *_) = blocks
        if port.number not in [each.number for each in block.ports]:
            raise SetupError(f"hub {port.hub} has no port {port.number}; it has {len(block.ports)}")
        if block.switching == "nops":
            raise SetupError(f"hub {port.hub} switches no power (uhubctl says 'nops'); take one that uhubctl lists")
        if not block.switching:
            raise SetupError(f"{self._program} does not tell how hub {port.hub} switches power; wanted 2.4 or later")
        return block.switching == "ganged"

    def switch(self, ports: Sequence[HubPort], on: bool) -> None:
        """Switch ports, and see that it happened.

        Raises:
            AgentError: a run failed, or a port is not as it was wanted afterwards.
        """
        for hub in dict.fromkeys(port.hub for port in ports):
            numbers = [port.number for port in ports if port.hub == hub]
            listed = ",".join(map(str, numbers))
            argv = [self._program, "-f", "-e", "-l", hub, "-p", listed, "-a", "on" if on else "off"]
            ended = programs.run(argv, WITHIN_S)
            _require(parse(ended.require_success()), hub, numbers, on, ended)


def _require(blocks: list[HubStatus], hub: str, numbers: list[int], on: bool, ended: programs.Ended) -> None:
    """
    Raises:
        AgentError: a port is not as it was wanted.
    """
    after = {port.number: port for block in blocks if block.after and block.location == hub for port in block.ports}
    missing = [number for number in numbers if number not in after]
    if missing:
        raise AgentError(f"{ended.command} tells nothing of port {missing[0]} afterwards: {ended.last_words}")
    wrong = [after[number] for number in numbers if after[number].powered != on]
    if wrong:
        state = "still has power" if not on else "still has no power"
        raise AgentError(f"port {wrong[0].number} of hub {hub} {state} after {ended.command}: {wrong[0].text!r}")
