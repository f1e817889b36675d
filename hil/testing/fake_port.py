"""A board's serial port whose far end a test writes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from hil.agent.replies import PortHeld
from hil.device.lent_port import Port
from hil.errors import BoardVanished
from hil.testing.fake_clock import FakeClock
from hil.wire import slip
from hil.wire.esp_loader import ROM_STATUS_LENGTH, STUB_STATUS_LENGTH, Op, Reply, Request


class FakePort:
    """Implements :class:`hil.device.lent_port.Port`; reading in vain lets time pass.

    Args:
        clock: of the test.
        answer: what the far end says to what is written.
    """

    def __init__(self, clock: FakeClock, answer: Callable[[bytes], bytes] = lambda data: b"") -> None:
        self.written: list[bytes] = []
        self.lines: list[tuple[bool, bool]] = []
        """DTR and RTS, in order."""
        self.bauds: list[int] = []
        self.gone = False
        self.answer = answer
        self.on_lines: Callable[[bool, bool], object] = lambda dtr, rts: None
        self.lent: list[str] = []
        """Which port was lent, each time."""
        self.taken_after = -1
        """Once it has been lent so often, another process has it."""
        self.on_lent: Callable[[], object] = lambda: None
        """Called at each lending; may raise what the agent does."""
        self._clock = clock
        self._waiting = b""

    @property
    def node(self) -> str:
        return "/dev/ttyACM0"

    def hand_over(self) -> int:
        raise AssertionError("nobody outside hil can speak to this port")

    @contextmanager
    def lend(self, port: str, alone: bool = True) -> Iterator[Port]:
        """As :class:`hil.device.lent_port.Lender`."""
        if alone and len(self.lent) >= self.taken_after >= 0:
            raise PortHeld(f"{self.node} is held by ModemManager (process 412)")
        self.lent.append(port)
        self.on_lent()
        self._present()
        yield self

    def write(self, data: bytes) -> None:
        self._present()
        self.written.append(data)
        self._waiting += self.answer(data)

    def read(self, within_s: float) -> bytes:
        if not self._waiting:
            self._clock.advance(within_s)
        if not self._waiting:
            self._present()
        data, self._waiting = self._waiting, b""
        return data

    def set_lines(self, dtr: bool, rts: bool) -> None:
        self._present()
        self.lines.append((dtr, rts))
        self.on_lines(dtr, rts)

    def set_baud(self, baud: int) -> None:
        self._present()
        self.bauds.append(baud)

    def _present(self) -> None:
        if self.gone:
            raise BoardVanished("board s3-a left the bus while /dev/ttyACM0 was open: No such device")


class FakeLoader:
    """The chip's loader at the far end of a :class:`FakePort`: its ROM, or the stub that esptool runs on it."""

    def __init__(self, stub: bool = False) -> None:
        self.requests: list[Request] = []
        self.mute = False
        self._length = STUB_STATUS_LENGTH if stub else ROM_STATUS_LENGTH
        self._reader = slip.SlipReader(1 << 16)

    def answer(self, data: bytes) -> bytes:
        """What comes back: eight replies to SYNC, one to anything else."""
        told = b""
        for payload in self._reader.feed(data):
            request = Request.parse(payload)
            self.requests.append(request)
            reply = slip.encode(Reply(request.op, status_length=self._length).pack())
            told += reply * (8 if request.op == Op.SYNC else 1)
        return b"" if self.mute else told
