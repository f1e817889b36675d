import os
import sys
from pathlib import Path

from hil.errors import HarnessError
from hil.launcher import run

args = sys.argv[1:]
if args[0] == "--":
    args = args[1:]
try:
    sys.exit(run(args, rootdir=Path.cwd(), artifacts=Path("build/hil"), env=os.environ))
except HarnessError as e:
    sys.exit(f"hil: {e}")
