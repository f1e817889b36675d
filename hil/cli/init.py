"""``sudo hil init``: what the machine's owner lets the agent touch, and the service that runs it."""

import argparse
import json
import os
import re
import shlex
import sys
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from hil import bench as bench_file
from hil.agent import allow
from hil.agent.places import SOCKET
from hil.bench import RELAY_NAME, SWITCHED, Bench, Boot, Power
from hil.errors import BenchError, SetupError

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

Relays = dict[str, tuple[str, ...]]
MODULES = ("usbmon", "cdc_acm", "cdc_ncm")
UNIT = Path("/etc/systemd/system/hil-agent.service")


def add(commands: "Commands") -> None:
    parser = commands.add_parser("init", help="let the agent touch the boards of a bench.toml (as root)")
    parser.add_argument("bench", nargs="?", type=Path, default=Path("bench.toml"), help="default: %(default)s")
    parser.add_argument("--allow", type=Path, default=allow.DEFAULT, help="default: %(default)s")
    parser.add_argument("--unit", type=Path, default=UNIT, help="default: %(default)s")
    parser.add_argument(
        "--relay",
        action="append",
        default=[],
        metavar="NAME='PROGRAM ARGS…'",
        help="command of a relay that bench.toml names, such as lab-1='/usr/local/bin/usbrelay BITFT_1={1|0}'; "
        "those of the present list are kept",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> str:
    """Write the allow list and the service; returns what to do next.

    Raises:
        BenchError: the bench file is wrong, or a relay has no command.
        SetupError: the files cannot be written, or somebody else could have written the present list.
    """
    bench = bench_file.load(options.bench)
    relays = {**_present_relays(options.allow), **dict(map(_relay, options.relay))}
    _require_relays(options.bench, bench, relays)
    uid = int(os.environ.get("SUDO_UID", os.getuid()))
    service = options.unit.stem
    _write(options.allow, allow_text(bench, relays))
    _write(options.unit, unit_text(sys.executable, uid, options.allow.resolve()))
    return (
        f"{options.allow}: {', '.join(board.name for board in bench.boards)}\n"
        f"{options.unit}: the agent, for user {uid}\n"
        f"next: sudo systemctl daemon-reload && sudo systemctl enable {service} && sudo systemctl restart {service}\n"
        f"then, without sudo: {Path(sys.executable).with_name('pytest')} -m hil --hil-bench {options.bench}"
    )


def allow_text(bench: Bench, relays: Relays) -> str:
    """The allow list that names exactly what the bench uses, and the relays that there are."""
    lines = ["virtual = true", f"modules = {json.dumps(MODULES)}", "", "[boards]"]
    lines += [f"{board.name} = {json.dumps(board.paths)}" for board in bench.boards]
    switched = [board for board in bench.boards if board.power.driver in SWITCHED]
    if switched:
        lines += ["", "[power]", *(f"{board.name} = {_way_text(board.power)}" for board in switched)]
    buttons = [board for board in bench.boards if board.boot.driver == "relay"]
    if buttons:
        lines += ["", "[boot]", *(f"{board.name} = {_way_text(board.boot)}" for board in buttons)]
    if relays:
        lines += ["", "[relays]", *(f"{name} = {json.dumps(command)}" for name, command in relays.items())]
    return "\n".join(lines) + "\n"


def _way_text(way: Power | Boot) -> str:
    """As an inline table, with the keys of its driver."""
    keys = {"relay": ("driver", "name"), "uhubctl": ("driver", "hub", "port", "also_off")}[way.driver]
    return "{ " + ", ".join(f"{key} = {json.dumps(getattr(way, key))}" for key in keys) + " }"


def _relay(text: str) -> tuple[str, tuple[str, ...]]:
    """
    Raises:
        BenchError: it is no name with a command.
    """
    name, equals, command = text.partition("=")
    if not equals or not re.fullmatch(RELAY_NAME, name):
        raise BenchError(f"--relay is {text!r}; wanted NAME='/path/of/program ARGS…', with '{{on|off}}' among them")
    try:
        words = tuple(shlex.split(command))
    except ValueError as error:
        raise BenchError(f"--relay is {text!r}; {str(error).lower()}") from error
    allow.require_relay(words, f"--relay {name}")
    return name, words


def _present_relays(path: Path) -> Relays:
    """Those of the list that is there, which nobody but root can have written.

    Raises:
        SetupError: it cannot be looked at, or somebody else could have written it.
    """
    try:
        there = path.exists()
    except OSError as error:
        raise SetupError(f"{path}: cannot be read: {error.strerror}; run `sudo hil init`") from error
    return allow.load(path, os.getuid()).relays if there else {}


def _require_relays(path: Path, bench: Bench, relays: Relays) -> None:
    """
    Raises:
        BenchError: a board's relay has no command.
    """
    for board in bench.boards:
        for key, way in (("power", board.power), ("boot", board.boot)):
            if way.driver == "relay" and way.name not in relays:
                remedy = f"say --relay {way.name}='/path/of/program ARGS…', with '{{on|off}}' among them"
                found = f"board.{board.name}.{key}.name is {way.name!r}; known: {', '.join(relays) or 'none'}"
                raise BenchError(f"{path.name}: {found}; {remedy}")


def unit_text(python: str, uid: int, allow_file: Path) -> str:
    """The agent's systemd service, for this interpreter, this user and this allow list."""
    template = (resources.files("hil.agent") / "hil-agent.service").read_text(encoding="utf-8")
    start = f"{_unit_word(python)} -P -m hil.agent --listen {SOCKET} --allow {_unit_word(str(allow_file))} --uid {uid}"
    lines = [
        line for line in template.splitlines() if not line.startswith("#   ") and "set the interpreter" not in line
    ]
    return "\n".join(f"ExecStart={start}" if line.startswith("ExecStart=") else line for line in lines) + "\n"


def _unit_word(text: str) -> str:
    """One argument of ExecStart=, which may hold spaces and, as systemd.unit(5) has specifiers, %."""
    return '"' + text.replace("%", "%%") + '"'


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(0o644)
    except OSError as error:
        raise SetupError(f"{path}: cannot be written: {error.strerror}; run `sudo hil init`") from error
