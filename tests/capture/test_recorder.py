"""The file is made of whole lines."""

import os
from pathlib import Path

from hil.capture.recorder import TIMELINE, Recorder, open_log, write_all
from hil.timeline.events import PersonaNote
from hil.timeline.journal import read_journal


def test_each_write_leaves_whole_lines(tmp_path: Path) -> None:
    """After a batch the file can be read to its end."""
    recorder = Recorder(tmp_path)
    stamp = {"t_err_ns": 0, "board": "", "source": "harness"}
    recorder.write([PersonaNote("b", "", t_ns=2, **stamp), PersonaNote("a", "", t_ns=1, **stamp)])  # type: ignore[arg-type]
    recorder.close()
    events, rest = read_journal((tmp_path / TIMELINE).read_text())
    assert [event.t_ns for event in events] == [1, 2]
    assert rest == ""


def test_log_is_appended_to(tmp_path: Path) -> None:
    """Opening a file anew does not lose what it holds."""
    for part in (b"one", b"two"):
        fd = open_log(tmp_path / "log")
        write_all(fd, part)
        os.close(fd)
    assert (tmp_path / "log").read_bytes() == b"onetwo"
