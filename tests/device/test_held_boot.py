"""Power with BOOT held: the order, and that nothing stays as no board should be left."""

from collections.abc import Callable

import pytest

from hil.agent.replies import Done
from hil.board.interfaces import Instant
from hil.device.held_boot import PowerWithBoot
from hil.errors import AgentError


class Desk:
    """A cable and a button; ``breaks`` is what fails, the first time it is tried."""

    def __init__(self, breaks: str = "") -> None:
        self.done: list[str] = []
        self._breaks = breaks
        self.way = PowerWithBoot(self._does("off"), self._does("on"), self, lambda held_s: self.done.append("sleep"))

    def hold(self) -> Instant:
        return self._does("hold")()

    def let_go(self) -> Instant:
        return self._does("let go")()

    def _does(self, what: str) -> Callable[[], Instant]:
        def do() -> Instant:
            self.done.append(what)
            if what == self._breaks:
                self._breaks = ""
                raise AgentError(f"{what}: the relay's program ended with status 4")
            return Done(len(self.done), 0)

        return do

    def cycle(self) -> Instant:
        return self.way.cycle(self.came)

    def came(self, powered: Instant, within_s: float) -> None:
        self.done.append("came")


def test_boot_is_held_while_there_is_no_power_and_let_go_once_something_came() -> None:
    """The instant is that of the power's coming; held last and let go first, a death in between leads to a boot."""
    desk = Desk()
    assert desk.cycle().t_ns == 4
    assert desk.done == ["off", "sleep", "hold", "on", "came", "let go"]


@pytest.mark.parametrize(
    ("breaks", "done"),
    [
        ("off", ["off"]),
        ("hold", ["off", "sleep", "hold", "let go", "on"]),
        ("on", ["off", "sleep", "hold", "on", "let go"]),
        ("let go", ["off", "sleep", "hold", "on", "came", "let go"]),
    ],
)
def test_what_fails_leaves_no_button_held(breaks: str, done: list[str]) -> None:
    """A relay that did not obey may be on all the same: it is let go; power that was taken is given back."""
    desk = Desk(breaks)
    with pytest.raises(AgentError, match=f"{breaks}: the relay"):
        desk.cycle()
    assert desk.done == done


def test_an_interrupt_leaves_no_button_held() -> None:
    """Ctrl-C while the board is waited for."""
    desk = Desk()

    def came(powered: Instant, within_s: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        desk.way.cycle(came)
    assert desk.done[-1] == "let go"
