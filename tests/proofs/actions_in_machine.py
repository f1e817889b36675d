"""Every action on the virtual board, with what the board itself counted of it; then uhubctl on the kernel's own hub.

Runs inside the virtual machine: python -m tests.proofs.actions_in_machine FOLDER
"""

import json
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hil import bench as bench_file
from hil.agent.client import Agent
from hil.clock import Deadline, MonotonicClock, to_s
from hil.device.open_bench import OpenBench
from hil.device.usb_board import UsbBoard
from hil.power.virtual_control import VirtualControl
from hil.timeline.events import Acted, Event, UsbAttached, UsbConfigured, UsbDetached, UsbUnconfigured

WITHIN_S = 30.0
KINDS = (Acted, UsbAttached, UsbConfigured, UsbDetached, UsbUnconfigured)
ACTIONS: dict[str, Callable[[UsbBoard], Acted]] = {
    "replug": lambda board: board.replug(0.5),
    "authorize_cycle": lambda board: board.authorize_cycle(0.5),
    "rebind": lambda board: board.rebind(off_s=0.5),
    "rebind_ncm": lambda board: board.rebind("cdc_ncm", off_s=0.5),
    "usb_reset": lambda board: board.usb_reset(),
    "port_disable": lambda board: board.port_disable(1.0),
    "reset_dtr_rts": lambda board: board.reset("dtr_rts"),
    "reset_http": lambda board: board.reset("http", over="fallback"),
    "doze": lambda board: board.doze(1.0)[0],
}
PATIENT = "no-recovery-after-silence"
"""An action that takes two seconds, as on a machine that is busy, would else meet a board that recovers by itself."""
PULLS_S = tuple(0.3 + 0.05 * number for number in range(8))
"""When the cable is pulled, after it was put in: the board boots, is attached and is enumerated in that time."""
RECOVERIES_S = tuple(0.3 + 0.06 * number for number in range(6))
"""The same after the board has gone by itself, because no frame came for 2 s, to come back 0.4 s later."""


def main() -> None:
    folder = Path(sys.argv[1])
    outcome = {"board": prove_board(folder), "uhubctl": prove_uhubctl(folder)}
    (folder / "actions.json").write_text(json.dumps(outcome, indent=1))


def prove_board(folder: Path) -> dict[str, Any]:
    """What was offered and what each action did; then pulls at awkward moments."""
    found: dict[str, Any] = {}
    with on_bench(folder / "patient", PATIENT) as (opened, board, control):
        found["offers"] = sorted(board.offers)
        for name, act in ACTIONS.items():
            found[name] = prove(opened, board, control, act)
    with on_bench(folder / "bench") as (opened, board, control):
        found["pulls"] = pull_while_it_comes(board, control)
        found["recoveries"] = pull_while_it_recovers(opened, board, control)
    return found


@contextmanager
def on_bench(folder: Path, *faults: str) -> Iterator[tuple[OpenBench, UsbBoard, VirtualControl]]:
    opened = OpenBench(bench_file.virtual(), folder, faults=faults)
    try:
        board = opened.board()
        yield opened, board, opened._controls[board.name]
    finally:
        opened.close()


def prove(
    opened: OpenBench, board: UsbBoard, control: VirtualControl, act: Callable[[UsbBoard], Acted]
) -> dict[str, Any]:
    settle(board, control)
    before = state(control)
    acted = act(board)
    settle(board, control)
    after = state(control)
    opened.witness.refresh()
    events = [event for event in opened.witness.timeline.since(acted.t_ns - acted.t_err_ns) if isinstance(event, KINDS)]
    return {
        "sees": acted.sees,
        "t_err_s": to_s(acted.t_err_ns),
        "boots": after["boots"] - before["boots"],
        "seen": {name: after["seen"][name] - count for name, count in before["seen"].items()},
        "events": [shown(event) for event in events],
    }


def shown(event: Event) -> str:
    return event.action if isinstance(event, Acted) else type(event).__name__


def pull_while_it_comes(board: UsbBoard, control: VirtualControl) -> list[float]:
    """Seconds that each pull took."""
    took = []
    for after_s in PULLS_S:
        settle(board, control)
        board.unplug()
        board.plug()
        took.append(pull(board, after_s))
    return took


def pull_while_it_recovers(opened: OpenBench, board: UsbBoard, control: VirtualControl) -> list[float]:
    """Seconds that each pull took."""
    took = []
    for after_s in RECOVERIES_S:
        settle(board, control)
        if opened.witness.find(UsbDetached(path=board.spec.usb), MonotonicClock().now_ns(), WITHIN_S) is None:
            raise SystemExit(f"the board did not recover by itself within {WITHIN_S:g} s without a frame")
        took.append(pull(board, after_s))
    return took


def pull(board: UsbBoard, after_s: float) -> float:
    clock = MonotonicClock()
    clock.sleep(after_s)
    began_ns = clock.now_ns()
    board.unplug()
    return to_s(clock.now_ns() - began_ns)


def settle(board: UsbBoard, control: VirtualControl) -> None:
    """Until the host has configured the board and its drivers leave it alone."""
    deadline = Deadline(WITHIN_S)
    board.make_ready()
    while not (state(control)["mounted"] and state(control)["link"]):
        if deadline.passed:
            raise SystemExit(f"the board is not up within {WITHIN_S:g} s: {state(control)}")
        MonotonicClock().sleep(0.02)
    board.make_ready()


def state(control: VirtualControl) -> dict[str, Any]:
    return control.do("state").values


def prove_uhubctl(folder: Path) -> dict[str, Any]:
    """The real uhubctl on the root hub of vhci_hcd, with a virtual board as the board of a bench."""
    if not Path("/usr/sbin/uhubctl").exists():
        return {}
    ours, theirs = socket.socketpair()
    command = [sys.executable, "-m", "hil.virtual", "--control-fd", str(theirs.fileno())]
    with subprocess.Popen(command, pass_fds=[theirs.fileno()]) as process:
        theirs.close()
        control = VirtualControl(ours)
        usb = str(control.do("configure", board="lab").values["usb"])
        control.do("plug")
        device = Path("/sys/bus/usb/devices", usb)
        outcome = switch(folder, usb, device)
        control.close()
        process.wait(WITHIN_S)
    return outcome


def switch(folder: Path, usb: str, device: Path) -> dict[str, Any]:
    bus, _, port = usb.partition("-")
    power = f"uhubctl, hub {bus} port {port}"
    allow = Path("/etc/hil/proof.toml")
    allow.parent.mkdir(exist_ok=True)
    allow.write_text(
        f'[boards]\ns3-a = ["{usb}"]\n[power]\ns3-a = {{ driver = "uhubctl", hub = "{bus}", port = {port} }}\n'
    )
    found: dict[str, Any] = {"attached": until(device.exists)}
    with Agent.spawn(allow, log=folder / "agent.log") as agent:
        off = agent.switch_power("s3-a", power, False)
        found["gone"] = until(lambda: not device.exists())
        found["off_took_s"] = to_s(2 * off.t_err_ns)
        agent.switch_power("s3-a", power, True)
        found["back"] = until(device.exists)
        agent.switch_power("s3-a", power, False)
        found["gone_again"] = until(lambda: not device.exists())
    found["given_back"] = until(device.exists)
    return found


def until(condition: Callable[[], bool]) -> bool:
    """Whether something of sysfs, which has no event without udev, becomes true in time."""
    deadline = Deadline(WITHIN_S)
    while not condition() and not deadline.passed:
        MonotonicClock().sleep(0.02)
    return condition()


if __name__ == "__main__":
    main()
