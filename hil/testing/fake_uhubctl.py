"""A program that stands for uhubctl 2.6 and for the hubs behind it; its output has the form of the real one's.

usage of the program: uhubctl [-f] [-e] -l HUB [-p PORTS] [-a on|off]
"""

import json
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path

_STATE = "uhubctl.json"


@dataclass
class FakeHub:
    """One hub: how it switches, the power of its ports, and those that keep it whatever is asked."""

    description: str
    """Such as '1a40:0101 USB 2.0 Hub, USB 2.00, 4 ports, ppps'."""
    powered: dict[str, bool]
    stuck: list[int] = field(default_factory=list)
    superspeed: bool = False
    breaks: bool = False
    """The program ends with status 1 when it is to switch this hub."""


class FakeUhubctl:
    """The program in ``directory`` and its hubs, by location."""

    def __init__(self, directory: Path, hubs: dict[str, FakeHub]) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._state = directory / _STATE
        self.set(hubs)
        program = directory / "uhubctl"
        program.write_text(f'#!/bin/sh\nexec {sys.executable} -SE {__file__} {self._state} "$@"\n', encoding="utf-8")
        program.chmod(0o755)

    def set(self, hubs: dict[str, FakeHub]) -> None:
        """The hubs from now on."""
        text = json.dumps({"hubs": {name: asdict(hub) for name, hub in hubs.items()}, "runs": []})
        self._state.write_text(text, encoding="utf-8")

    @property
    def runs(self) -> list[str]:
        """Arguments of each run, as one text."""
        return [str(run) for run in json.loads(self._state.read_text(encoding="utf-8"))["runs"]]

    def powered(self, hub: str) -> dict[str, bool]:
        """Which ports of a hub have power."""
        powered: dict[str, bool] = json.loads(self._state.read_text(encoding="utf-8"))["hubs"][hub]["powered"]
        return powered


def _main(place: Path, arguments: list[str]) -> int:
    state = json.loads(place.read_text(encoding="utf-8"))
    state["runs"].append(" ".join(arguments))
    given = dict(zip(arguments, [*arguments[1:], ""], strict=True))
    location = given.get("-l", "")
    hub = state["hubs"].get(location)
    place.write_text(json.dumps(state), encoding="utf-8")
    if hub is None or (hub["breaks"] and "-a" in given):
        sys.stderr.write(f"No compatible devices detected at location {location}!\nRun with -h to get usage info.\n")
        return 1
    ports = given["-p"].split(",") if "-p" in given else sorted(hub["powered"])
    _show("Current", location, hub, ports)
    if "-a" in given:
        on = given["-a"] == "on"
        hub["powered"].update({port: on for port in ports if int(port) not in hub["stuck"]})
        sys.stdout.write(f"Sent power {given['-a']} request\n")
        _show("New", location, hub, ports)
    place.write_text(json.dumps(state), encoding="utf-8")
    return 0


def _show(when: str, location: str, hub: dict[str, object], ports: list[str]) -> None:
    powered = hub["powered"]
    assert isinstance(powered, dict)
    states = ("02a0 power 5gbps Rx.Detect", "0080 off") if hub["superspeed"] else ("0100 power", "0000 off")
    sys.stdout.write(f"{when} status for hub {location} [{hub['description']}]\n")
    for port in ports:
        sys.stdout.write(f"  Port {port}: {states[0] if powered[port] else states[1]}\n")


if __name__ == "__main__":
    sys.exit(_main(Path(sys.argv[1]), sys.argv[2:]))
