"""Where the virtual bench runs: on this kernel, or in a small QEMU machine over this system's own files.

:func:`hil.launcher.planning.plan` says where; :func:`hil.launcher.launch.run` starts a command in the machine as if it
ran here: same directory, user, environment, output, exit status, signals. :func:`hil.whereabouts.inside` is
true for that command.
"""
