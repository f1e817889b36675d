"""The loader in the ESP32-S3's ROM.

Commands, arguments and errors: esptool documentation, "Serial Protocol", and ``loader.py``. The ROM works first and
replies then. Its replies carry the value of the register read last, as traces in esptool's issues show. A command that
it does not know it answers eight times with "invalid message" and not under the command's own opcode (so
``ESPLoader.command`` expects it; which opcode it is has not been seen, here it is that of the command before).
"""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from hil.virtual.rom.chip import Chip, Exit, in_ram
from hil.virtual.rom.commands import MD5_ARGUMENT, SHARED, SYNC_LENGTH, SYNC_REPLIES, Answer, Commands, Errors
from hil.wire.esp_loader import ROM_STATUS_LENGTH, Begin, Op, Reply, Request, RomError, two_words, word
from hil.wire.layout import exactly

SLOW_READ = 64
"""Bytes in each answer to READ_FLASH_SLOW, and the most that can be asked for."""
SPI_ATTACH_LENGTHS = (4, 8)
SPI_PARAMETERS = 24


class RomLoader(Commands):
    """Answers one request at a time."""

    errors = Errors(
        malformed=RomError.INVALID_MESSAGE,
        checksum=RomError.CHECKSUM,
        not_begun=RomError.FAILED,
        overflow=RomError.RAM_SIZE,
        range=RomError.FAILED,
        inflate=RomError.DEFLATE,
        inflate_check=RomError.DEFLATE_CHECKSUM,
    )
    erases_ahead = True

    def __init__(self, chip: Chip) -> None:
        super().__init__(chip)
        self._last_op = 0

    def receive(self, request: Request) -> list[bytes]:
        """The replies."""
        answer = self.answer(request)
        if answer is None:
            refusal = self._reply(self._last_op, RomError.INVALID_MESSAGE)
            return [refusal] * SYNC_REPLIES
        self._last_op = request.op
        count = SYNC_REPLIES if request.op == Op.SYNC and isinstance(answer, bytes) else 1
        return [self._reply(request.op, answer)] * count

    def refuse(self, packet: bytes) -> list[bytes]:
        """The reply to a packet that is no request."""
        return [self._reply(packet[1], RomError.INVALID_MESSAGE)]

    def _reply(self, op: int, answer: Answer) -> bytes:
        data, error = (answer, None) if isinstance(answer, bytes) else (b"", answer)
        return Reply(op, self.value, data, error, ROM_STATUS_LENGTH).pack()

    def sync(self, request: Request) -> Answer:
        """The value of the replies is the first word of the argument: 0x20120707."""
        self.value = word(exactly("SYNC command", request.data, SYNC_LENGTH)[:4])
        return b""

    def spi_attach(self, request: Request) -> Answer:
        return b"" if len(request.data) in SPI_ATTACH_LENGTHS else RomError.INVALID_MESSAGE

    def spi_set_params(self, request: Request) -> Answer:
        return b"" if len(request.data) == SPI_PARAMETERS else RomError.INVALID_MESSAGE

    def mem_begin(self, request: Request) -> Answer:
        begin = Begin.parse(request.data)
        if not in_ram(begin.offset, begin.size):
            return RomError.RAM_ADDRESS
        return super().mem_begin(request)

    def flash_data(self, request: Request) -> Answer:
        return self._data(request, deflated=False)

    def flash_defl_data(self, request: Request) -> Answer:
        return self._data(request, deflated=True)

    def _data(self, request: Request, *, deflated: bool) -> Answer:
        block = self.checked_block(request, deflated=deflated)
        if not isinstance(block, bytes):
            return block
        error = self.program(block)
        return b"" if error is None else error

    def flash_end(self, request: Request) -> Answer:
        """The ROM leaves its loader in any case: 0 asks for a reset."""
        stay = word(request.data)
        self.write = None
        self.chip.exit = Exit.RUN if stay else Exit.REBOOT
        return b""

    def md5(self, request: Request) -> Answer:
        """As 32 hexadecimal digits."""
        offset, length = two_words(exactly("SPI_FLASH_MD5 command", request.data, MD5_ARGUMENT)[:8])
        if not self.chip.holds(offset, length):
            return RomError.FLASH_READ
        return hashlib.md5(self.chip.flash.read(offset, length)).hexdigest().encode()

    def read_flash_slow(self, request: Request) -> Answer:
        """Always 64 bytes; those that were not asked for are 0."""
        offset, length = two_words(request.data)
        if length > SLOW_READ:
            return RomError.FLASH_READ_LENGTH
        if not self.chip.holds(offset, length):
            return RomError.FLASH_READ
        return self.chip.flash.read(offset, length).ljust(SLOW_READ, b"\0")

    table: ClassVar[Mapping[int, Callable[[Any, Request], Answer]]] = {
        **SHARED,
        Op.SYNC: sync,
        Op.SPI_ATTACH: spi_attach,
        Op.SPI_SET_PARAMS: spi_set_params,
        Op.MEM_BEGIN: mem_begin,
        Op.FLASH_DATA: flash_data,
        Op.FLASH_DEFL_DATA: flash_defl_data,
        Op.FLASH_END: flash_end,
        Op.FLASH_DEFL_END: flash_end,
        Op.SPI_FLASH_MD5: md5,
        Op.READ_FLASH_SLOW: read_flash_slow,
    }
