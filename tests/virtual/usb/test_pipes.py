"""Transfers and URBs on single endpoints: sizes, ends and time."""

import asyncio
import errno

from hil.virtual.usb.pipes import BusTime, InPipe, OutPipe
from hil.virtual.usb.throttle import FullSpeedBus
from hil.wire.usb import Endpoint
from hil.wire.usbip import IN, OUT, CmdSubmit, RetSubmit

BULK_IN, BULK_OUT, INTERRUPT_IN = Endpoint(0x84, 2, 64), Endpoint(0x04, 2, 64), Endpoint(0x83, 3, 64, 50)


class Bench:
    """Pipes on one bus, what they gave back and what they told, each with the loop's time."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.given: list[tuple[float, RetSubmit]] = []
        self.finished: list[int] = []
        self.delivered: list[bytes] = []
        self.room = 3200
        self._time = BusTime(FullSpeedBus(), self.loop)
        self._more = asyncio.Event()

    def inward(self, endpoint: Endpoint) -> InPipe:
        return InPipe(endpoint, self._time, self._give_back, self.finished.append)

    def outward(self) -> OutPipe:
        return OutPipe(BULK_OUT, self._time, self._give_back, lambda: self.room, self.delivered.append)

    def _give_back(self, reply: RetSubmit) -> None:
        self.given.append((self.loop.time(), reply))
        self._more.set()

    async def count(self, number: int) -> list[RetSubmit]:
        """The first URBs that came back, as soon as there are that many."""
        while len(self.given) < number:
            self._more.clear()
            await asyncio.wait_for(self._more.wait(), 5)
        return [reply for _, reply in self.given]


def in_urb(seqnum: int, length: int, interval: int = 0) -> CmdSubmit:
    return CmdSubmit(seqnum, 1, IN, 4, 0, length, interval=interval)


def out_urb(seqnum: int, data: bytes) -> CmdSubmit:
    return CmdSubmit(seqnum, 1, OUT, 4, 0, len(data))


def test_a_transfer_longer_than_a_urb_goes_on_in_the_next() -> None:
    """Full URBs end without a short packet, the last one with it; the transfer is finished once."""

    async def scenario() -> None:
        bench = Bench()
        pipe = bench.inward(BULK_IN)
        data = bytes(range(200))
        pipe.send(data)
        assert pipe.busy
        for seqnum in (1, 2, 3):
            pipe.submit(in_urb(seqnum, 64))
        pipe.submit(in_urb(4, 128))
        replies = await bench.count(4)
        assert [reply.actual_length for reply in replies] == [64, 64, 64, 8]
        assert b"".join(reply.data for reply in replies) == data
        assert bench.finished == [200]
        assert not pipe.busy

    asyncio.run(scenario())


def test_a_urb_unlinked_while_its_data_crosses_loses_nothing() -> None:
    """The bytes stay with the device for the next URB."""

    async def scenario() -> None:
        bench = Bench()
        pipe = bench.inward(BULK_IN)
        pipe.submit(in_urb(1, 4096))
        pipe.send(bytes(3000))
        assert pipe.unlink(1)
        assert not pipe.unlink(1)
        assert bench.finished == []
        pipe.submit(in_urb(2, 4096))
        assert [reply.seqnum for reply in await bench.count(1)] == [2]
        assert bench.given[0][1].actual_length == 3000

    asyncio.run(scenario())


def test_bulk_transfers_of_both_directions_take_their_time() -> None:
    """Ten blocks each way are 20 times 50 packets: never less than 52.6 ms, less the 2 ms of catching up."""

    async def scenario() -> None:
        bench = Bench()
        inward, outward = bench.inward(BULK_IN), bench.outward()
        begin = bench.loop.time()
        for number in range(10):
            outward.submit(out_urb(number, bytes(3200)), bytes(3200))
        for number in range(10):
            inward.send(bytes(3200))
            inward.submit(in_urb(100 + number, 3200))
            while inward.busy:
                await bench.count(len(bench.given) + 1)
        await bench.count(20)
        assert bench.loop.time() - begin >= 20 * 50 / 19 * 0.001 - 0.002
        assert len(bench.delivered) == 10

    asyncio.run(scenario())


def test_an_interrupt_endpoint_gives_one_packet_an_interval() -> None:
    """The host's interval of 8 frames is kept between notifications, although bInterval says 50."""

    async def scenario() -> None:
        bench = Bench()
        pipe = bench.inward(INTERRUPT_IN)
        for seqnum in (1, 2, 3):
            pipe.submit(in_urb(seqnum, 64, interval=8))
        begin = bench.loop.time()
        for number in range(3):
            pipe.send(bytes((number,)) * 16)
            await bench.count(number + 1)
        waited = [at - begin for at, _ in bench.given]
        assert [number for number, at in enumerate(waited) if at < number * 0.008 - 0.001] == []
        assert [reply.data[0] for _, reply in bench.given] == [0, 1, 2]

    asyncio.run(scenario())


def test_a_notification_longer_than_a_packet_takes_several_intervals() -> None:
    """10 bytes on packets of 8: the second packet comes one interval after the first, and ends the URB."""

    async def scenario() -> None:
        bench = Bench()
        pipe = bench.inward(Endpoint(0x81, 3, 8, 16))
        pipe.submit(in_urb(1, 16, interval=16))
        begin = bench.loop.time()
        pipe.send(bytes(10))
        [reply] = await bench.count(1)
        assert reply.actual_length == 10
        assert bench.given[0][0] - begin > 0.015

    asyncio.run(scenario())


def test_out_data_waits_without_a_buffer_and_can_be_unlinked() -> None:
    """NAK: the URB stays until there is room; taken back before, nothing of it arrives."""

    async def scenario() -> None:
        bench = Bench()
        pipe = bench.outward()
        bench.room = 0
        pipe.submit(out_urb(1, b"never"), b"never")
        pipe.submit(out_urb(2, b"later"), b"later")
        assert pipe.unlink(1)
        await asyncio.sleep(0.003)
        assert bench.given == []
        bench.room = 64
        pipe.renew()
        await bench.count(1)
        assert bench.delivered == [b"later"]

    asyncio.run(scenario())


def test_a_halt_gives_back_what_a_urb_had_received() -> None:
    """One packet had arrived when the endpoint stalled: the URB ends with -EPIPE and that packet."""

    async def scenario() -> None:
        bench = Bench()
        pipe = bench.inward(BULK_IN)
        pipe.submit(in_urb(1, 512))
        pipe.send(b"x" * 64)
        while pipe.busy:
            await asyncio.sleep(0)
        pipe.halt()
        [reply] = await bench.count(1)
        assert (reply.status, reply.data) == (-errno.EPIPE, b"x" * 64)

    asyncio.run(scenario())


def test_a_reset_forgets_half_a_transfer() -> None:
    """What had arrived of an incomplete block is gone with a bus reset, and so is the buffer it was for."""

    async def scenario() -> None:
        bench = Bench()
        pipe = bench.outward()
        pipe.submit(out_urb(1, bytes(64)), bytes(64))
        await bench.count(1)
        pipe.reset()
        bench.room = 64
        pipe.submit(out_urb(2, b"w" * 64), b"w" * 64)
        await bench.count(2)
        assert bench.delivered == [b"w" * 64]

    asyncio.run(scenario())
