"""Whether a process runs in the virtual machine; cheap to import, as every run asks."""

import os
import platform
from collections.abc import Mapping

MARK = "HIL_BENCH_HOST"
"""Environment variable that a command in the machine finds: ``kvm`` or ``tcg``."""


def inside(env: Mapping[str, str] | None = None) -> bool:
    """This process runs in the machine."""
    return MARK in (os.environ if env is None else env)


def emulated(env: Mapping[str, str] | None = None) -> bool:
    """An emulator carries out each instruction of this process, some twenty times as slowly as a processor."""
    return (os.environ if env is None else env).get(MARK) == "tcg"


def whereabouts(env: Mapping[str, str] | None = None) -> str:
    """Where this process runs, for a header: ``a virtual machine (TCG), kernel 6.1.0-56-amd64``."""
    env = os.environ if env is None else env
    place = f"a virtual machine ({env[MARK].upper()})" if inside(env) else "this machine"
    return f"{place}, kernel {platform.release()}"
