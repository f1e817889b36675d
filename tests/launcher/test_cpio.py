"""The newc archive."""

import stat
import subprocess
from pathlib import Path

import pytest

from hil.launcher import cpio
from hil.launcher.cpio import CpioError, Entry, Unpacker


def test_an_archive_comes_apart_into_what_was_packed() -> None:
    """Names, modes, data, link targets and device numbers survive."""
    entries = [
        cpio.directory("bin"),
        cpio.file("bin/sh", b"12345", 0o755),
        cpio.symlink("bin/ls", "sh"),
        Entry("gone", stat.S_IFCHR, rdev=(0, 0)),
    ]
    found = list(Unpacker().feed(cpio.pack(entries)))
    assert [(e.name, e.mode, e.data) for e in found] == [(e.name, e.mode, e.data) for e in entries]


def test_pieces_of_any_size_give_the_same_entries() -> None:
    """One byte at a time is as good as all at once, and the trailer is noticed."""
    data = cpio.pack([cpio.file("a", b"x" * 7), cpio.file("b", b"")])
    unpacker = Unpacker()
    names = [entry.name for byte in data for entry in unpacker.feed(bytes([byte]))]
    assert names == ["a", "b"]
    assert unpacker.finished


def test_every_name_of_a_file_gets_its_data() -> None:
    """busybox writes the data with the last name; the earlier ones get it, and empty files stay."""
    mode = stat.S_IFREG | 0o644
    entries = [Entry("a", mode, links=2, inode=9), Entry("b", mode, b"data", links=2, inode=9)]
    packed = cpio.pack(entries).replace(b"070701" + b"%08x" % 2, b"070701" + b"%08x" % 1)
    assert {entry.name: entry.data for entry in Unpacker().feed(packed)} == {"a": b"data", "b": b"data"}
    empty = cpio.pack([Entry("e", mode, links=2)])
    assert [entry.data for entry in Unpacker().feed(empty)] == [b""]


def test_other_bytes_are_refused() -> None:
    """What does not start with the magic is named."""
    with pytest.raises(CpioError, match="starts with b'garbag'"):
        list(Unpacker().feed(b"garbage" * 40))


def test_gnu_cpio_reads_the_archive(tmp_path: Path) -> None:
    """An independent reader agrees, where there is one."""
    try:
        done = subprocess.run(
            ["cpio", "-it", "--quiet"], input=cpio.pack([cpio.file("one", b"1")]), capture_output=True, check=True
        )
    except FileNotFoundError:
        pytest.skip("there is no cpio here")
    assert done.stdout == b"one\n"
