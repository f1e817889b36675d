"""What a command that failed leaves behind; that a finding is told with it, test_flash.py says."""

from pathlib import Path

from hil.cli.evidence import MARK, keep


def test_what_was_recorded_takes_the_place_of_what_there_was(tmp_path: Path) -> None:
    """Of a command before."""
    recorded, folder = tmp_path / "recorded", tmp_path / "build/hil-command"
    recorded.mkdir()
    (recorded / "timeline.jsonl").write_text("new")
    assert keep(recorded, folder) == f"evidence in {folder}"
    (folder / "old.txt").touch()
    assert keep(recorded, folder) == f"evidence in {folder}"
    assert sorted(path.name for path in folder.iterdir()) == [MARK, "timeline.jsonl"]


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    """And so is a place where nothing can be written; both are said."""
    recorded, folder = tmp_path / "recorded", tmp_path / "build"
    recorded.mkdir()
    folder.mkdir()
    (folder / "mine.txt").touch()
    assert keep(recorded, folder) == f"evidence is not kept: {folder} was not made by hil"
    assert keep(recorded, folder / "mine.txt/here").startswith(f"evidence is not kept: {folder}/mine.txt/here: ")
    assert (folder / "mine.txt").exists()
