"""Where the virtual bench can run: natively, or in a machine under KVM, or in an emulated one.

Native needs drivers of this kernel and somebody with root's rights. KVM counts only where it has booted: /dev/kvm may
exist and hang every guest, so the machine is booted once with a short limit, and the result kept until kernel, CPU or
QEMU change.
"""

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from hil.agent.places import SOCKET
from hil.errors import HarnessError
from hil.launcher.assemble import Pieces, assemble, cache_directory
from hil.launcher.guest import Job, User, initial_ramdisk
from hil.launcher.machine import Hardware, Machine, Share, architecture, find_qemu
from hil.launcher.returns import Receiver
from hil.launcher.session import PORTS, Session
from hil.launcher.signals import Stopped

DRIVERS = ("vhci_hcd", "cdc_acm", "cdc_ncm", "usbmon", "tun", "veth")
"""What the virtual bench asks of a kernel."""
KVM_BOOT_S = 8.0
"""A machine that has not booted by then is taken to hang; 1 s is usual."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Where the virtual bench runs and why there."""

    name: Literal["native", "kvm", "tcg"]
    reason: str

    @property
    def native(self) -> bool:
        """It needs no machine."""
        return self.name == "native"


class Host(Protocol):
    """What deciding needs to know of this system."""

    def has_driver(self, name: str) -> bool:
        """The kernel has driver ``name`` loaded, built in, or can load it."""

    def sysfs_writable(self) -> bool:
        """/sys is not mounted read-only, as it is in most containers."""

    def privileged(self) -> bool:
        """Root, or sudo without a password, or an agent that listens."""

    def kvm_accessible(self) -> bool:
        """/dev/kvm exists and this user may open it."""


class ThisHost:
    """The system that this process runs on."""

    def has_driver(self, name: str) -> bool:
        if Path("/sys/module", name).exists():
            return True
        modprobe = shutil.which("modprobe", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
        return modprobe is not None and _succeeds(modprobe, "-n", "-q", name)

    def sysfs_writable(self) -> bool:
        return not os.statvfs("/sys").f_flag & os.ST_RDONLY

    def privileged(self) -> bool:
        if os.geteuid() == 0 or os.access(SOCKET, os.R_OK | os.W_OK):
            return True
        return shutil.which("sudo") is not None and _succeeds("sudo", "-n", "true")

    def kvm_accessible(self) -> bool:
        return os.access("/dev/kvm", os.R_OK | os.W_OK)


def _succeeds(*command: str) -> bool:
    try:
        done = subprocess.run(command, check=False, stdin=subprocess.DEVNULL, capture_output=True, timeout=10)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def native_problem(host: Host | None = None) -> str | None:
    """Why the virtual bench cannot run on this kernel, or None where it can."""
    host = host or ThisHost()
    missing = [name for name in DRIVERS if not host.has_driver(name)]
    if missing:
        return f"kernel {platform.release()} has no {', '.join(missing)}"
    if not host.sysfs_writable():
        return "/sys is read-only here"
    if not host.privileged():
        return f"this user is not root, sudo asks for a password, and no agent listens on {SOCKET}"
    return None


def plan(env: Mapping[str, str] | None = None, host: Host | None = None) -> Plan:
    """Where the virtual bench runs. Puts the machine's pieces together where it has to try KVM.

    Raises:
        SetupError: neither this kernel nor QEMU can do it; names the package that is missing.
    """
    host = host or ThisHost()
    problem = native_problem(host)
    if problem is None:
        return Plan("native", f"kernel {platform.release()} has {', '.join(DRIVERS)}")
    find_qemu(architecture(platform.machine()))
    if not host.kvm_accessible():
        return Plan("tcg", f"{problem}; no access to /dev/kvm")
    cache = cache_directory(env if env is not None else os.environ)
    chosen = accelerator(assemble(cache, lambda text: print(text, file=sys.stderr, flush=True)), cache, host)
    return Plan(chosen.name, f"{problem}; {chosen.reason}")


def accelerator(pieces: Pieces, cache: Path, host: Host | None = None) -> Plan:
    """KVM where it has booted these pieces, else TCG."""
    host = host or ThisHost()
    if not host.kvm_accessible():
        return Plan("tcg", "no access to /dev/kvm")
    known = cache / f"kvm-{_probe_key(pieces)}.json"
    try:
        problem = json.loads(known.read_text())["problem"]
    except FileNotFoundError:
        problem = kvm_problem(pieces)
        known.write_text(json.dumps({"problem": problem}))
    return Plan("tcg", f"KVM: {problem}") if problem else Plan("kvm", "KVM boots")


def _probe_key(pieces: Pieces) -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    cpu = next((line for line in lines if line.startswith(("model name", "CPU part"))), "")
    qemu = find_qemu(architecture(pieces.architecture)).resolve()
    built = qemu.stat()
    facts = (platform.release(), pieces.release, cpu, str(qemu), str(built.st_size), str(built.st_mtime_ns))
    return hashlib.sha256("\0".join(facts).encode()).hexdigest()[:16]


def kvm_problem(pieces: Pieces, boot_s: float = KVM_BOOT_S) -> str | None:
    """Boot once under KVM; what went wrong, or None."""
    with tempfile.TemporaryDirectory(prefix="hil-kvm-") as scratch, open(os.devnull, "wb") as nowhere:
        console = Path(scratch) / "console.log"
        job = Job(("true",), Path("/"), {}, User(0, 0, ()), None)
        hardware = Hardware(pieces, "kvm", (Share("host", Path("/")), Share("layer", pieces.layer)), console)
        machine = Machine(hardware, initial_ramdisk(pieces, job), PORTS)
        out = nowhere.fileno()
        try:
            status = Session(machine, Receiver((), None), (out, out), boot_s=boot_s).run()
        except Stopped:
            raise KeyboardInterrupt from None
        except HarnessError as error:
            return str(error).split("; its console", 1)[0]
        finally:
            machine.close()
        return None if status == 0 else f"its first command ended with status {status}"
