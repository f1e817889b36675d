"""hil flash."""

from pathlib import Path

import pytest

from hil.cli import main
from hil.cli.flash import parse_offset
from hil.errors import BenchError


def test_an_offset_and_its_file() -> None:
    """In whichever base Python reads."""
    assert parse_offset("0x10000=build/app.bin") == (0x10000, Path("build/app.bin"))
    assert parse_offset("4096=a=b.bin") == (4096, Path("a=b.bin"))


@pytest.mark.parametrize("text", ["app.bin", "0x10000", "0x10000=", "here=app.bin"])
def test_what_is_no_offset(text: str) -> None:
    """Is shown as it was typed."""
    with pytest.raises(BenchError, match=f"--offset is '{text}'; wanted such as '0x10000=app.bin'"):
        parse_offset(text)


def test_a_wrong_command_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No bench, an unknown board, two sources at once."""
    monkeypatch.chdir(tmp_path)

    def said(*arguments: str) -> str:
        assert main(["flash", *arguments]) == 2
        return capsys.readouterr().err

    assert said() == "hil flash: bench.toml: cannot be read: No such file or directory\n"
    (tmp_path / "bench.toml").write_text('[bench]\nname = "b"\n[[board]]\nname = "s3-a"\nusb = "1-1.2"\n')
    assert said("--board", "s3-b") == "hil flash: bench b has no board 's3-b'; known: s3-a\n"
    assert said("fw", "--offset", "0=x") == ("hil flash: fw and --offset 0=x: one of them says what is to be flashed\n")
