"""A power driver that takes a fake agent's device off its bus."""

from hil.agent.replies import Done
from hil.board.sight import VBUS_OFF
from hil.errors import HarnessError
from hil.testing.fake_agent import FakeAgent


class FakePower:
    """Implements :class:`hil.board.interfaces.PowerDriver`."""

    def __init__(self, agent: FakeAgent, sees: str = VBUS_OFF) -> None:
        self.sees = sees
        self.done: list[str] = []
        """off and on, in order."""
        self.detaches = True
        self.comes_back_s: float | None = 0.5
        """From ``on`` to the device on the bus; None: never."""
        self.broken: HarnessError | None = None
        self._agent = agent

    def off(self) -> Done:
        self._do("off")
        if self._agent.present and self.detaches:
            self._agent.detach()
        return self._now()

    def on(self) -> Done:
        self._do("on")
        if self.comes_back_s is not None:
            self._agent.capture.after(self.comes_back_s, self._agent.attach)
        return self._now()

    def _do(self, what: str) -> None:
        if self.broken is not None:
            raise self.broken
        self.done.append(what)

    def _now(self) -> Done:
        return Done(self._agent.capture.clock.now_ns(), 0)
