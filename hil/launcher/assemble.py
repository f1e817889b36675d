"""What the virtual machine is made of, put together once and kept in a cache directory.

Pieces: a stock kernel of the distribution (uncompressed), its modules, and a *layer*: a tree that the machine lays over
the host's own root, with the kernel modules and those of udev, kmod and busybox that the host lacks. Packages are
downloaded and unpacked, never installed.

The cache is ``$HIL_CACHE``, else ``$XDG_CACHE_HOME/hil``, else ``~/.cache/hil``. In it, ``machine-<key>/`` holds the
pieces; the key covers all that decides what they should be, so a directory that exists is complete and current.
"""

import fcntl
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hil.errors import SetupError
from hil.launcher.kernelimage import uncompressed
from hil.launcher.packages import Apt, Package, installed_here

FORMAT = "1"
"""Raised whenever the layout or the choice of pieces changes."""
TOOLS = ("udev", "kmod", "busybox-static")
HOST_TOOLS = ("/usr/lib/systemd/systemd-udevd", "/usr/sbin/modprobe", "/usr/bin/busybox")
"""What of them the host may have itself."""
KERNELS = {
    "x86_64": ("linux-image-amd64", "linux-image-generic"),
    "aarch64": ("linux-image-arm64", "linux-image-generic", "linux-image-rpi-2712", "linux-image-rpi-v8"),
}
KERNEL_PARTS = re.compile(r"linux-(image|modules|modules-extra)-\d")
UNUSED = re.compile(
    r"/lib/modules/[^/]+/kernel/(sound"
    r"|drivers/(gpu|media|infiniband|scsi|iio|staging|hwmon|ata|md|comedi|platform|mtd|video|target)"
    r"|drivers/net/(wireless|ethernet|can|wan|dsa|fddi|arcnet|hamradio|ieee802154|wwan|fjes|vmxnet3)"
    r"|fs/(?!9p|overlayfs|netfs|fscache|nls|configfs|fuse)[^/]+)/"
)
"""Directories of kernel modules that no USB bench asks for: two thirds of all."""


@dataclass(frozen=True, slots=True)
class Pieces:
    """A kernel and the layer that goes with it."""

    architecture: str
    """As ``uname -m`` says it."""
    release: str
    """The kernel's release, as ``uname -r`` would say it."""
    directory: Path

    @property
    def kernel(self) -> Path:
        return self.directory / "vmlinux"

    @property
    def layer(self) -> Path:
        return self.directory / "layer"

    @property
    def modules(self) -> Path:
        return self.layer / "usr/lib/modules" / self.release

    @property
    def busybox(self) -> Path:
        return self.directory / "busybox"


def cache_directory(env: Mapping[str, str]) -> Path:
    """Where pieces and probe results are kept."""
    if chosen := env.get("HIL_CACHE"):
        return Path(chosen).absolute()
    base = env.get("XDG_CACHE_HOME") or Path(env.get("HOME") or Path.home()) / ".cache"
    return Path(base).absolute() / "hil"


def key(architecture: str) -> str:
    """Names what the pieces depend on: this format, the machine, the system's release, its tools."""
    release = Path("/etc/os-release")
    present = [str(Path(tool).exists()) for tool in HOST_TOOLS]
    parts = (FORMAT, architecture, release.read_text() if release.exists() else "", *present)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def ready(cache: Path, architecture: str | None = None) -> Pieces | None:
    """The pieces for this system, where they have been put together."""
    architecture = architecture or platform.machine()
    directory = cache / f"machine-{key(architecture)}"
    try:
        facts = json.loads((directory / "machine.json").read_text())
    except FileNotFoundError:
        return None
    return Pieces(architecture, facts["release"], directory)


def assemble(cache: Path, say: Callable[[str], None], refresh: bool = False) -> Pieces:
    """The pieces for this system; put together now where they are not there.

    Raises:
        SetupError: no kernel is known for this system, or apt could not get what is needed.
    """
    cache.mkdir(parents=True, exist_ok=True)
    with _only_one(cache):
        if not refresh and (pieces := ready(cache)):
            return pieces
        architecture = platform.machine()
        target = cache / f"machine-{key(architecture)}"
        with tempfile.TemporaryDirectory(dir=cache, prefix=".new-") as scratch:
            _build(Path(scratch), architecture, say)
            shutil.rmtree(target, ignore_errors=True)
            (Path(scratch) / "machine").rename(target)
    pieces = ready(cache, architecture)
    assert pieces is not None
    return pieces


@contextmanager
def _only_one(cache: Path) -> Iterator[None]:
    with (cache / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build(scratch: Path, architecture: str, say: Callable[[str], None]) -> None:
    apt = Apt(scratch / "apt", installed_here)
    try:
        files = _download(apt, architecture, scratch / "debs", say)
    except SetupError as error:
        say(f"hil: {error}; asking the package mirrors")
        apt.fetch_lists()
        files = _download(apt, architecture, scratch / "debs", say)
    machine = scratch / "machine"
    layer = machine / "layer"
    for file in files:
        _unpack(file, layer)
    (layer / "usr/lib").mkdir(parents=True, exist_ok=True)
    release = _take_kernel(layer, machine)
    _take_busybox(layer, machine)
    _index_modules(layer, release)
    facts = {"release": release, "packages": [file.name for file in files]}
    (machine / "machine.json").write_text(json.dumps(facts, indent=1))


def _download(apt: Apt, architecture: str, directory: Path, say: Callable[[str], None]) -> list[Path]:
    shutil.rmtree(directory, ignore_errors=True)
    packages = [*kernel_packages(apt, architecture), *apt.missing(TOOLS)]
    names = " ".join(f"{package.name}={package.version}" for package in packages)
    say(f"hil: downloading for the virtual machine, not to be installed: {names}")
    return apt.download(packages, directory)


def kernel_packages(apt: Apt, architecture: str) -> list[Package]:
    """The packages that hold the distribution's newest kernel and its modules.

    Raises:
        SetupError: no kernel package is known for the architecture, or apt has none of them.
    """
    names = KERNELS.get(architecture)
    if names is None:
        choices = ", ".join(sorted(KERNELS))
        raise SetupError(f"no kernel package is known for machine type {architecture!r}; known: {choices}")
    meta = next((known for name in names if (known := apt.find(name))), None)
    if meta is None:
        raise SetupError(f"apt knows no kernel package; looked for {', '.join(names)}")
    found: dict[str, Package] = {}
    todo = [meta]
    while todo:
        for group in todo.pop().depends:
            name = group[0]
            if KERNEL_PARTS.match(name) and name not in found and (package := apt.find(name)):
                found[name] = package
                todo.append(package)
    if not found:
        raise SetupError(f"package {meta.name} {meta.version} names no kernel image among what it depends on")
    return list(found.values())


def _unpack(file: Path, layer: Path) -> None:
    """Unpack a package below ``layer``, with /bin, /lib and /sbin under /usr as on a merged-usr host."""
    layer.mkdir(parents=True, exist_ok=True)
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(file)], stdout=subprocess.PIPE) as reader:
        assert reader.stdout is not None
        with tarfile.open(fileobj=reader.stdout, mode="r|") as archive:
            archive.extraction_filter = getattr(tarfile, "tar_filter", None)  # Python 3.11.4 and later have filters
            archive.extractall(layer, members=_wanted(archive))
        reader.stdout.read()
    if reader.returncode:
        raise SetupError(f"dpkg-deb cannot read {file.name}: exit status {reader.returncode}")


def _wanted(archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    for member in archive:
        name = member.name.lstrip(".")
        if UNUSED.search(name + "/") or name.startswith(("/usr/share/", "/etc/init.d/")) or member.isdev():
            continue
        if name.startswith(("/bin/", "/lib/", "/lib64/", "/sbin/")):
            member.name = f"./usr{name}"
        elif name in ("/bin", "/lib", "/lib64", "/sbin"):
            continue
        yield member


def _take_kernel(layer: Path, machine: Path) -> str:
    images = sorted((layer / "boot").glob("vmlinuz-*"))
    if not images:
        raise SetupError("the kernel packages hold no /boot/vmlinuz-*")
    (machine / "vmlinux").write_bytes(uncompressed(images[-1].read_bytes()))
    shutil.rmtree(layer / "boot")
    return images[-1].name.removeprefix("vmlinuz-")


def _take_busybox(layer: Path, machine: Path) -> None:
    own = layer / "usr/bin/busybox"
    shutil.copy2(own if own.exists() else "/usr/bin/busybox", machine / "busybox")


def _index_modules(layer: Path, release: str) -> None:
    """Write modules.dep and its like; packages leave that to their installation scripts."""
    own = layer / "usr/bin/kmod"
    libraries = ":".join(str(path) for path in (layer / "usr/lib").glob("*-linux-gnu*"))
    env = {**os.environ, "LD_LIBRARY_PATH": libraries} if libraries else None
    tool = own if own.exists() else Path("/usr/bin/kmod")
    command = ["depmod", "-b", str(layer / "usr"), release]
    done = subprocess.run(command, check=False, executable=tool, capture_output=True, text=True, timeout=120, env=env)
    if done.returncode:
        raise SetupError(f"{' '.join(command)}: exit status {done.returncode}: {done.stderr.strip()}")
