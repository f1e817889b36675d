"""What hil makes of the devices of an umockdev testbed; each function's result is printed as JSON.

usage: umockdev-run --device FILE -- python in_umockdev.py FUNCTION FOLDER
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

from hil.agent.allow import AllowList
from hil.agent.server.hubs import HubPort, Hubs
from hil.agent.server.power import PowerSwitches
from hil.agent.server.usbdevice import UsbDevice
from hil.bench import Board, Power
from hil.cli import main
from hil.device.discovery import attached, boards_on_the_bus, require_board
from hil.errors import HilError
from hil.testing.fake_uhubctl import FakeHub, FakeUhubctl

SYS = Path("/sys")
BOARDS = {"s3-a": ("1-1.2", "1-1.3"), "s3-b": ("3-1",)}


def discovery(folder: Path) -> dict[str, Any]:
    return {
        "attached": [str(device) for device in attached()],
        "boards": boards_on_the_bus(),
        "found": [require_board(Board(name, paths[0])).path for name, paths in BOARDS.items()],
        "refused": [told(lambda path=path: require_board(Board("s3-a", path))) for path in ("1-1.3", "1-1.4")],
    }


def bench_file(folder: Path) -> int:
    """Prints the beginning of a bench.toml before its status."""
    return main(["boards"])


def ports(folder: Path) -> dict[str, Any]:
    """Port control by the agent's own code, on the nodes as the kernel lays them out."""
    found: dict[str, Any] = {}
    for path in ("1-1.2", "3-1"):
        device = UsbDevice(path)
        for attribute, value in (("port_disable", "1"), ("authorized", "0"), ("control", "auto")):
            before = device.read(attribute)
            device.write(attribute, value)
            found[f"{path} {attribute}"] = [before, device.read(attribute)]
        found[f"{path} drivers"] = [device.read("bound"), device.read("bound_ncm")]
        found[f"{path} interfaces"] = [each.name for each in device.interfaces()]
        found[f"{path} ports"] = device.ttys()
    return found


def gangs(folder: Path) -> dict[str, Any]:
    become_a_pi_5()
    hubs = Hubs(SYS)
    return {
        "model": hubs.model(),
        "own": [port.path for port in hubs.gang(HubPort("3", 1), ganged=False)],
        "hub": [port.path for port in hubs.gang(HubPort("1-1", 2), ganged=False)],
    }


def power(folder: Path) -> list[str]:
    """Who may be switched off on this Pi, by the whole way from the allow list to uhubctl."""
    become_a_pi_5()
    both = "2109:2822 VIA Labs, Inc. USB2.0 Hub 000000001, USB 2.10, 4 ports, ppps"
    root = "1d6b:0002 Linux 6.6.62+rpt-rpi-2712 xhci-hcd xHCI Host Controller xhci-hcd.1, USB 2.00, 2 ports, ppps"
    uhubctl = FakeUhubctl(
        folder / "bin",
        {hub: FakeHub(text, dict.fromkeys("1234", True)) for hub, text in (("1-1", both), ("2-1", both), ("3", root))},
    )
    behind = Power("uhubctl", hub="1-1", port=2)
    own = Power("uhubctl", hub="3", port=1)
    named = Power("uhubctl", hub="3", port=1, also_off=("2-1", "4-1"))
    words = [told(lambda each=each: switch(folder, each)) for each in (behind, own, named)]
    return [*words, *uhubctl.runs]


def switch(folder: Path, power: Power) -> str:
    board = "s3-a" if power.hub == "1-1" else "s3-b"
    allow = AllowList(boards=BOARDS, power={board: power}, place="allow.toml")
    found = PowerSwitches(allow, SYS, str(folder / "bin")).find(board, power, on=False)
    if power.hub == "1-1":
        found.turn(False)
    return f"with {', '.join(found.boards) or 'no other board'}"


def become_a_pi_5() -> None:
    """A testbed has devices alone; what else sysfs tells is a file in its directory."""
    place = Path(os.environ["UMOCKDEV_DIR"], "sys/firmware/devicetree/base")
    place.mkdir(parents=True)
    (place / "model").write_text("Raspberry Pi 5 Model B Rev 1.0\0")


def told(deed: Any) -> str:
    try:
        return str(deed())
    except HilError as error:
        return f"{type(error).__name__}: {error}"


if __name__ == "__main__":
    print(json.dumps(globals()[sys.argv[1]](Path(sys.argv[2]))))
