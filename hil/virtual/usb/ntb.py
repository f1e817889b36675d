"""NTBs as TinyUSB builds and judges them (``src/class/net/ncm_device.c``, ``ncm.h``).

A block to the host is one of a few buffers, filled in place: header, a pointer table of fixed size, then datagrams,
each padded to a multiple of 4. One buffer is being filled while another is sent and others wait.
"""

from collections import deque
from dataclasses import dataclass, field

from hil.errors import WireError
from hil.wire.ncm import ENTRY, NDP, NDP_CRC, NDP_PLAIN, NTH, NTH_SIGNATURE

BUFFERS = 3
BLOCK_SIZE = 3200
"""CONFIG_TINYUSB_NCM_IN_NTB_BUFFS_COUNT and _BUFF_MAX_SIZE; the same for OUT."""
IN_DATAGRAMS = 8
OUT_DATAGRAMS = 6
"""CFG_TUD_NCM_IN_MAX_DATAGRAMS_PER_NTB and _OUT_."""
ALIGNMENT = 4
TABLE = NDP.size + ENTRY.size * (IN_DATAGRAMS + 1)
SMALLEST = NTH.size + NDP.size + 2 * ENTRY.size


@dataclass(slots=True)
class _Block:
    sequence: int
    entries: list[tuple[int, int]] = field(default_factory=list)
    body: bytearray = field(default_factory=bytearray)

    @property
    def length(self) -> int:
        return NTH.size + TABLE + len(self.body)

    def add(self, datagram: bytes) -> None:
        self.entries.append((self.length, len(datagram)))
        self.body += datagram + bytes(-len(datagram) % ALIGNMENT)

    def pack(self) -> bytes:
        header = NTH.pack(NTH_SIGNATURE, NTH.size, self.sequence, self.length, NTH.size)
        table = NDP.pack(NDP_PLAIN, TABLE, 0) + b"".join(ENTRY.pack(*entry) for entry in self.entries)
        return header + table.ljust(TABLE, b"\0") + self.body


class TransmitBlocks:
    """The buffers of blocks to the host: one filled, some waiting, one in flight, the others free."""

    def __init__(self) -> None:
        self.max_size = BLOCK_SIZE
        """Of a block; the host may lower it (SET_NTB_INPUT_SIZE)."""
        self.max_datagrams = IN_DATAGRAMS
        self.sequence = 0
        self.in_flight = False
        self._filling: _Block | None = None
        self._waiting: deque[_Block] = deque()

    @property
    def free(self) -> int:
        """Buffers that hold nothing."""
        return BUFFERS - len(self._waiting) - (self._filling is not None) - self.in_flight

    @property
    def queued(self) -> int:
        """Datagrams that have not begun to leave."""
        blocks = (*self._waiting, self._filling) if self._filling else tuple(self._waiting)
        return sum(len(block.entries) for block in blocks)

    def make_room(self, size: int) -> bool:
        """Prepare a buffer with room for ``size`` bytes, closing the one being filled; False: none is free."""
        if size > self.max_size - NTH.size - TABLE:
            return False
        if self._filling is not None and self._fits(self._filling, size):
            return True
        if self._filling is not None:
            self._waiting.append(self._filling)
            self._filling = None
        if not self.free:
            return False
        self._filling = _Block(self.sequence)
        self.sequence = (self.sequence + 1) & 0xFFFF
        return True

    def add(self, datagram: bytes) -> None:
        """Into the buffer that :meth:`make_room` prepared."""
        assert self._filling is not None, "make_room comes first"
        self._filling.add(datagram)

    def take(self) -> bytes | None:
        """The next block to send, now in flight; None where there is none or one is in flight already."""
        if self.in_flight:
            return None
        if self._waiting:
            block = self._waiting.popleft()
        elif self._filling is not None and self._filling.entries:
            block, self._filling = self._filling, None
        else:
            return None
        self.in_flight = True
        return block.pack()

    def _fits(self, block: _Block, size: int) -> bool:
        return len(block.entries) < self.max_datagrams and block.length + size + -size % ALIGNMENT <= self.max_size


def parse_received(data: bytes) -> list[bytes]:
    """Datagrams of one block from the host, judged as ``recv_validate_datagram`` does.

    That is laxer than NCM 1.0 about alignment and overlap, and knows neither a second pointer table nor a CRC.

    Raises:
        WireError: TinyUSB would drop the whole block.
    """
    signature, header_length, _, block_length, index = NTH.unpack(data)
    if header_length != NTH.size or signature != NTH_SIGNATURE or len(data) < SMALLEST:
        found = f"signature {signature!r} wHeaderLength {header_length} in {len(data)} bytes"
        raise WireError(f"NTH16: {found}, expected b'NCMH', {NTH.size} and at least {SMALLEST}")
    if block_length > min(len(data), BLOCK_SIZE) or not NTH.size <= index <= len(data) - (SMALLEST - NTH.size):
        found = f"wBlockLength {block_length} wNdpIndex {index}"
        raise WireError(f"NTH16: {found} in a transfer of {len(data)} bytes, at most {BLOCK_SIZE}")
    signature, length, following = NDP.unpack(data, index)
    if length < SMALLEST - NTH.size or signature not in (NDP_PLAIN, NDP_CRC) or following:
        found = f"signature {signature!r} wLength {length} wNextNdpIndex {following}"
        raise WireError(f"NDP16 at {index}: {found}, expected 'NCM0' or 'NCM1', at least 16, and 0")
    return _datagrams(data, index + NDP.size, (length - NDP.size) // ENTRY.size)


def _datagrams(data: bytes, at: int, count: int) -> list[bytes]:
    if any(ENTRY.unpack(data, at + ENTRY.size * (count - 1))):
        raise WireError(f"NDP16: the last of its {count} entries is not zero")
    found = []
    for number in range(count):
        start, size = ENTRY.unpack(data, at + ENTRY.size * number)
        if not start or not size:
            break
        if start + size > len(data):
            raise WireError(f"NDP16 entry {number}: datagram {start}+{size} outside {len(data)} bytes")
        found.append(data[start : start + size])
    return found
