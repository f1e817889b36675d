"""``sudo hil init``: what the machine's owner lets the agent touch, and the service that runs it."""

import argparse
import json
import os
import sys
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from hil import bench as bench_file
from hil.agent import allow
from hil.agent.places import SOCKET
from hil.bench import Bench
from hil.errors import SetupError

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

MODULES = ("usbmon", "cdc_acm", "cdc_ncm")
UNIT = Path("/etc/systemd/system/hil-agent.service")


def add(commands: "Commands") -> None:
    parser = commands.add_parser("init", help="let the agent touch the boards of a bench.toml (as root)")
    parser.add_argument("bench", nargs="?", type=Path, default=Path("bench.toml"), help="default: %(default)s")
    parser.add_argument("--allow", type=Path, default=allow.DEFAULT, help="default: %(default)s")
    parser.add_argument("--unit", type=Path, default=UNIT, help="default: %(default)s")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> str:
    """Write the allow list and the service; returns what to do next.

    Raises:
        BenchError: the bench file is wrong.
        SetupError: the files cannot be written.
    """
    bench = bench_file.load(options.bench)
    uid = int(os.environ.get("SUDO_UID", os.getuid()))
    service = options.unit.stem
    _write(options.allow, allow_text(bench))
    _write(options.unit, unit_text(sys.executable, uid, options.allow.resolve()))
    return (
        f"{options.allow}: {', '.join(board.name for board in bench.boards)}\n"
        f"{options.unit}: the agent, for user {uid}\n"
        f"next: systemctl daemon-reload && systemctl enable {service} && systemctl restart {service}\n"
        f"then: pytest -m hil --hil-bench {options.bench}"
    )


def allow_text(bench: Bench) -> str:
    """The allow list that names exactly what the bench uses."""
    lines = ["virtual = true", f"modules = {json.dumps(MODULES)}", "", "[boards]"]
    lines += [f"{board.name} = {json.dumps(board.paths)}" for board in bench.boards]
    return "\n".join(lines) + "\n"


def unit_text(python: str, uid: int, allow_file: Path) -> str:
    """The agent's systemd service, for this interpreter, this user and this allow list."""
    template = (resources.files("hil.agent") / "hil-agent.service").read_text(encoding="utf-8")
    quoted = '"' + python.replace("%", "%%") + '"'
    start = f"{quoted} -P -m hil.agent --listen {SOCKET} --allow {allow_file} --uid {uid}"
    lines = [
        line for line in template.splitlines() if not line.startswith("#   ") and "set the interpreter" not in line
    ]
    return "\n".join(f"ExecStart={start}" if line.startswith("ExecStart=") else line for line in lines) + "\n"


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(0o644)
    except OSError as error:
        raise SetupError(f"{path}: cannot be written: {error.strerror}; run `sudo hil init`") from error
