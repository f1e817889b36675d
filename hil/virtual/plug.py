"""Brings a host's port to what the board wants the host to see, one change after the other."""

import asyncio
from collections.abc import Callable, Coroutine

from hil.errors import VirtualBoardError
from hil.virtual.board_parts import Cable
from hil.virtual.usb.device import UsbDevice


class Plug:
    """The board's end of its cable.

    Args:
        cable: leads to the host's port.
        wanted: the device that the host should see now, or None.
        on_died: called with the error of work that nobody awaits.
    """

    def __init__(
        self, cable: Cable, wanted: Callable[[], UsbDevice | None], on_died: Callable[[VirtualBoardError], None]
    ) -> None:
        self._cable = cable
        self._wanted = wanted
        self._on_died = on_died
        self._attached: UsbDevice | None = None
        self._lock = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    async def follow(self) -> None:
        """Return when the host sees what it should."""
        async with self._lock:
            while self._attached is not (wanted := self._wanted()):
                if self._attached is not None:
                    await self._cable.unplug()
                    self._attached = None
                else:
                    assert wanted is not None
                    self._cable.plug(wanted)
                    self._attached = wanted

    def follow_soon(self) -> None:
        self._spawn(self.follow())

    def wake_host(self, device: UsbDevice) -> None:
        """Signal resume; nothing where ``device`` is not in the port any more."""
        self._spawn(self._wake_host(device))

    async def finish(self) -> None:
        """Until all work that was begun is over."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _wake_host(self, device: UsbDevice) -> None:
        watch = self._cable.watch
        try:
            if watch is not None:
                await watch.remote_wakeup()
        except VirtualBoardError:
            if self._attached is device:
                raise

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._on_died(VirtualBoardError(f"USB cable: {error}"))
