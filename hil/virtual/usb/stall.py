"""A USB task that does not run for a while: requests wait, and so do the answers of what was under way."""

import asyncio
from collections.abc import Callable

from hil.wire.usbip import CmdSubmit, RetSubmit

Submission = tuple[CmdSubmit, bytes]


class Stall:
    """Keeps a device's URBs and answers until its task runs again, in their order.

    Args:
        submit: takes a URB that has waited; it may begin another stall.
        give_back: takes an answer that has waited.
    """

    def __init__(self, submit: Callable[[CmdSubmit, bytes], None], give_back: Callable[[RetSubmit], None]) -> None:
        self._submit = submit
        self._give_back = give_back
        self._submissions: list[Submission] = []
        self._answers: list[RetSubmit] = []
        self._timer: asyncio.TimerHandle | None = None

    @property
    def active(self) -> bool:
        return self._timer is not None

    def begin(self, for_s: float) -> None:
        """From now on, for so long; one that is under way ends with the later of the two."""
        loop = asyncio.get_running_loop()
        end_s = loop.time() + for_s
        if self._timer is not None:
            end_s = max(end_s, self._timer.when())
            self._timer.cancel()
        self._timer = loop.call_at(end_s, self._end)

    def keep_submission(self, command: CmdSubmit, data: bytes) -> bool:
        """Whether it waits; else it is the device's to carry out."""
        if self.active:
            self._submissions.append((command, data))
        return self.active

    def keep_answer(self, answer: RetSubmit) -> bool:
        """Whether it waits; else it is to be sent."""
        if self.active:
            self._answers.append(answer)
        return self.active

    def unlink(self, seqnum: int) -> bool:
        """Forget the URB of that number; False where it does not wait here."""
        waiting = len(self._submissions) + len(self._answers)
        self._submissions = [each for each in self._submissions if each[0].seqnum != seqnum]
        self._answers = [each for each in self._answers if each.seqnum != seqnum]
        return len(self._submissions) + len(self._answers) < waiting

    def clear(self) -> None:
        """The host is gone, or the chip has started over."""
        self._submissions.clear()
        self._answers.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _end(self) -> None:
        self._timer = None
        answers, self._answers = self._answers, []
        for answer in answers:
            self._give_back(answer)
        submissions, self._submissions = self._submissions, []
        for command, data in submissions:
            self._submit(command, data)
