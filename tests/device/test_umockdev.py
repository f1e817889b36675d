"""Discovery and port control against the devices of a Raspberry Pi 5, as umockdev shows them to libudev and sysfs."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).parents[2]
BENCH = REPOSITORY / "fixtures/udev/synthetic-pi5-bench.umockdev"
INSIDE = Path(__file__).with_name("in_umockdev.py")
WITHIN_S = 30.0

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("umockdev-run") is None, reason="needs the package umockdev"),
]


def observed(function: str, folder: Path) -> tuple[str, Any]:
    """What the function printed before its result, and the result."""
    folder.chmod(0o755)
    argv = ["umockdev-run", "--device", str(BENCH), "--", sys.executable, str(INSIDE), function, str(folder)]
    ended = subprocess.run(
        argv,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    before, _, result = ended.stdout.rstrip().rpartition("\n")
    return before, json.loads(result)


def test_devices_are_told_apart_by_their_path_alone(tmp_path: Path) -> None:
    """Two boards with the same ids and serial number are two; root hubs are none; the rest is named in errors."""
    _, found = observed("discovery", tmp_path)
    assert found["attached"] == [
        "1-1 (2109:2822 USB2.0 Hub)",
        "1-1.2 (303a:4001 Espressif Device)",
        "1-1.3 (1a86:55d4 USB Single Serial)",
        "2-1 (2109:8822 USB3.1 Hub)",
        "3-1 (303a:4001 Espressif Device)",
        "4-1 (152d:0583 Disk)",
    ]
    assert found["boards"] == ["1-1.2 (303a:4001)", "3-1 (303a:4001)"]
    assert found["found"] == ["1-1.2", "3-1"]
    bridge, empty = found["refused"]
    assert bridge.startswith(
        "BenchError: board s3-a: usb is '1-1.3': 1-1.3 (1a86:55d4 USB Single Serial) is not an Espressif device"
    )
    assert empty.startswith("BenchError: board s3-a: usb is '1-1.4': nothing is attached there; attached: 1-1 (2109:")


def test_hil_boards_prints_what_is_there(tmp_path: Path) -> None:
    """The beginning of a bench.toml, with everything else as comments."""
    text, status = observed("bench_file", tmp_path)
    assert status == 0
    assert 'usb = "1-1.2"' in text
    assert 'usb = "3-1"' in text
    assert "#   4-1 (152d:0583 Disk)" in text


def test_ports_and_devices_are_controlled_where_the_kernel_has_them(tmp_path: Path) -> None:
    """A port of a hub and one of a root hub; each attribute is read, written and read back."""
    _, found = observed("ports", tmp_path)
    for path in ("1-1.2", "3-1"):
        assert found[f"{path} port_disable"] == ["0", "1"]
        assert found[f"{path} authorized"] == ["1", "0"]
        assert found[f"{path} control"] == ["on", "auto"]
        assert found[f"{path} drivers"] == ["1", "1"]
    assert (found["1-1.2 interfaces"], found["1-1.2 ports"]) == (["eth1"], ["ttyACM0"])
    assert (found["3-1 interfaces"], found["3-1 ports"]) == (["eth2"], ["ttyACM2"])


def test_the_ports_of_a_pi_5_are_one_gang_and_those_of_a_hub_on_it_are_not(tmp_path: Path) -> None:
    """Over both controllers and both halves; behind the hub a port goes alone, with its SuperSpeed half."""
    _, found = observed("gangs", tmp_path)
    assert found["model"] == "Raspberry Pi 5 Model B Rev 1.0"
    assert found["own"] == ["1-1", "1-2", "2-1", "3-1", "3-2", "4-1"]
    assert found["hub"] == ["1-1.2", "2-1.2"]


def test_a_pi_5_with_a_disk_keeps_its_power(tmp_path: Path) -> None:
    """A board behind a hub is switched by that hub; one on the Pi's own port is not, unless all is named."""
    _, (behind, own, named, *runs) = observed("power", tmp_path)
    assert behind == "with no other board"
    assert own.startswith(
        "AgentRefused: port 1+2 of hub 1, port 1 of hub 2, port 1+2 of hub 3, port 1 of hub 4 may not "
    )
    assert "2-1 (2109:8822 USB3.1 Hub), 4-1 (152d:0583 Disk) would lose power too" in own
    assert named == "with s3-a"
    assert [run for run in runs if "-a" in run] == ["-f -e -l 1-1 -p 2 -a off", "-f -e -l 2-1 -p 2 -a off"]
