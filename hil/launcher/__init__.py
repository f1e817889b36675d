"""Where the virtual bench runs: on this kernel, or in a small QEMU machine over this system's own files.

:func:`run` starts a command in the machine as if it ran here: same directory, user, environment, output, exit status, signals.
"""

from hil.launcher.launch import run

__all__ = ["run"]
