"""``python -m hil.testing.private_agent``: the agent in a network namespace of its own, over a made-up sysfs tree.

What the agent takes for the machine's own namespace is this private one, so that a test can make and move interfaces in
it without touching the machine's. Needs root.
"""

import argparse
import asyncio
import ctypes
import json
import logging
import sys
from pathlib import Path

from hil.agent import __main__ as process
from hil.agent.allow import AllowList
from hil.agent.server import virtual
from hil.agent.server.machine import Machine, Places

_CLONE_NEWNET = 0x40000000


def main() -> int:
    """Take the agent's own options after a JSON object: {sysfs, dev, run, allow: {…}, virtual_command}."""
    parser = argparse.ArgumentParser()
    parser.add_argument("setting", type=json.loads)
    parser.add_argument("rest", nargs=argparse.REMAINDER)
    chosen = parser.parse_args()
    setting = chosen.setting
    if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "unshare(CLONE_NEWNET)")
    allowed = setting["allow"]
    boards = {name: tuple(paths) for name, paths in allowed.get("boards", {}).items()}
    allow = AllowList(allowed.get("virtual", False), tuple(allowed.get("modules", ())), boards, "the test's allow list")
    command = tuple(setting.get("virtual_command", virtual.COMMAND))
    places = Places(Path(setting["sysfs"]), Path(setting["dev"]), Path(setting["run"]), command)
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="hil-agent: %(message)s")
    asyncio.run(process.serve(Machine(allow, places), process.arguments(chosen.rest)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
