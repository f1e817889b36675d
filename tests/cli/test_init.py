"""hil init."""

import os
from pathlib import Path

import pytest

from hil import bench
from hil.agent import allow
from hil.bench import Bench, Board
from hil.cli import main
from hil.cli.init import allow_text, unit_text

BENCH = Bench("lab", (Board("s3-a", "1-1.2", console="1-1.3"), Board("s3-b", "1-2")))


def test_the_allow_list_names_exactly_the_boards_paths() -> None:
    """Beside the virtual bench, nothing but the bench's own topology paths and three drivers may be touched."""
    assert allow_text(BENCH, {}).splitlines() == [
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
    started = '"/usr/bin/python3" -P -m hil.agent --listen /run/hil/agent.sock --allow "/etc/hil/allow.toml" --uid 1000'
    assert f"ExecStart={started}" in text.splitlines()
    assert text.startswith("[Unit]")
    assert "KillMode=mixed" in text


def test_the_service_names_any_path() -> None:
    """systemd splits at spaces, and takes % for its own."""
    text = unit_text("/opt/my venv/100%/python", 0, Path("/srv/my lab/90%/allow.toml"))
    assert '"/opt/my venv/100%%/python" -P' in text
    assert '--allow "/srv/my lab/90%%/allow.toml" --uid 0' in text


def test_init_writes_what_the_bench_needs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Both files are written, and the next command is told."""
    bench = tmp_path / "bench.toml"
    bench.write_text('[bench]\nname = "lab"\n[[board]]\nname = "s3-a"\nusb = "1-1.2"\n', encoding="utf-8")
    allow, unit = tmp_path / "etc" / "allow.toml", tmp_path / "hil-agent.service"
    assert main(["init", str(bench), "--allow", str(allow), "--unit", str(unit)]) == 0
    assert 's3-a = ["1-1.2"]' in allow.read_text()
    assert "sudo systemctl enable hil-agent && sudo systemctl restart hil-agent" in capsys.readouterr().out


def test_a_wrong_bench_is_one_line_and_status_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The error names the file; nothing is written."""
    assert main(["init", str(tmp_path / "none.toml"), "--allow", str(tmp_path / "allow.toml")]) == 2
    assert "none.toml: cannot be read" in capsys.readouterr().err
    assert not (tmp_path / "allow.toml").exists()


SWITCHED = """
[bench]
name = "lab"
[[board]]
name = "s3-a"
usb = "1-1.2"
power = { driver = "uhubctl", hub = "1-1", port = 2, also_off = ["1-1.4"] }
[[board]]
name = "s3-b"
usb = "1-1.3"
power = { driver = "relay", name = "lab-1" }
boot = { driver = "relay", name = "boot-b" }
[[board]]
name = "s3-c"
usb = "1-1.5"
power = { driver = "manual" }
"""
RELAY = "lab-1=/usr/local/bin/usbrelay 'board b' BITFT_1={1|0}"
BUTTON = "boot-b=/usr/local/bin/usbrelay BITFT_2={1|0}"


def init(place: Path, *options: str) -> int:
    """hil init with its files in ``place``."""
    place.chmod(0o755)
    (place / "bench.toml").write_text(SWITCHED, encoding="utf-8")
    files = ["--allow", str(place / "allow.toml"), "--unit", str(place / "hil-agent.service")]
    return main(["init", str(place / "bench.toml"), *files, *options])


def test_what_is_written_is_what_the_agent_reads(tmp_path: Path) -> None:
    """Each board's power as bench.toml has it, and the relay's command; a person's hand needs no permission."""
    assert init(tmp_path, "--relay", RELAY, "--relay", BUTTON) == 0
    listed = allow.load(tmp_path / "allow.toml", os.getuid())
    boards = {board.name: board for board in bench.load(tmp_path / "bench.toml").boards}
    assert listed.power == {name: boards[name].power for name in ("s3-a", "s3-b")}
    assert listed.boot == {"s3-b": boards["s3-b"].boot}
    assert listed.relay_command("boot-b", False) == ["/usr/local/bin/usbrelay", "BITFT_2=0"]
    assert listed.relay_command("lab-1", True) == ["/usr/local/bin/usbrelay", "board b", "BITFT_1=1"]


def test_relays_of_the_present_list_are_kept(tmp_path: Path) -> None:
    """Root has said once what they run; a new command takes the place of the old one."""
    assert init(tmp_path, "--relay", RELAY, "--relay", BUTTON) == 0
    assert init(tmp_path, "--relay", "lab-2=/bin/relay {on|off}") == 0
    assert sorted(allow.load(tmp_path / "allow.toml", os.getuid()).relays) == ["boot-b", "lab-1", "lab-2"]
    assert init(tmp_path, "--relay", "lab-1=/bin/relay {on|off}") == 0
    assert allow.load(tmp_path / "allow.toml", os.getuid()).relays["lab-1"] == ("/bin/relay", "{on|off}")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "bench.toml: board.s3-b.power.name is 'lab-1'; known: none; say --relay lab-1='/path/of/program ARGS…'"),
        (
            ("--relay", "lab-2=/bin/relay {on|off}"),
            "power.name is 'lab-1'; known: lab-2; say --relay lab-1=",
        ),
        (
            ("--relay", RELAY),
            "board.s3-b.boot.name is 'boot-b'; known: lab-1; say --relay boot-b='/path/of/program ARGS…'",
        ),
        (("--relay", "lab-1"), "--relay is 'lab-1'; wanted NAME='/path/of/program ARGS…'"),
        (("--relay", "lab-1=/bin/relay '{on|off}"), '--relay is "lab-1=/bin/relay \'{on|off}"; no closing quotation'),
        (("--relay", "lab-1=relay {on|off}"), "wanted the absolute path of a program first"),
        (("--relay", "lab-1=/bin/relay on"), "wanted an argument with a choice such as '{on|off}'"),
    ],
)
def test_a_relay_without_a_command_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], words: str
) -> None:
    """Nothing is written that the agent could not use."""
    assert init(tmp_path, *options) == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "allow.toml").exists()


def test_an_allow_list_that_cannot_be_looked_at_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As in an /etc/hil that is root's alone."""
    bench = tmp_path / "bench.toml"
    bench.write_text('[bench]\nname = "lab"\n[[board]]\nname = "s3-a"\nusb = "1-1.2"\n', encoding="utf-8")
    place = tmp_path / ("x" * 300) / "allow.toml"
    assert main(["init", str(bench), "--allow", str(place), "--unit", str(tmp_path / "unit")]) == 2
    assert "allow.toml: cannot be read: File name too long; run `sudo hil init`" in capsys.readouterr().err
    assert not (tmp_path / "unit").exists()
