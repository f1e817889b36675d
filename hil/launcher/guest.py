"""What the virtual machine runs: its initial RAM disk with the job that it is given.

The scripts are ``guest_init.sh`` and ``guest_main.sh``; the job is two more, written here: ``job.sh`` sets variables,
``command.sh`` becomes the command.
"""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hil.launcher import cpio
from hil.launcher.assemble import Pieces
from hil.launcher.modules import ModuleTree, module_name

EARLY = ("virtio_pci", "9pnet_virtio", "9p", "overlay", "virtio_console")
"""Without these there is no root and nobody to talk to."""
LATER = ("vhci_hcd", "cdc_acm", "cdc_ncm", "usbmon", "tun", "veth", "af_packet")
"""Loaded while the command starts."""
APPLETS = ("sh", "mount", "umount", "insmod", "mkdir", "cp", "rm", "switch_root", "poweroff", "find", "chown")
PORTS_DEVICE = "0"
"""The first virtio-serial device; its ports are /dev/vport0p1 and on."""
AGENT_ALLOW = Path("/etc/hil/allow.toml")


@dataclass(frozen=True, slots=True)
class User:
    """Who runs the command."""

    uid: int
    gid: int
    groups: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Job:
    """One command for the machine."""

    argv: tuple[str, ...]
    cwd: Path
    env: Mapping[str, str]
    """The whole environment of the command."""
    user: User
    artifacts: Path | None
    """Shared with the host while the command runs."""
    returned: tuple[Path, ...] = ()
    """Paths below which what has been written comes back at the end."""
    one_output: bool = False
    """Errors go the way of the output, which keeps their order."""
    agent: tuple[str, ...] = ()
    """Command line of a root process to start before the command; empty for none."""
    core: Path | None = None
    """The firmware core, built on the host."""


def command_script(job: Job) -> str:
    """The shell script that becomes the command: same directory, user and environment as on the host.

    Programs have whole paths: busybox's shell prefers its own applets to PATH.
    """
    user = job.user
    groups = ["--groups", ",".join(map(str, user.groups))] if user.groups else ["--clear-groups"]
    become = [] if user.uid == 0 else ["/usr/bin/setpriv", f"--reuid={user.uid}", f"--regid={user.gid}", *groups, "--"]
    environment = ["/usr/bin/env", "-i", *(f"{name}={value}" for name, value in job.env.items())]
    lines = (
        "exec < /dev/null > /run/hil/out 2> /run/hil/err",
        "exec 2>&1" if job.one_output else "",
        "echo $$ > /run/hil/pid",
        f"cd {shlex.quote(str(job.cwd))} || exit 126",
        f"exec {shlex.join([*become, *environment, *job.argv])} 3>&-",
    )
    return "\n".join(lines) + "\n"


def job_script(job: Job, modules: Sequence[str]) -> str:
    """The variables that guest_main.sh reads."""
    values = {
        "ports": PORTS_DEVICE,
        "artifacts": str(job.artifacts or ""),
        "returned": shlex.join(str(path).lstrip("/") for path in job.returned),
        "agent": shlex.join(job.agent),
        "modules": " ".join(modules),
    }
    return "".join(f"{name}={shlex.quote(value)}\n" for name, value in values.items())


def initial_ramdisk(pieces: Pieces, job: Job) -> bytes:
    """The archive that the kernel unpacks and starts ``/init`` of.

    Raises:
        SetupError: the kernel lacks a module that the machine cannot do without.
    """
    here = Path(__file__).parent
    tree = ModuleTree(pieces.modules)
    early = tree.load_order(EARLY)
    names = [f"{module_name(path)}.ko" for path in early]
    later = [name for name in LATER if name in tree.paths]
    cores = () if job.core is None else (cpio.file(f"core/{job.core.name}", job.core.read_bytes()),)
    return cpio.pack(
        [
            *(cpio.directory(name) for name in ("bin", "dev", "proc", "modules", "core")),
            *cores,
            cpio.file("bin/busybox", pieces.busybox.read_bytes(), 0o755),
            *(cpio.symlink(f"bin/{name}", "busybox") for name in APPLETS),
            *(cpio.file(f"modules/{name}", tree.read(path)) for name, path in zip(names, early, strict=True)),
            cpio.file("modules/order", "".join(f"{name}\n" for name in names).encode()),
            cpio.file("init", (here / "guest_init.sh").read_bytes(), 0o755),
            cpio.file("guest_main.sh", (here / "guest_main.sh").read_bytes(), 0o755),
            cpio.file("job.sh", job_script(job, later).encode()),
            cpio.file("command.sh", command_script(job).encode()),
        ]
    )
