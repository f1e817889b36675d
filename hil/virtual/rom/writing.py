"""One write to flash, from its BEGIN to its END: raw or deflated, by the ROM or by the stub.

The ROM erases the whole range at BEGIN. The stub erases what lies before the next byte to write, 64 KiB at a time
where a whole block is left, so that what a broken write leaves behind differs (esp-flasher-stub ``command_handler.c``,
``s_init_flash_operation`` and ``s_ensure_flash_erased_to``).
"""

import zlib

from hil.virtual.flash import SECTOR, FlashChip
from hil.wire.esp_loader import Begin

BLOCK = 0x10000


class Inflater:
    """The zlib stream of one deflated write.

    Args:
        size: bytes that it may make.
    """

    def __init__(self, size: int) -> None:
        self._stream = zlib.decompressobj()
        self._left = size

    def feed(self, data: bytes) -> bytes:
        """What ``data`` makes.

        Raises:
            zlib.error: no zlib stream, or its Adler-32 is wrong, or it makes more than it was begun with.
        """
        made = self._stream.decompress(data, self._left + 1)
        if len(made) > self._left:
            raise zlib.error("more data than announced")
        self._left -= len(made)
        return made


class FlashWrite:
    """Where the next byte goes, and what is erased.

    Args:
        flash: holds the whole range.
        begin: the argument of the BEGIN.
        deflated: the blocks are parts of one zlib stream.
        ahead: the whole range is erased at once, as the ROM does it.
    """

    def __init__(self, flash: FlashChip, begin: Begin, *, deflated: bool, ahead: bool) -> None:
        self._flash = flash
        self._next = begin.offset
        self._end = begin.offset + begin.size
        self._erased_to = begin.offset // SECTOR * SECTOR
        self._erase_end = -(-self._end // SECTOR) * SECTOR if begin.size else self._erased_to
        self.inflater = Inflater(begin.size) if deflated else None
        if ahead:
            self._erase_to(self._erase_end)

    @property
    def left(self) -> int:
        """Bytes that BEGIN announced and that have not come."""
        return self._end - self._next

    def add(self, data: bytes) -> None:
        """Programs one block; what goes over the announced end (the padding of the last raw block) is left out.

        Raises:
            zlib.error: of the inflater.
        """
        made = self.inflater.feed(data) if self.inflater else data[: self.left]
        self._erase_to(self._next + len(made))
        self._flash.program(self._next, made)
        self._next += len(made)

    def _erase_to(self, address: int) -> None:
        while self._erased_to < min(address, self._erase_end):
            whole = self._erased_to % BLOCK == 0 and self._erase_end - self._erased_to >= BLOCK
            length = BLOCK if whole else SECTOR
            self._flash.erase(self._erased_to, length)
            self._erased_to += length
