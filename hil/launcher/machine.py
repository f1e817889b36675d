"""QEMU: its arguments, its process, its end.

Nothing of it has a name in a file system: the RAM disk is a memfd, the ports are socket pairs, passed by descriptor.
QEMU is killed by the kernel when the process that started it dies (PR_SET_PDEATHSIG, set by util-linux' setpriv).
"""

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from hil.errors import SetupError
from hil.launcher.assemble import Pieces

MEMORY_MIB = 1024
END_S = 5.0
"""QEMU ends this long after it was told to, at most."""
SHOWN = 4096
"""Bytes of what QEMU printed that a message holds."""


@dataclass(frozen=True, slots=True)
class Architecture:
    """How QEMU emulates one machine type."""

    program: str
    package: str
    machine: str
    console: str
    kvm_cpu: str
    """Without IA32_ARCH_CAPABILITIES on x86: where KVM is nested, setting that register may fail."""


ARCHITECTURES = {
    "x86_64": Architecture("qemu-system-x86_64", "qemu-system-x86", "q35", "ttyS0", "host,-arch-capabilities"),
    "aarch64": Architecture("qemu-system-aarch64", "qemu-system-arm", "virt,gic-version=max", "ttyAMA0", "host"),
}
KERNEL_OPTIONS = "quiet loglevel=3 panic=-1 mitigations=off random.trust_cpu=on nokaslr cryptomgr.notests"


@dataclass(frozen=True, slots=True)
class Share:
    """A directory of the host that the machine may mount over 9p."""

    tag: str
    path: Path
    writable: bool = False


def architecture(machine_type: str) -> Architecture:
    """How to emulate ``machine_type`` (``uname -m``).

    Raises:
        SetupError: nobody has taught hil to.
    """
    known = ARCHITECTURES.get(machine_type)
    if known is None:
        choices = ", ".join(sorted(ARCHITECTURES))
        raise SetupError(f"no virtual machine for machine type {machine_type!r}; known: {choices}")
    return known


def find_qemu(arch: Architecture) -> Path:
    """The QEMU program.

    Raises:
        SetupError: it is not installed; names the package.
    """
    found = shutil.which(arch.program)
    if found is None:
        raise SetupError(f"there is no {arch.program} on PATH: install package {arch.package}")
    return Path(found)


def kernel_line(arch: Architecture, extra: str = "") -> str:
    """The kernel's command line."""
    timer = " tsc=reliable no_timer_check" if arch.machine == "q35" else ""
    return f"console={arch.console} {KERNEL_OPTIONS}{timer} {extra}".strip()


MOST_CPUS = 4


@dataclass(frozen=True, slots=True)
class Hardware:
    """What a machine has."""

    pieces: Pieces
    accel: str
    """``kvm`` or ``tcg``."""
    shares: tuple[Share, ...]
    console: Path
    """File for what the kernel prints."""
    cpus: int = field(default_factory=lambda: virtual_cpus(len(os.sched_getaffinity(0))))


def virtual_cpus(cores: int) -> int:
    """CPUs of a machine on so many cores: one each, so that agent, capture and virtual board start beside pytest.

    Emulated, on two cores that other work shared with it, a bench was open 23 to 27 s after the machine's start with
    two CPUs and 36 to 47 s with one. A virtual CPU that the host does not run in time makes the others spin on its
    locks: on two cores kept busy altogether, two CPUs import pytest two to three times slower than one.
    """
    return max(1, min(MOST_CPUS, cores))


def arguments(hardware: Hardware, ramdisk_fd: int, port_fds: Sequence[int]) -> list[str]:
    """QEMU's command line, without the program.

    Args:
        ramdisk_fd: a descriptor of the initial RAM disk that QEMU inherits.
        port_fds: one connected socket a port, in the order of the ports.
    """
    arch = architecture(hardware.pieces.architecture)
    accel, cpu = ("kvm", arch.kvm_cpu) if hardware.accel == "kvm" else ("tcg,thread=multi", "max")
    return [
        *("-M", arch.machine, "-accel", accel, "-cpu", cpu, "-m", str(MEMORY_MIB), "-smp", str(hardware.cpus)),
        *("-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"),
        *("-chardev", f"file,id=console,path={_comma(hardware.console)}", "-serial", "chardev:console"),
        *("-kernel", str(hardware.pieces.kernel), "-initrd", f"/proc/self/fd/{ramdisk_fd}"),
        *("-append", kernel_line(arch), "-device", "virtio-serial-pci"),
        *(part for number, fd in enumerate(port_fds, start=1) for part in _port(number, fd)),
        *(part for share in hardware.shares for part in _share(share)),
    ]


def _port(number: int, fd: int) -> tuple[str, ...]:
    port = f"virtserialport,nr={number},chardev=port{number},name=hil.{number}"
    return ("-chardev", f"socket,id=port{number},fd={fd}", "-device", port)


def _share(share: Share) -> tuple[str, ...]:
    mode = "" if share.writable else ",readonly=on"
    backend = f"local,id={share.tag},path={_comma(share.path)},security_model=none,multidevs=remap{mode}"
    return ("-fsdev", backend, "-device", f"virtio-9p-pci,fsdev={share.tag},mount_tag={share.tag}")


def _comma(path: Path) -> str:
    """QEMU splits option values at commas; a doubled one stands for itself."""
    return str(path).replace(",", ",,")


class Machine:
    """A running QEMU and our ends of its ports."""

    def __init__(self, hardware: Hardware, ramdisk: bytes, ports: int) -> None:
        self.console = hardware.console
        qemu = find_qemu(architecture(hardware.pieces.architecture))
        pairs = [socket.socketpair() for _ in range(ports)]
        self.ports = [ours for ours, _ in pairs]
        theirs = [their for _, their in pairs]
        fd = os.memfd_create("hil-ramdisk")
        self._words = os.memfd_create("hil-qemu-stderr")  # a pipe that nobody reads meanwhile would be full some day
        try:
            os.write(fd, ramdisk)
            fds = [their.fileno() for their in theirs]
            command = [str(qemu), *arguments(hardware, fd, fds)]
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._words,
                pass_fds=(fd, *fds),
                start_new_session=True,
            )
        finally:
            os.close(fd)
            for their in theirs:
                their.close()

    @property
    def pid(self) -> int:
        return self.process.pid

    def complaint(self) -> str:
        """What QEMU printed to standard error, or the end of it; call it after the end."""
        printed = os.fstat(self._words).st_size
        return os.pread(self._words, SHOWN, max(0, printed - SHOWN)).decode(errors="replace").strip()

    def close(self) -> None:
        """End QEMU, however it is doing."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired):  # a guest hung in KVM may not let go; the kernel ends it when it does
            self.process.wait(END_S)
        os.close(self._words)
        for port in self.ports:
            port.close()
