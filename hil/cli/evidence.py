"""What a command leaves behind when it fails: a finding, and what the bench has recorded."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from hil.clock import now_ns
from hil.errors import BoardFailure, FlashRefused, HilError

if TYPE_CHECKING:
    from hil.device.open_bench import OpenBench

FOLDER = Path("build/hil-command")
"""Beside the build/hil of sessions; it holds what the last command that failed has left."""
MARK = ".hil-artifacts"


@contextmanager
def explained(opened: "OpenBench") -> Iterator[None]:
    """Prints what the timeline says of a failure in the block, where it is the board's or its chip's."""
    began_ns = now_ns()
    try:
        yield
    except (BoardFailure, FlashRefused):
        with suppress(HilError):  # it is the first failure that counts
            print(_findings(opened, began_ns), flush=True)
        raise


def keep(recorded: Path, folder: Path = FOLDER) -> str:
    """Copy what was recorded into ``folder``, in the place of what it held; says where it lies, or why it does not.

    A folder that hil did not make is left alone.
    """
    try:
        if folder.exists():
            if not (folder / MARK).exists():
                return f"evidence is not kept: {folder} was not made by hil"
            shutil.rmtree(folder)
        shutil.copytree(recorded, folder)
        (folder / MARK).touch()
    except OSError as error:
        return f"evidence is not kept: {folder}: {error.strerror or error}"
    return f"evidence in {folder}"


def _findings(opened: "OpenBench", began_ns: int) -> str:
    from hil.diagnosis import diagnose
    from hil.diagnosis.finding import NO_MATCH

    opened.witness.refresh()
    found = diagnose(opened.witness.timeline, opened.board().name, began_ns, now_ns())
    return "\n\n".join(finding.text(began_ns) for finding in found) or f"finding   {NO_MATCH}"
