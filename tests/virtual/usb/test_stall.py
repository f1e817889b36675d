"""A USB task that does not run: nothing is answered, nothing is lost."""

import asyncio
from collections.abc import Awaitable, Callable

from hil.virtual.usb.stall import Stall
from hil.wire.usbip import CmdSubmit, RetSubmit

LONG_S = 0.05
SOON_S = 0.01


class Desk:
    """What a stall hands on."""

    def __init__(self) -> None:
        self.submitted: list[int] = []
        self.answered: list[int] = []
        self.again_at: int | None = None
        self.stall = Stall(self._submit, lambda answer: self.answered.append(answer.seqnum))

    def _submit(self, command: CmdSubmit, data: bytes) -> None:
        if self.stall.keep_submission(command, data):
            return
        self.submitted.append(command.seqnum)
        if command.seqnum == self.again_at:
            self.stall.begin(SOON_S)

    async def over(self) -> None:
        async with asyncio.timeout(5.0):
            while self.stall.active:
                await asyncio.sleep(0.001)


def urb(seqnum: int) -> CmdSubmit:
    return CmdSubmit(seqnum, 0, 0, 0, 0, 0)


def run(scenario: Callable[[Desk], Awaitable[None]]) -> Desk:
    async def whole() -> Desk:
        desk = Desk()
        await scenario(desk)
        desk.stall.clear()
        return desk

    return asyncio.run(whole())


def test_without_a_stall_nothing_waits() -> None:
    """Whoever asks is told to go on at once."""

    async def scenario(desk: Desk) -> None:
        assert not desk.stall.keep_submission(urb(1), b"")
        assert not desk.stall.keep_answer(RetSubmit(1, 0, 0))

    run(scenario)


def test_what_waited_comes_out_in_order_answers_first() -> None:
    """The end of the stall sends the answers, then lets the device see the URBs."""

    async def scenario(desk: Desk) -> None:
        desk.stall.begin(SOON_S)
        assert desk.stall.keep_submission(urb(2), b"")
        assert desk.stall.keep_answer(RetSubmit(1, 0, 0))
        assert desk.stall.keep_submission(urb(3), b"")
        assert (desk.submitted, desk.answered) == ([], [])
        await desk.over()

    desk = run(scenario)
    assert (desk.answered, desk.submitted) == ([1], [2, 3])


def test_a_stall_that_begins_while_one_ends_keeps_the_rest() -> None:
    """The URB that starts it is carried out, those behind it wait again."""

    async def scenario(desk: Desk) -> None:
        desk.again_at = 1
        desk.stall.begin(SOON_S)
        for number in (1, 2):
            desk.stall.keep_submission(urb(number), b"")
        await desk.over()
        assert desk.submitted == [1, 2]

    run(scenario)


def test_the_host_takes_back_what_waits() -> None:
    """An unlinked URB is found whether it or its answer waits, and neither is seen any more."""

    async def scenario(desk: Desk) -> None:
        desk.stall.begin(SOON_S)
        desk.stall.keep_submission(urb(1), b"")
        desk.stall.keep_answer(RetSubmit(2, 0, 0))
        assert (desk.stall.unlink(1), desk.stall.unlink(2), desk.stall.unlink(3)) == (True, True, False)
        await desk.over()

    desk = run(scenario)
    assert (desk.submitted, desk.answered) == ([], [])


def test_two_stalls_end_with_the_later_one() -> None:
    """A short one does not cut a long one."""

    async def scenario(desk: Desk) -> None:
        began_s = asyncio.get_running_loop().time()
        desk.stall.begin(LONG_S)
        desk.stall.begin(SOON_S)
        await desk.over()
        assert asyncio.get_running_loop().time() - began_s >= LONG_S

    run(scenario)
