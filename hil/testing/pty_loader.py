"""A virtual chip in its loader, behind a pseudo-terminal: for esptool's command line and for :mod:`hil.flash`."""

import os
import pty
import select
import threading
import tty
from collections.abc import Callable
from types import TracebackType
from typing import Self

from hil import clock
from hil.virtual.flash import FlashChip
from hil.virtual.rom.chip import Exit
from hil.virtual.rom.identity import ChipIdentity
from hil.virtual.rom.loader import Loader
from hil.wire.esp_loader import Op, Request
from hil.wire.slip import SlipReader

_ERASING = (Op.FLASH_BEGIN, Op.FLASH_DEFL_BEGIN, Op.ERASE_REGION)
Tamper = Callable[[bytes], bytes | None]
"""Changes what the chip answers, or takes it away; None closes the port."""


class PtyLoader:
    """Serves a chip whose IO0 is held low: whatever resets it leads to its loader again.

    Args:
        flash: the board's.
        identity: what its eFuses say.
        answers: given each portion of bytes that the chip sends, returns what the host gets.
    """

    def __init__(
        self, flash: FlashChip, identity: ChipIdentity | None = None, answers: Tamper = lambda sent: sent
    ) -> None:
        self._flash = flash
        self._identity = identity
        self._answers = answers
        self._spy = SlipReader(0x10000)
        self.asked: list[Op] = []
        """Every command that came."""
        self.erased = 0
        """How often something was to be erased or written; leaving the stub is no such thing."""
        self.exits: list[Exit] = []
        self._loader = Loader(flash, identity)
        self._master, slave = pty.openpty()
        tty.setraw(slave)
        self.port = os.ttyname(slave)
        self._slave: int | None = slave
        self._ended, self._end = os.pipe()
        self._thread = threading.Thread(target=self._serve, name="pty-loader")
        self._thread.start()

    def open(self) -> int:
        """A descriptor of the port, as the agent would hand it over."""
        return os.open(self.port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)

    def close(self) -> None:
        os.write(self._end, b"\0")
        self._thread.join()
        for fd in (self._master, self._slave, self._ended, self._end):
            if fd is not None and fd >= 0:
                os.close(fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _serve(self) -> None:
        while True:
            deadline_ns = self._loader.deadline_ns
            left_s = None if deadline_ns is None else max(clock.to_s(deadline_ns - clock.now_ns()), 0.0)
            ready, _, _ = select.select([self._master, self._ended], [], [], left_s)
            if self._ended in ready:
                return
            data = os.read(self._master, 1 << 16) if ready else b""
            self._note(data)
            answer = self._loader.feed(data, clock.now_ns())
            sent = self._answers(answer) if answer else answer
            if sent is None:
                os.close(self._master)
                self._master = -1
                select.select([self._ended], [], [])
                return
            while sent:
                sent = sent[os.write(self._master, sent) :]
            if self._loader.exit is not None:
                self.exits.append(self._loader.exit)
                self._loader = Loader(self._flash, self._identity)

    def _note(self, data: bytes) -> None:
        for packet in self._spy.feed(data):
            if len(packet) >= 8 and packet[0] == 0 and packet[1] in set(Op):
                request = Request.parse(packet)
                self.asked.append(Op(request.op))
                self.erased += request.op in _ERASING and any(request.data[:4])
