"""A bench of one's own, on a virtual board's nodes: the commands and the scenarios know only what bench.toml says.

Runs inside the virtual machine: python -m tests.proofs.own_bench_in_machine FOLDER
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from hil.agent.places import COMING, SOCKET
from tests.proofs.esptool_in_machine import Board, built, enter_by_http
from tests.proofs.in_machine import SELECTED
from tests.proofs.pytest_runs import PYTEST, REPOSITORY
from tests.virtual.board_process import wait

AGENT = SOCKET.with_name("bench-agent.sock")
"""Of the service that `hil init` writes; the machine's own agent knows no bench.toml."""
COMMAND_S = 240.0
SCENARIOS_S = 1200.0
BENCH = """
[bench]
name = "proof"

[[board]]
name = "s3-a"
usb = "{usb}"
console = "{console}"
profile = "reference"
firmware = "{firmware}"
"""


def hil(folder: Path, *arguments: str) -> dict[str, Any]:
    """A command; its status and what it printed."""
    environment = {**os.environ, COMING: str(AGENT)}
    command = [sys.executable, "-c", "import sys; from hil.cli import main; sys.exit(main())", *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=COMMAND_S, check=False, cwd=folder, env=environment
    )
    return {"status": done.returncode, "said": done.stdout + done.stderr}


def scenarios(folder: Path, bench: Path) -> int:
    """All of them, as README has it; the exit status. Their report is ``folder``/junit.xml."""
    places = ("--hil-bench", str(bench), "--hil-artifacts", str(folder / "evidence"))
    command = [*PYTEST, f"--junitxml={folder}/junit.xml", *SELECTED, "tests/hil", *places]
    environment = {**os.environ, COMING: str(AGENT)}
    return subprocess.call(command, cwd=REPOSITORY, env=environment, timeout=SCENARIOS_S)


def prove(board: Board, folder: Path) -> dict[str, Any]:
    """One command after the other; what the board is after each."""
    firmware = folder / "firmware"
    built(firmware, "--version", "1.1.0")
    bench = folder / "bench.toml"
    bench.write_text(BENCH.format(usb=board.places.usb, console=board.places.console, firmware=firmware))
    found: dict[str, Any] = {"init": hil(folder, "init", str(bench), "--unit", str(folder / "hil-agent.service"))}
    found["boards"] = hil(folder, "boards")
    service = subprocess.Popen([sys.executable, "-P", "-m", "hil.agent", "--listen", str(AGENT), "--uid", "0"])
    try:
        for name in ("flash", "flash_again"):
            found[name] = hil(folder, "flash") | {"runs": board.state()}
        enter_by_http(board)
        wait(lambda: board.state()[0] == "loader")
        found["recover"] = hil(folder, "recover") | {"runs": board.state()}
        found["scenarios"] = scenarios(folder, bench)
        found["no_build"] = hil(folder, "flash", "nowhere") | {"runs": board.state()}
    finally:
        service.terminate()
        service.wait(COMMAND_S)
    return found


def main() -> None:
    folder = Path(sys.argv[1])
    board = Board("s3-a", supply="bus")
    try:
        board.ask("plug")
        board.shows("303a:4001")
        (folder / "found.json").write_text(json.dumps(prove(board, folder), indent=1))
    finally:
        board.close()


if __name__ == "__main__":
    main()
