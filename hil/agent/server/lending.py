"""Lending a board's serial port to a client that wants it for itself, such as a flasher."""

import fcntl
import os
import termios
from pathlib import Path

from hil.agent.replies import PortHeld
from hil.agent.server.tty import AGAIN_S, OPEN_WITHIN_S, PASSING, LineSettings, open_tty
from hil.agent.server.usbdevice import UsbDevice
from hil.clock import Deadline, MonotonicClock
from hil.errors import AgentError

PROC = Path("/proc")
MODEM_MANAGER = "ModemManager"
IGNORE_RULE = 'ATTRS{{idVendor}}=="{vendor}", ENV{{ID_MM_DEVICE_IGNORE}}="1"'
IGNORE_FILE = "/etc/udev/rules.d/60-hil.rules"
"""ModemManager reference manual, "Common udev tags" and "Port and device detection filters"."""
PASSES_S = 2.0
"""A worker of udev has each new port open for a moment."""
SHOWN = 3
"""Processes that a message names."""
_PF_KTHREAD, _FLAGS_AT = 0x0020_0000, 6
"""include/linux/sched.h; the ninth field of /proc/PID/stat, the seventh behind the name."""


def find(device: UsbDevice, dev: Path) -> Path:
    """The node of the device's serial port, the first one where it has several.

    Raises:
        AgentError: nothing is attached, or it has no serial port.
    """
    names = device.ttys()
    if not names:
        device.directory()  # raises where nothing is attached
        raise AgentError(f"{device.path} has no serial port; its driver has not made one yet, or there is none")
    return dev / names[0]


def lend(device: UsbDevice, dev: Path, alone: bool = True, proc: Path = PROC) -> tuple[Path, int]:
    """Open the port for one user: raw, not as controlling terminal, keeping what it has received.

    TIOCEXCL keeps others from opening it (tty_ioctl(2)).

    Args:
        device: whose port.
        dev: where device nodes are.
        alone: whoever has it open already, and keeps it, is named.
        proc: where processes are looked up.

    Returns:
        its node and the descriptor.

    Raises:
        PortHeld: another process has it open.
        AgentError: nothing is attached, or it has no serial port.
        OSError: the kernel refused.
    """
    node = find(device, dev)
    held = _held_for_long(node, proc) if alone else []
    if held:
        raise PortHeld(f"{node} of {device.path} is held by {', '.join(held[:SHOWN])}; {_remedy(held, device)}")
    descriptor = _opened(device, node)
    try:
        fcntl.ioctl(descriptor, termios.TIOCEXCL)
    except OSError:
        os.close(descriptor)
        raise
    return node, descriptor


def _opened(device: UsbDevice, node: Path) -> int:
    """Its descriptor, once the driver that has just made the port lets it be opened."""
    deadline = Deadline(OPEN_WITHIN_S)
    while True:
        try:
            return open_tty(node, device.tty_number(node.name), LineSettings())
        except OSError as error:
            if error.errno not in PASSING or deadline.passed:
                raise
        MonotonicClock().sleep(AGAIN_S)


def holders(node: Path, proc: Path = PROC) -> list[str]:
    """Processes other than this one that have ``node`` open, as 'ModemManager (process 412)'."""
    wanted = os.path.realpath(node)
    passed_over = {str(os.getpid()), *_kernel_threads(proc)}
    pids = sorted(int(name) for name in os.listdir(proc) if name.isdecimal() and name not in passed_over)
    return [f"{_name(proc / str(pid))} (process {pid})" for pid in pids if _holds(f"{proc}/{pid}/fd", wanted)]


def _held_for_long(node: Path, proc: Path) -> list[str]:
    """Whoever still has it after a moment."""
    deadline = Deadline(PASSES_S)
    while (held := holders(node, proc)) and not deadline.passed:
        MonotonicClock().sleep(AGAIN_S)
    return held


def _remedy(held: list[str], device: UsbDevice) -> str:
    if any(holder.startswith(f"{MODEM_MANAGER} ") for holder in held):
        rule = IGNORE_RULE.format(vendor=device.read("idVendor"))
        return f"it probes each new port for a modem: put `{rule}` into {IGNORE_FILE} and plug the board anew"
    return "end that, or let go of it"


def _kernel_threads(proc: Path) -> list[str]:
    """Those that kthreadd has made: they open nothing, and are most of what runs on a quiet machine.

    [] where process 2 is another, as in a container, or the kernel keeps no such list (CONFIG_PROC_CHILDREN); proc(5).
    """
    try:
        flags = int((proc / "2/stat").read_text().rpartition(")")[2].split()[_FLAGS_AT])
        return (proc / "2/task/2/children").read_text().split() if flags & _PF_KTHREAD else []
    except (OSError, LookupError, ValueError):
        return []


def _holds(opened: str, wanted: str) -> bool:
    try:
        return any(_target(f"{opened}/{each}") == wanted for each in os.listdir(opened))
    except OSError:
        return False  # it has just ended


def _target(link: str) -> str:
    try:
        return os.readlink(link)
    except OSError:
        return ""  # it has just been closed


def _name(process: Path) -> str:
    try:
        return (process / "comm").read_text(errors="replace").strip() or "a process"
    except OSError:
        return "a process"
