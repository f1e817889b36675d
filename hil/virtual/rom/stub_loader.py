"""esptool's flasher stub, as it runs on an ESP32-S3 in place of the ROM's loader.

Commands, argument lengths and errors: esp-flasher-stub ``command_handler.c`` and ``commands.h``. The stub acknowledges
a block before it programs it; what goes wrong then is the answer to the next command, which is not carried out.
FLASH_END with 0 resets the chip, as esptool documents it and the older stub does; the newer one leaves that to be
written.
"""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from hil.errors import WireError
from hil.virtual.flash import SECTOR
from hil.virtual.rom.chip import Chip, Exit
from hil.virtual.rom.commands import MD5_ARGUMENT, SHARED, SYNC_LENGTH, SYNC_REPLIES, Answer, Commands, Errors
from hil.wire.esp_loader import Error, FlashRead, Op, Reply, Request, StubError, two_words, word
from hil.wire.layout import exactly

MAX_READ_BLOCK = 4096
ADLER_LENGTH = 4
SPI_ATTACH_LENGTH = 4
SPI_PARAMETERS = 24


class FlashReading:
    """A READ_FLASH under way: one packet, its acknowledgement, the next one; the MD5 of all at the end."""

    def __init__(self, chip: Chip, read: FlashRead) -> None:
        self._data = chip.flash.read(read.offset, read.length)
        self._block_size = read.block_size
        self._sent = 0
        self.over = False

    def packet(self) -> bytes:
        """The next one to send."""
        if self._sent >= len(self._data):
            self.over = True
            return hashlib.md5(self._data[: self._sent]).digest()
        data = self._data[self._sent : self._sent + self._block_size]
        self._sent += len(data)
        return data

    def acknowledge(self, packet: bytes) -> list[bytes]:
        """What follows it: it holds the number of bytes that have come. Anything else ends the reading."""
        try:
            received = word(packet)
        except WireError:
            self.over = True
            return [hashlib.md5(self._data[: self._sent]).digest()]
        done = self._sent >= len(self._data)
        return [] if done and received < len(self._data) else [self.packet()]


class StubLoader(Commands):
    """Answers one request at a time, and sends what was asked for by READ_FLASH."""

    errors = Errors(
        malformed=StubError.BAD_DATA_LENGTH,
        checksum=StubError.BAD_DATA_CHECKSUM,
        not_begun=StubError.NOT_IN_FLASH_MODE,
        overflow=StubError.TOO_MUCH_DATA,
        range=StubError.FAILED_SPI_OP,
        inflate=StubError.INFLATE,
        inflate_check=StubError.INFLATE,
    )
    erases_ahead = False

    def __init__(self, chip: Chip) -> None:
        super().__init__(chip)
        self._deferred: Callable[[], Error | None] | None = None
        self._failed: Error | None = None
        self._reading: FlashReading | None = None

    def receive(self, request: Request) -> list[bytes]:
        """The reply, and what is done once it was sent."""
        if self._failed is not None:
            failed, self._failed = self._failed, None
            return [Reply(request.op, 0, b"", failed).pack()]
        self.value, self._deferred = 0, None
        answer = self.answer(request)
        if request.op == Op.RUN_USER_CODE:
            return []
        if not isinstance(answer, bytes):
            return [Reply(request.op, 0, b"", StubError.INVALID_COMMAND if answer is None else answer).pack()]
        reply = Reply(request.op, self.value, answer).pack()
        self._failed = self._deferred() if self._deferred else None
        if self._reading:
            return [reply, *self._sent([self._reading.packet()])]
        return [reply] * (SYNC_REPLIES if request.op == Op.SYNC else 1)

    @property
    def is_reading(self) -> bool:
        """The next packet is an acknowledgement, and no request."""
        return self._reading is not None

    def acknowledge(self, packet: bytes) -> list[bytes]:
        """What READ_FLASH sends next."""
        return self._sent(self._reading.acknowledge(packet)) if self._reading else []

    def _sent(self, packets: list[bytes]) -> list[bytes]:
        if self._reading and self._reading.over:
            self._reading = None
        return packets

    def refuse(self, packet: bytes) -> list[bytes]:
        """The reply to a packet that is no request."""
        error = StubError.INVALID_COMMAND if packet[0] else StubError.BAD_DATA_LENGTH
        return [Reply(packet[1], 0, b"", error).pack()]

    def sync(self, request: Request) -> Answer:
        """A value of 0 tells esptool that the stub is running already."""
        exactly("SYNC command", request.data, SYNC_LENGTH)
        return b""

    def spi_attach(self, request: Request) -> Answer:
        return b"" if len(request.data) == SPI_ATTACH_LENGTH else StubError.BAD_DATA_LENGTH

    def spi_set_params(self, request: Request) -> Answer:
        return b"" if len(request.data) == SPI_PARAMETERS else StubError.BAD_DATA_LENGTH

    def flash_data(self, request: Request) -> Answer:
        return self._data(request, deflated=False)

    def flash_defl_data(self, request: Request) -> Answer:
        return self._data(request, deflated=True)

    def _data(self, request: Request, *, deflated: bool) -> Answer:
        block = self.checked_block(request, deflated=deflated)
        if not isinstance(block, bytes):
            return block
        if deflated and self.write is not None and self.write.left == 0 and len(block) > ADLER_LENGTH:
            return StubError.TOO_MUCH_DATA
        self._deferred = lambda: self.program(block)
        return b""

    def flash_end(self, request: Request) -> Answer:
        """0 asks for a reset; else the stub goes on."""
        stay = word(request.data)
        if self.write is None:
            return StubError.NOT_IN_FLASH_MODE
        if self.write.left:
            return StubError.BAD_DATA_LENGTH
        self.write = None
        if not stay:
            self.chip.exit = Exit.REBOOT
        return b""

    def md5(self, request: Request) -> Answer:
        """As 16 bytes."""
        offset, length = two_words(exactly("SPI_FLASH_MD5 command", request.data, MD5_ARGUMENT)[:8])
        if not self.chip.holds(offset, length):
            return StubError.FAILED_SPI_OP
        return hashlib.md5(self.chip.flash.read(offset, length)).digest()

    def erase_flash(self, _: Request) -> Answer:
        self.chip.flash.erase_all()
        return b""

    def erase_region(self, request: Request) -> Answer:
        offset, length = two_words(request.data)
        if offset % SECTOR or length % SECTOR:
            return StubError.BAD_DATA_LENGTH
        if not self.chip.holds(offset, length):
            return StubError.FAILED_SPI_OP
        self.chip.flash.erase(offset, length)
        return b""

    def read_flash(self, request: Request) -> Answer:
        read = FlashRead.parse(request.data)
        self._deferred = lambda: self._start_reading(read)
        return b""

    def _start_reading(self, read: FlashRead) -> Error | None:
        if not 0 < read.block_size <= MAX_READ_BLOCK:
            return StubError.BAD_DATA_LENGTH
        if not self.chip.holds(read.offset, read.length):
            return StubError.FAILED_SPI_OP
        self._reading = FlashReading(self.chip, read)
        return None

    def run_user_code(self, _: Request) -> Answer:
        self.chip.exit = Exit.RUN
        return b""

    table: ClassVar[Mapping[int, Callable[[Any, Request], Answer]]] = {
        **SHARED,
        Op.SYNC: sync,
        Op.SPI_ATTACH: spi_attach,
        Op.SPI_SET_PARAMS: spi_set_params,
        Op.MEM_BEGIN: Commands.mem_begin,
        Op.FLASH_DATA: flash_data,
        Op.FLASH_DEFL_DATA: flash_defl_data,
        Op.FLASH_END: flash_end,
        Op.FLASH_DEFL_END: flash_end,
        Op.SPI_FLASH_MD5: md5,
        Op.ERASE_FLASH: erase_flash,
        Op.ERASE_REGION: erase_region,
        Op.READ_FLASH: read_flash,
        Op.RUN_USER_CODE: run_user_code,
    }
