"""What the ROM's loader and the stub do alike; each names its own errors and adds its own commands.

A handler takes the request and returns the data of the reply, or the error that the loader answers with.
"""

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from hil.errors import WireError
from hil.virtual.rom.chip import Chip
from hil.virtual.rom.writing import FlashWrite
from hil.wire.esp_loader import Begin, Block, Error, Op, RegisterWrite, Request, checksum, two_words, word

Answer = bytes | Error
MD5_ARGUMENT, SYNC_LENGTH, SYNC_REPLIES = 16, 36, 8


@dataclass(frozen=True, slots=True)
class Errors:
    """How one of the loaders names what went wrong."""

    malformed: Error
    checksum: Error
    not_begun: Error
    overflow: Error
    range: Error
    inflate: Error
    inflate_check: Error


class Commands:
    """Commands that both loaders know.

    Args:
        chip: what they work on.
    """

    errors: ClassVar[Errors]
    erases_ahead: ClassVar[bool]
    table: ClassVar[Mapping[int, Callable[[Any, Request], Answer]]]

    def __init__(self, chip: Chip) -> None:
        self.chip = chip
        self.value = 0
        """Goes into the next reply."""
        self.write: FlashWrite | None = None
        self._filling: bytearray | None = None
        self._fill_length = 0

    def answer(self, request: Request) -> Answer | None:
        """What its handler says; None for a command that this loader does not have."""
        handler = self.table.get(request.op)
        if handler is None:
            return None
        try:
            return handler(self, request)
        except WireError:
            return self.errors.malformed

    def read_reg(self, request: Request) -> Answer:
        self.value = self.chip.registers.read(word(request.data))
        return b""

    def write_reg(self, request: Request) -> Answer:
        """The delays of the writes are not waited for: nothing here takes time."""
        for each in RegisterWrite.parse_all(request.data):
            self.chip.registers.write(each.address, each.value, each.mask)
        return b""

    def security_info(self, request: Request) -> Answer:
        return self.errors.malformed if request.data else self.chip.security.pack()

    def change_baudrate(self, request: Request) -> Answer:
        """The reply goes out at the old rate."""
        self.chip.baud = two_words(request.data)[0]
        return b""

    def flash_begin(self, request: Request) -> Answer:
        return self._begin(request, deflated=False)

    def flash_defl_begin(self, request: Request) -> Answer:
        return self._begin(request, deflated=True)

    def _begin(self, request: Request, *, deflated: bool) -> Answer:
        begin = Begin.parse(request.data)
        if not self.chip.holds(begin.offset, begin.size):
            self.write = None
            return self.errors.range
        self.write = FlashWrite(self.chip.flash, begin, deflated=deflated, ahead=self.erases_ahead)
        return b""

    def checked_block(self, request: Request, *, deflated: bool) -> bytes | Error:
        """The data of a block that may be programmed."""
        if self.write is None or (self.write.inflater is not None) != deflated:
            return self.errors.not_begun
        block = Block.parse(request.data)
        return block.data if checksum(block.data) == request.checksum & 0xFF else self.errors.checksum

    def program(self, data: bytes) -> Error | None:
        """Writes a block."""
        if self.write is None:
            return self.errors.not_begun
        try:
            self.write.add(data)
        except zlib.error as error:
            return self.errors.inflate_check if "data check" in str(error) else self.errors.inflate
        return None

    def mem_begin(self, request: Request) -> Answer:
        begin = Begin.parse(request.data)
        self._filling, self._fill_length = bytearray(), begin.size
        self.chip.filled[begin.offset] = self._filling
        return b""

    def mem_data(self, request: Request) -> Answer:
        if self._filling is None:
            return self.errors.not_begun
        block = Block.parse(request.data)
        if checksum(block.data) != request.checksum & 0xFF:
            return self.errors.checksum
        if len(self._filling) + len(block.data) > self._fill_length:
            return self.errors.overflow
        self._filling += block.data
        return b""

    def mem_end(self, request: Request) -> Answer:
        """Ends the loading; where an entry is given, the chip jumps there after the reply."""
        stay, entry = two_words(request.data)
        self._filling = None
        if not stay:
            self.chip.start_code(entry)
        return b""


SHARED: Mapping[int, Callable[[Any, Request], Answer]] = {
    Op.READ_REG: Commands.read_reg,
    Op.WRITE_REG: Commands.write_reg,
    Op.GET_SECURITY_INFO: Commands.security_info,
    Op.CHANGE_BAUDRATE: Commands.change_baudrate,
    Op.FLASH_BEGIN: Commands.flash_begin,
    Op.FLASH_DEFL_BEGIN: Commands.flash_defl_begin,
    Op.MEM_DATA: Commands.mem_data,
    Op.MEM_END: Commands.mem_end,
}
"""The part of both tables that is the same."""
