"""Power that the agent switches."""

from pathlib import Path

from hil.bench import Power
from hil.power.switched import Switched
from hil.testing.faked_bench import FakedBench


def test_the_agent_is_told_what_bench_toml_says(tmp_path: Path) -> None:
    """Off and on, each with the description that the allow list is compared with."""
    bench = FakedBench(tmp_path)
    driver = Switched(bench.agent, "s3-a", Power("uhubctl", hub="1-1", port=2))
    driver.off()
    driver.on()
    assert bench.agent.calls == [
        ("switch_power", "s3-a", "uhubctl, hub 1-1 port 2", "False"),
        ("switch_power", "s3-a", "uhubctl, hub 1-1 port 2", "True"),
    ]
    assert driver.sees == "vbus_off"
