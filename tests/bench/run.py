"""Every measurement, one line each; the last column says what the figure must not exceed.

Wall times and processor times depend on the machine and on what else it does: none of this is part of CI, which holds
what a machine cannot change (tests/capture/test_client.py, tests/capture/test_cost.py, tests/expect/test_cost.py,
tests/plugin/test_startup.py).
"""

import platform

import blind
import flash
import idle
import loader
import log
import startup


def main() -> None:
    """Takes three minutes."""
    print(f"hil bench: {platform.python_implementation()} {platform.python_version()}, {platform.platform()}")
    for measured in (startup, log, idle, blind, flash, loader):
        for row in measured.rows():
            print(row.text, flush=True)


main()
