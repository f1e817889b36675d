"""Where the virtual bench runs: on this kernel, or in a small QEMU machine over this system's own files.

:func:`plan` says where; :func:`run` starts a command in the machine as if it ran here: same directory, user,
environment, output, exit status, signals. :func:`inside` is true for that command.
"""

from hil.launcher.launch import run
from hil.launcher.planning import Plan, inside, native_problem, plan, whereabouts

__all__ = ["Plan", "inside", "native_problem", "plan", "run", "whereabouts"]
