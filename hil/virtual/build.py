"""Builds the firmware core as a shared library, with the C compiler of the machine, when it is first needed.

The library lies in a cache under a name made of the sources, the compiler's file and the flags, so a change of any of
them builds anew and nothing else does. The sources are those of the repository, or the copy in an installed wheel.

Code from the cache is loaded into a process that may run as root: a cache directory that another user could write to is
passed over, as is one that cannot be written.

``python -m hil.virtual.build`` builds it ahead of need and prints its path.
"""

import hashlib
import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from hil.errors import SetupError

COMPILERS = ("gcc", "cc", "clang")
FLAGS = ("-std=c11", "-O1", "-fPIC", "-shared", "-Wall", "-Wextra")
COMPILE_WITHIN_S = 60.0
SYSTEM_CACHE = Path("/var/cache/hil")
"""Of root without a home, as the agent starts the virtual board; the launcher puts the library there."""
SOURCE_PLACES = (
    Path(__file__).parent / "_core",  # in a wheel
    Path(__file__).parents[2] / "firmware" / "core" / "src",  # in the repository
)


def ensure_library() -> Path:
    """The shared library of the firmware core, built now if the cache does not have it.

    Raises:
        SetupError: no C compiler, no sources, or the compiler refused them.
    """
    return build(find_sources(), find_compiler(os.environ), find_cache(os.environ))


def find_sources(places: Sequence[Path] = SOURCE_PLACES) -> Path:
    """The directory with the core's ``*.c`` and ``*.h``."""
    for place in places:
        if (place / "core.c").is_file():
            return place
    looked = ", ".join(str(place) for place in places)
    raise SetupError(f"firmware core: no core.c in {looked}; install pytest-hil from a wheel or a whole checkout")


def find_compiler(environment: Mapping[str, str]) -> Path:
    """The first of :data:`COMPILERS` on the path; ``$CC`` does not count, it may be a cross compiler."""
    for name in COMPILERS:
        found = shutil.which(name, path=environment.get("PATH", os.defpath))
        if found:
            return Path(found)
    raise SetupError(
        f"firmware core: no C compiler, looked for {', '.join(COMPILERS)}; "
        "install gcc (Debian: apt install gcc libc6-dev)"
    )


def find_cache(environment: Mapping[str, str]) -> Path:
    """A directory that is ours to write and nobody else's; made if needed."""
    for place in _cache_places(environment):
        if _is_usable(place):
            return place
    return Path(tempfile.mkdtemp(prefix="hil-"))


def _cache_places(environment: Mapping[str, str]) -> Iterator[Path]:
    if environment.get("HIL_CACHE"):
        yield Path(environment["HIL_CACHE"])
    if environment.get("XDG_CACHE_HOME"):
        yield Path(environment["XDG_CACHE_HOME"]) / "hil"
    elif environment.get("HOME"):
        yield Path(environment["HOME"]) / ".cache" / "hil"
    elif os.geteuid() == 0:
        yield SYSTEM_CACHE
    yield Path(tempfile.gettempdir()) / f"hil-{os.geteuid()}"


def _is_usable(place: Path) -> bool:
    try:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = place.lstat()
    except OSError:
        return False
    private = status.st_uid == os.geteuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return stat.S_ISDIR(status.st_mode) and private and os.access(place, os.W_OK | os.X_OK)


def cache_key(sources: Path, compiler: Path) -> str:
    """Digests of the sources, and of the flags and the compiler's path, size and time.

    Raises:
        SetupError: there is no such compiler.
    """
    try:
        status = compiler.stat()
    except OSError as error:
        raise SetupError(f"firmware core: {compiler}: {error.strerror}; install gcc") from error
    identity = f"{compiler.resolve()}\0{status.st_size}\0{status.st_mtime_ns}\0{' '.join(FLAGS)}"
    return f"{source_digest(sources)}-{hashlib.sha256(identity.encode()).hexdigest()[:16]}"


def source_digest(sources: Path) -> str:
    """32 hexadecimal digits over the names and contents of the sources, which name a core whoever compiled it."""
    digest = hashlib.sha256()
    for path in sorted((*sources.glob("*.c"), *sources.glob("*.h"))):
        content = path.read_bytes()
        digest.update(f"\0{path.name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:32]


def compiled(digest: str, cache_directory: Path) -> Path | None:
    """A library of the sources with that digest, if the cache has one."""
    return next(iter(sorted(cache_directory.glob(f"libfw_core-{digest}-*.so"))), None)


def build(sources: Path, compiler: Path, cache_directory: Path) -> Path:
    """The library for these sources and this compiler; two processes that build it at once do no harm.

    Raises:
        SetupError: the compiler failed; the message ends with what it said.
    """
    library = cache_directory / f"libfw_core-{cache_key(sources, compiler)}.so"
    if library.is_file():
        return library
    with tempfile.TemporaryDirectory(dir=cache_directory, prefix="build-") as scratch:
        made = Path(scratch) / library.name
        _compile(compiler, sorted(sources.glob("*.c")), made)
        made.replace(library)
    return library


def _compile(compiler: Path, files: Sequence[Path], target: Path) -> None:
    command = [str(compiler), *FLAGS, "-o", str(target), *map(str, files)]
    try:
        subprocess.run(command, capture_output=True, check=True, text=True, timeout=COMPILE_WITHIN_S)
    except subprocess.CalledProcessError as error:
        raise SetupError(f"firmware core: {compiler} failed ({error.returncode}):\n{error.stderr[-2000:]}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SetupError(f"firmware core: {compiler} failed: {error}; install gcc") from error


if __name__ == "__main__":
    print(ensure_library())
