"""Transfers of the device and URBs of the host meet on endpoints.

Neither side knows the other's sizes: a URB of 16384 bytes ends with the first short packet, and a device buffer of 3200
bytes ends with a short packet of a URB of any size (USB 2.0 section 5.8.3). A URB without data to take, and a URB
without a buffer to go to, waits: that is NAK. Time on the bus is taken from :class:`FullSpeedBus` and
:class:`PollGrid`; data moves when that time has passed, so a URB that is unlinked before loses nothing.
"""

import asyncio
import errno
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from hil.errors import VirtualBoardError
from hil.virtual.usb.throttle import FullSpeedBus, PollGrid
from hil.wire.usb import Endpoint
from hil.wire.usbip import CmdSubmit, RetSubmit

INTERRUPT = 3
TRANSFER_TYPE = 3
URB_ZERO_PACKET = 0x40
"""include/linux/usb.h: end a transfer that fills its last packet with a packet of length 0."""
STALLED = -errno.EPIPE
BABBLE = -errno.EOVERFLOW

GiveBack = Callable[[RetSubmit], None]


@dataclass(frozen=True, slots=True)
class BusTime:
    """The bus that pipes share, and the loop that wakes them."""

    bus: FullSpeedBus
    loop: asyncio.AbstractEventLoop

    def after_bulk(self, octets: int, then: Callable[[], None]) -> asyncio.TimerHandle:
        """Call ``then`` when ``octets`` bytes will have crossed the bus."""
        return self.loop.call_at(self.bus.reserve(octets, self.loop.time()), then)

    def after_poll(self, grid: PollGrid, interval_frames: int, then: Callable[[], None]) -> asyncio.TimerHandle:
        """Call ``then`` when the host asks next."""
        return self.loop.call_at(grid.next_poll(interval_frames, self.loop.time()), then)


@dataclass(slots=True)
class _InUrb:
    command: CmdSubmit
    data: bytearray = field(default_factory=bytearray)

    @property
    def room(self) -> int:
        return self.command.length - len(self.data)


class InPipe:
    """One IN endpoint.

    Args:
        give_back: called with each URB that is done.
        finished: called with the length of each transfer of the device that the host has taken.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        time: BusTime,
        give_back: GiveBack,
        finished: Callable[[int], None],
    ) -> None:
        self.endpoint = endpoint
        self.halted = False
        self.polled = False
        self._time = time
        self._grid = PollGrid()
        self._give_back = give_back
        self._finished = finished
        self._urbs: deque[_InUrb] = deque()
        self._transfer: bytes | None = None
        self._offset = 0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def busy(self) -> bool:
        """A transfer of the device is under way."""
        return self._transfer is not None

    @property
    def pending(self) -> int:
        """URBs that wait for data."""
        return len(self._urbs)

    def submit(self, command: CmdSubmit) -> None:
        """A URB of the host."""
        self.polled = True
        if self.halted:
            self._give_back(RetSubmit(command.seqnum, STALLED, 0))
            return
        self._urbs.append(_InUrb(command))
        self._start()

    def unlink(self, seqnum: int) -> bool:
        """Forget that URB; False where it is not here. What it had received already is lost, as with real URBs."""
        for urb in self._urbs:
            if urb.command.seqnum == seqnum:
                if urb is self._urbs[0]:
                    self._stop()
                self._urbs.remove(urb)
                self.polled = bool(self._urbs)
                self._start()
                return True
        return False

    def send(self, data: bytes) -> None:
        """One transfer of the device; a multiple of the packet size does not end the host's URB (no ZLP is added)."""
        if self._transfer is not None:
            found = f"a transfer of {len(self._transfer)} bytes is under way"
            raise VirtualBoardError(f"endpoint 0x{self.endpoint.address:02x}: {found}, {len(data)} more were sent")
        self._transfer, self._offset = data, 0
        self._start()

    def halt(self) -> None:
        """STALL until :meth:`clear_halt`."""
        self.halted = True
        self._stop()
        while self._urbs:
            urb = self._urbs.popleft()
            self._give_back(RetSubmit(urb.command.seqnum, STALLED, len(urb.data), bytes(urb.data)))

    def clear_halt(self) -> None:
        self.halted = False

    def reset(self) -> None:
        """Forget the transfer; URBs stay, as only the host takes them back."""
        self._stop()
        self._transfer = None
        self.halted = False

    def disconnect(self) -> None:
        """The host is gone, with all its URBs."""
        self._stop()
        self._urbs.clear()
        self.polled = False

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _start(self) -> None:
        if self._timer is not None or self._transfer is None or not self._urbs:
            return
        left = len(self._transfer) - self._offset
        room = self._urbs[0].room
        babble = left > room and room % self.endpoint.max_packet != 0
        size = room - room % self.endpoint.max_packet if babble else min(left, room)
        if self.endpoint.attributes & TRANSFER_TYPE == INTERRUPT:
            size = min(size, self.endpoint.max_packet)
            self._timer = self._time.after_poll(self._grid, self._interval, partial(self._land, size, babble))
        else:
            self._timer = self._time.after_bulk(size, partial(self._land, size, babble))

    @property
    def _interval(self) -> int:
        """Frames; the host rounds bInterval down to a power of two (usb_submit_urb)."""
        chosen = self._urbs[0].command.interval
        return min(chosen, self.endpoint.interval) if chosen > 0 else self.endpoint.interval

    def _land(self, size: int, babble: bool) -> None:
        """``size`` bytes have crossed the bus."""
        self._timer = None
        transfer, urb = self._transfer, self._urbs[0]
        assert transfer is not None
        urb.data += transfer[self._offset : self._offset + size]
        self._offset += size
        ended = self._offset == len(transfer)
        short = ended and (not transfer or len(transfer) % self.endpoint.max_packet != 0)
        if short or babble or urb.room == 0:
            self._urbs.popleft()
            status = BABBLE if babble and not short else 0
            self._give_back(RetSubmit(urb.command.seqnum, status, len(urb.data), bytes(urb.data)))
        if ended:
            self._transfer = None
            self._finished(len(transfer))
        self._start()


@dataclass(slots=True)
class _OutUrb:
    command: CmdSubmit
    data: bytes
    offset: int = 0


class OutPipe:
    """One OUT endpoint.

    Args:
        room: size of the buffer that the function holds ready, 0 for none; asked when a transfer begins.
        deliver: called with each complete transfer.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        time: BusTime,
        give_back: GiveBack,
        room: Callable[[], int],
        deliver: Callable[[bytes], None],
    ) -> None:
        self.endpoint = endpoint
        self.halted = False
        self._time = time
        self._give_back = give_back
        self._room = room
        self._deliver = deliver
        self._urbs: deque[_OutUrb] = deque()
        self._buffer = bytearray()
        self._armed = 0
        self._timer: asyncio.TimerHandle | None = None

    def submit(self, command: CmdSubmit, data: bytes) -> None:
        """A URB of the host with its data."""
        if self.halted:
            self._give_back(RetSubmit(command.seqnum, STALLED, 0))
            return
        self._urbs.append(_OutUrb(command, data))
        self.renew()

    def unlink(self, seqnum: int) -> bool:
        """Forget that URB; what the device has taken of it stays taken."""
        for urb in self._urbs:
            if urb.command.seqnum == seqnum:
                if urb is self._urbs[0]:
                    self._stop()
                self._urbs.remove(urb)
                self.renew()
                return True
        return False

    def renew(self) -> None:
        """Go on, where there is a URB and a buffer for it."""
        if self._timer is not None or not self._urbs:
            return
        self._armed = self._armed or self._room()
        if self._armed:
            urb = self._urbs[0]
            size = min(self._armed - len(self._buffer), len(urb.data) - urb.offset)
            self._timer = self._time.after_bulk(size, partial(self._land, size))

    def halt(self) -> None:
        """STALL until :meth:`clear_halt`."""
        self.halted = True
        self._stop()
        while self._urbs:
            urb = self._urbs.popleft()
            self._give_back(RetSubmit(urb.command.seqnum, STALLED, urb.offset))

    def clear_halt(self) -> None:
        self.halted = False

    def reset(self) -> None:
        """Forget what has arrived of an incomplete transfer."""
        self._stop()
        self._buffer.clear()
        self._armed = 0
        self.halted = False

    def disconnect(self) -> None:
        """The host is gone, with all its URBs."""
        self._stop()
        self._urbs.clear()

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _land(self, size: int) -> None:
        """``size`` bytes have crossed the bus."""
        self._timer = None
        urb = self._urbs[0]
        self._buffer += urb.data[urb.offset : urb.offset + size]
        urb.offset += size
        exhausted = urb.offset == len(urb.data)
        if exhausted:
            self._urbs.popleft()
            self._give_back(RetSubmit(urb.command.seqnum, 0, len(urb.data)))
        if len(self._buffer) == self._armed or (exhausted and self._ends_short(urb)):
            data = bytes(self._buffer)
            self._buffer.clear()
            self._armed = 0
            self._deliver(data)
        self.renew()

    def _ends_short(self, urb: _OutUrb) -> bool:
        partial = len(urb.data) % self.endpoint.max_packet != 0
        return partial or not urb.data or bool(urb.command.flags & URB_ZERO_PACKET)
