"""What every way to hold BOOT does, and whom it asks."""

from pathlib import Path
from typing import Any, cast

from hil.bench import Boot
from hil.power.boot_line import BootRelay, VirtualButton
from hil.power.virtual_control import Answer, VirtualControl
from hil.testing.faked_bench import FakedBench


class Control:
    """The virtual board's control socket, as far as its button needs it."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def do(self, what: str, **arguments: Any) -> Answer:
        self.asked.append((what, arguments))
        return Answer(17, 0)


def test_the_agent_is_told_what_bench_toml_says(tmp_path: Path) -> None:
    """Held and let go, each with the description that the allow list is compared with."""
    bench = FakedBench(tmp_path)
    line = BootRelay(bench.agent, "s3-a", Boot("relay", "boot-a"))
    assert line.hold().t_ns <= line.let_go().t_ns
    assert bench.agent.calls == [
        ("hold_boot", "s3-a", "relay boot-a", "True"),
        ("hold_boot", "s3-a", "relay boot-a", "False"),
    ]


def test_the_virtual_board_has_a_button() -> None:
    """By its control socket."""
    control = Control()
    button = VirtualButton(cast(VirtualControl, control))
    assert (button.hold().t_ns, button.let_go().t_ns) == (17, 17)
    assert control.asked == [("hold_boot", {"on": True}), ("hold_boot", {"on": False})]
