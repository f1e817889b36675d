"""hil init."""

from pathlib import Path

import pytest

from hil.bench import Bench, Board
from hil.cli import main
from hil.cli.init import allow_text, unit_text

BENCH = Bench("lab", (Board("s3-a", "1-1.2", console="1-1.3"), Board("s3-b", "1-2")))


def test_the_allow_list_names_exactly_the_boards_paths() -> None:
    """Beside the virtual bench, nothing but the bench's own topology paths and three drivers may be touched."""
    assert allow_text(BENCH).splitlines() == [
        "virtual = true",
        'modules = ["usbmon", "cdc_acm", "cdc_ncm"]',
        "",
        "[boards]",
        's3-a = ["1-1.2", "1-1.3"]',
        's3-b = ["1-2"]',
    ]


def test_the_service_serves_one_user() -> None:
    """The socket is for the user who runs pytest; the rest is the unit that comes with the agent."""
    text = unit_text("/usr/bin/python3", 1000, Path("/etc/hil/allow.toml"))
    started = '"/usr/bin/python3" -P -m hil.agent --listen /run/hil/agent.sock --allow /etc/hil/allow.toml --uid 1000'
    assert f"ExecStart={started}" in text.splitlines()
    assert text.startswith("[Unit]")
    assert "KillMode=mixed" in text


def test_init_writes_what_the_bench_needs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Both files are written, and the next command is told."""
    bench = tmp_path / "bench.toml"
    bench.write_text('[bench]\nname = "lab"\n[[board]]\nname = "s3-a"\nusb = "1-1.2"\n', encoding="utf-8")
    allow, unit = tmp_path / "etc" / "allow.toml", tmp_path / "hil-agent.service"
    assert main(["init", str(bench), "--allow", str(allow), "--unit", str(unit)]) == 0
    assert 's3-a = ["1-1.2"]' in allow.read_text()
    assert "systemctl enable hil-agent && systemctl restart hil-agent" in capsys.readouterr().out


def test_a_wrong_bench_is_one_line_and_status_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The error names the file; nothing is written."""
    assert main(["init", str(tmp_path / "none.toml"), "--allow", str(tmp_path / "allow.toml")]) == 2
    assert "none.toml: cannot be read" in capsys.readouterr().err
    assert not (tmp_path / "allow.toml").exists()
