"""Distribution packages, looked up and downloaded with apt, never installed.

apt's own lists are used where they know the package; otherwise, and where what they name is no longer on the mirror,
lists are fetched into a directory of the caller's (``Dir::State::lists``): that needs no root, and the system stays as
it is.
"""

import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from hil.errors import SetupError

APT_LIMIT_S = 600.0
SKIPPED = frozenset({"adduser", "linux-base", "debconf", "initramfs-tools", "dracut", "linux-firmware"})
"""What packages depend on for their installation scripts only, which never run here."""

Runner = Callable[[Sequence[str], Path], str]
"""Runs a command in a directory and returns its output; raises SetupError where it fails or is missing."""


def run(command: Sequence[str], directory: Path) -> str:
    """The :data:`Runner` that starts processes."""
    try:
        done = subprocess.run(command, check=False, cwd=directory, capture_output=True, text=True, timeout=APT_LIMIT_S)
    except FileNotFoundError:
        raise SetupError(f"there is no {command[0]} here; the virtual machine is made from Debian packages") from None
    except subprocess.TimeoutExpired:
        raise SetupError(f"{' '.join(command)}: no end after {APT_LIMIT_S:.0f} s") from None
    if done.returncode:
        said = done.stderr.strip() or done.stdout.strip()
        raise SetupError(f"{' '.join(command)}: exit status {done.returncode}: {said}")
    return done.stdout


@dataclass(frozen=True, slots=True)
class Package:
    """What apt knows of a package's candidate version."""

    name: str
    version: str
    depends: tuple[tuple[str, ...], ...]
    """Each dependency as its alternatives, without versions."""


def parse_stanza(text: str) -> Package | None:
    """The first package of ``apt-cache show`` output, or None where there is none."""
    fields: dict[str, str] = {}
    for line in text.split("\n\n", 1)[0].splitlines():
        name, colon, value = line.partition(": ")
        if colon and not line.startswith(" "):
            fields[name] = value
    if "Package" not in fields:
        return None
    wanted = ", ".join(fields[key] for key in ("Pre-Depends", "Depends") if fields.get(key))
    groups = (tuple(_bare(one) for one in group.split("|")) for group in wanted.split(",") if group.strip())
    return Package(fields["Package"], fields.get("Version", ""), tuple(groups))


def _bare(dependency: str) -> str:
    """``libc6:any (>= 2.34)`` → ``libc6``."""
    return dependency.strip().split(" ", 1)[0].split(":", 1)[0]


class Apt:
    """apt as an ordinary user may use it.

    Args:
        private: a directory for lists of our own, made when needed.
        installed: says whether a package is installed on this system.
    """

    def __init__(self, private: Path, installed: Callable[[str], bool], runner: Runner = run) -> None:
        self._private = private
        self._installed = installed
        self._run = runner
        self._options: list[str] = []

    def find(self, name: str) -> Package | None:
        """The candidate version of ``name``, or None where the known lists have none."""
        try:
            return parse_stanza(self._run(["apt-cache", *self._options, "show", "--no-all-versions", name], Path("/")))
        except SetupError as error:
            if "No packages found" in str(error) or "Unable to locate" in str(error):
                return None
            raise

    def fetch_lists(self) -> None:
        """From now on use lists fetched now, kept in the private directory."""
        for part in ("lists/partial", "cache/archives/partial"):
            (self._private / part).mkdir(parents=True, exist_ok=True)
        lists, cache = self._private / "lists", self._private / "cache"
        self._options = ["-o", f"Dir::State::lists={lists}", "-o", f"Dir::Cache={cache}", "-o", "APT::Sandbox::User="]
        self._run(["apt-get", *self._options, "-qq", "update"], Path("/"))

    def missing(self, names: Sequence[str]) -> list[Package]:
        """``names`` and all that they depend on, as far as it is not installed here.

        Raises:
            SetupError: apt knows none of the alternatives of a dependency that is not installed.
        """
        found: dict[str, Package] = {}
        todo: list[tuple[str, ...]] = [(name,) for name in names]
        while todo:
            alternatives = todo.pop(0)
            if any(one in SKIPPED or one in found or self._installed(one) for one in alternatives):
                continue
            package = next((known for one in alternatives if (known := self.find(one))), None)
            if package is None:
                raise SetupError(f"apt knows no package {' or '.join(alternatives)}; look at /etc/apt/sources.list.d")
            found[package.name] = package
            todo += package.depends
        return list(found.values())

    def download(self, packages: Sequence[Package], directory: Path) -> list[Path]:
        """Download the exact versions into ``directory``; the files, in alphabetical order."""
        directory.mkdir(parents=True, exist_ok=True)
        wanted = [f"{package.name}={package.version}" for package in packages]
        self._run(["apt-get", *self._options, "-o", "APT::Sandbox::User=", "-qq", "download", *wanted], directory)
        return sorted(directory.glob("*.deb"))


def installed_here(name: str) -> bool:
    """dpkg says that package ``name`` is installed."""
    query = ["dpkg-query", "-W", "-f", "${Status}", name]
    try:
        done = subprocess.run(query, check=False, capture_output=True, text=True, timeout=30)
    except FileNotFoundError:
        raise SetupError("there is no dpkg-query here; the virtual machine is made from Debian packages") from None
    return done.stdout.startswith("install ok installed")
