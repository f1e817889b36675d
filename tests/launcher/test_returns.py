"""What comes back, and where it lands."""

import stat
from pathlib import Path

import pytest

from hil.errors import HarnessError
from hil.launcher import cpio
from hil.launcher.cpio import Entry
from hil.launcher.returns import Receiver, named_paths, returned_paths


def test_paths_are_found_in_words_and_in_options() -> None:
    """Relative ones count from the working directory; PYTEST_ADDOPTS counts too; the program itself does not."""
    argv = ["/usr/bin/python", "-m", "pytest", "--junitxml=/tmp/a.xml", "out/b.xml", "-q", "--flag"]
    found = named_paths(argv, Path("/srv/p"), {"PYTEST_ADDOPTS": "--log-file=/var/c.log"})
    assert found == [Path("/tmp/a.xml"), Path("/srv/p/out/b.xml"), Path("/var/c.log")]


def test_only_the_topmost_paths_are_asked_for() -> None:
    """What lies below another is covered; the machine's own directories and / never return."""
    named = [Path("/srv/p/x.xml"), Path("/nonexistent/y.xml"), Path("/proc/1"), Path("/")]
    assert returned_paths(Path("/srv/p"), Path("/srv/p/sub"), named) == (Path("/nonexistent/y.xml"), Path("/srv/p"))


def entry(path: Path, data: bytes = b"", mode: int = stat.S_IFREG | 0o640) -> Entry:
    return Entry("." + str(path), mode, data, mtime_s=1_000_000_000)


def test_a_file_lands_with_content_mode_and_time(tmp_path: Path) -> None:
    """Over an old one as well, and in directories that are not there yet."""
    (tmp_path / "old").write_text("before")
    receiver = Receiver([tmp_path], None)
    for name in ("old", "new/deep/file"):
        receiver.take(entry(tmp_path / name, b"after"))
        found = tmp_path / name
        assert found.read_bytes() == b"after"
        assert stat.S_IMODE(found.stat().st_mode) == 0o640
        assert found.stat().st_mtime == 1_000_000_000
    assert [path.name for path in (tmp_path / "new/deep").iterdir()] == ["file"]


def test_what_was_removed_there_is_removed_here(tmp_path: Path) -> None:
    """The overlay's whiteout is a character device 0/0; a whole directory goes as well as a file."""
    (tmp_path / "d/e").mkdir(parents=True)
    (tmp_path / "d/e/f").write_text("x")
    (tmp_path / "g").write_text("x")
    for name in ("d", "g", "never-there"):
        Receiver([tmp_path], None).take(Entry(f".{tmp_path}/{name}", stat.S_IFCHR, rdev=(0, 0)))
    assert list(tmp_path.iterdir()) == []


def test_links_and_directories_land(tmp_path: Path) -> None:
    """A link replaces what was there; a directory keeps what it holds."""
    receiver = Receiver([tmp_path], None)
    (tmp_path / "d").mkdir()
    (tmp_path / "d/kept").write_text("x")
    receiver.take(entry(tmp_path / "d", mode=stat.S_IFDIR | 0o755))
    receiver.take(cpio.symlink(f".{tmp_path}/l", "d/kept"))
    assert (tmp_path / "l").read_text() == "x"


def test_the_artifacts_are_spared(tmp_path: Path) -> None:
    """They are on the host already."""
    Receiver([tmp_path], tmp_path / "out").take(entry(tmp_path / "out/log", b"old"))
    assert not (tmp_path / "out").exists()


def test_a_path_elsewhere_is_refused(tmp_path: Path) -> None:
    """Dots do not help."""
    with pytest.raises(HarnessError, match="sent /etc/passwd, which is below none of"):
        Receiver([tmp_path], None).take(Entry(f".{tmp_path}/{'../' * 20}etc/passwd", stat.S_IFREG))
