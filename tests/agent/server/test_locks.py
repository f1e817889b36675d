"""A board has one client at a time."""

from pathlib import Path

import pytest

from hil.agent.server.locks import BoardBusy, BoardLock


def test_a_second_client_is_told_who_holds_the_board(tmp_path: Path) -> None:
    """The error names board and process."""
    lock = BoardLock(tmp_path, "s3-a", 4711)
    with pytest.raises(BoardBusy, match=r"board s3-a is held by process 4711 \(.*s3-a\.lock\)"):
        BoardLock(tmp_path, "s3-a", 4712)
    lock.close()


def test_a_path_is_held_under_whatever_name(tmp_path: Path) -> None:
    """Two allow lists may call one board differently; its other path is free again once that was refused."""
    lock = BoardLock(tmp_path, "s3-a", 4711, ("1-1.2",))
    with pytest.raises(BoardBusy, match=r"path 1-1\.2 of board s3-b is held by process 4711 \(.*1-1\.2\.lock\)"):
        BoardLock(tmp_path, "s3-b", 4712, ("1-1.3", "1-1.2"))
    lock.close()
    BoardLock(tmp_path, "s3-b", 4712, ("1-1.3", "1-1.2")).close()


def test_a_board_called_like_a_path_is_not_that_path(tmp_path: Path) -> None:
    """1-1 is a name too."""
    first = BoardLock(tmp_path, "1-1", 1, ("1-2",))
    BoardLock(tmp_path, "1-2", 2, ("1-1",)).close()
    first.close()


def test_another_board_is_free(tmp_path: Path) -> None:
    """A lock is one board's."""
    BoardLock(tmp_path, "s3-a", 1).close()
    first = BoardLock(tmp_path, "s3-a", 2)
    BoardLock(tmp_path, "s3-b", 3).close()
    first.close()
