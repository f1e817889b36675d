"""Kernel modules, and the device nodes of usbmon and the kernel log."""

import asyncio
import os
import shutil
from pathlib import Path

from hil.agent.server.usbdevice import DEV, SYSFS
from hil.errors import AgentError, SetupError

_SEARCH = "/usr/sbin:/sbin:/usr/bin:/bin"
_TIMEOUT_S = 30.0


async def load(name: str, sysfs: Path = SYSFS) -> None:
    """Load a module; one that is there already, or is built in and shows it, costs nothing.

    Raises:
        SetupError: kmod is not installed, or the kernel has no such module.
    """
    if (sysfs / "module" / name.replace("-", "_")).is_dir():
        return
    program = shutil.which("modprobe", path=_SEARCH)
    if program is None:
        raise SetupError(f"module {name} cannot be loaded: no modprobe in {_SEARCH}; install the package kmod")
    process = await asyncio.create_subprocess_exec(
        program, "--", name, stdin=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE, env={"PATH": _SEARCH}
    )
    try:
        _, words = await asyncio.wait_for(process.communicate(), _TIMEOUT_S)
    except TimeoutError as error:
        process.kill()
        raise AgentError(f"modprobe {name} did not end within {_TIMEOUT_S} s") from error
    if process.returncode != 0:
        raise SetupError(f"module {name} cannot be loaded: {words.decode('utf-8', 'replace').strip()[:400]}")


def open_usbmon(bus: int, dev: Path = DEV) -> int:
    """Descriptor of a bus's binary usbmon device, for reading.

    Raises:
        SetupError: there is no such node.
    """
    return _open(dev / f"usbmon{bus}", "load the module usbmon (hil asks for it with load_module)")


def open_kmsg(dev: Path = DEV) -> int:
    """Descriptor of the kernel log, for reading, placed behind its last record.

    Raises:
        SetupError: there is no such node.
    """
    descriptor = _open(dev / "kmsg", "the kernel needs CONFIG_PRINTK")
    os.lseek(descriptor, 0, os.SEEK_END)
    return descriptor


def _open(node: Path, remedy: str) -> int:
    try:
        return os.open(node, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise SetupError(f"{node} cannot be opened: {error.strerror}; {remedy}") from error
