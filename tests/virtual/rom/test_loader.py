"""A chip that waits for a download, byte by byte and by unmodified esptool."""

import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.virtual.flash import MB, FlashChip
from hil.virtual.rom.chip import Exit
from hil.virtual.rom.loader import Loader
from hil.wire.esp_loader import SYNC_ARGUMENT, Begin, Block, FlashRead, Op, RegisterWrite, Request, checksum
from hil.wire.slip import SlipReader, encode

PURE = settings(deadline=None, derandomize=True, database=None, max_examples=60)
MS = 1_000_000
STUB_AT = 0x4037_8000


def packets(data: bytes) -> list[bytes]:
    return SlipReader(0x10000).feed(data)


def ask(loader: Loader, op: int, data: bytes = b"", check: int = 0, now_ns: int = 0) -> list[bytes]:
    return packets(loader.feed(encode(Request(op, data, check).pack()), now_ns))


def load_stub(loader: Loader) -> list[bytes]:
    ask(loader, Op.MEM_BEGIN, Begin(8, 1, 0x1800, STUB_AT).pack())
    ask(loader, Op.MEM_DATA, Block(0, b"....OHAI").pack(), checksum(b"....OHAI"))
    return ask(loader, Op.MEM_END, struct.pack("<II", 0, STUB_AT))


REQUESTS = st.builds(Request, st.sampled_from(Op) | st.integers(0, 255), st.binary(max_size=40), st.integers(0, 255))


@PURE
@given(st.booleans(), st.lists(st.binary(max_size=60) | REQUESTS.map(lambda each: encode(each.pack())), max_size=8))
def test_no_bytes_break_a_loader(in_stub: bool, chunks: list[bytes]) -> None:
    """Whatever comes, it answers in packets or not at all."""
    loader = Loader(FlashChip(MB))
    if in_stub:
        load_stub(loader)
    for chunk in chunks:
        answer = loader.feed(chunk, 0)
        assert answer == b"" or (answer[0] == 0xC0 and answer[-1] == 0xC0)


def test_the_stub_greets_and_takes_over() -> None:
    """The ROM acknowledges the jump; then replies are the stub's."""
    loader = Loader(FlashChip(MB))
    assert len(ask(loader, Op.SYNC, SYNC_ARGUMENT)[0]) == 12
    reply, greeting = load_stub(loader)
    assert (len(reply), greeting) == (12, b"OHAI")
    assert loader.in_stub
    assert len(ask(loader, Op.SYNC, SYNC_ARGUMENT)[0]) == 10


def test_acknowledgements_of_a_read_are_no_requests() -> None:
    """They are packets of four bytes; the next request is one again."""
    loader = Loader(FlashChip(MB))
    load_stub(loader)
    _, data = ask(loader, Op.READ_FLASH, FlashRead(0, 4, 0x1000, 64).pack())
    assert data == b"\xff" * 4
    (digest,) = packets(loader.feed(encode(struct.pack("<I", 4)), 0))
    assert len(digest) == 16
    assert len(ask(loader, Op.SYNC, SYNC_ARGUMENT)) == 8


def test_a_packet_that_is_no_request_is_refused() -> None:
    """Too short ones are not answered."""
    loader = Loader(FlashChip(MB))
    assert loader.feed(encode(b"short"), 0) == b""
    assert [each.hex() for each in packets(loader.feed(encode(b"\0\x08\xff\xff\0\0\0\0"), 0))] == [
        "010804000000000001050000"
    ]


def test_a_loader_that_was_left_is_silent() -> None:
    """The bytes after the command that left it, too."""
    loader = Loader(FlashChip(MB))
    end, sync = Request(Op.FLASH_END, struct.pack("<I", 1)), Request(Op.SYNC, SYNC_ARGUMENT)
    assert len(packets(loader.feed(encode(end.pack()) + encode(sync.pack()), 0))) == 1
    assert loader.exit is Exit.RUN
    assert loader.feed(encode(sync.pack()), 0) == b""


def test_an_armed_watchdog_bites_in_time() -> None:
    """The sequence of esptool's watchdog reset; 29 ms later the chip resets."""
    loader = Loader(FlashChip(MB))
    for address, value in ((0x6000_80B0, 0x50D8_3AA1), (0x6000_809C, 2000), (0x6000_8098, 0xD000_0102)):
        ask(loader, Op.WRITE_REG, RegisterWrite(address, value).pack(), now_ns=100 * MS)
    assert loader.deadline_ns is not None
    assert 129 * MS < loader.deadline_ns < 130 * MS
    loader.wake(loader.deadline_ns - 1)
    assert loader.exit is None
    loader.wake(loader.deadline_ns)
    assert (loader.exit, loader.deadline_ns) == (Exit.WATCHDOG, None)


def test_the_forcing_bit_outlives_the_loader_until_it_is_cleared() -> None:
    """esptool clears it before it resets the chip."""
    loader = Loader(FlashChip(MB), strapped=False, forced=True)
    assert loader.force_download
    ask(loader, Op.WRITE_REG, RegisterWrite(0x6000_812C, 0, 1).pack())
    assert not loader.force_download


Serve = Callable[[FlashChip], Any]
WAYS = pytest.mark.parametrize("way", [(), ("--no-stub",)], ids=["stub", "rom"])
CONTENTS = os.urandom(9000) + b"\xc0\xdb" * 4000 + bytes(50_001)


@pytest.fixture
def contents(tmp_path: Path) -> str:
    path = tmp_path / "contents"
    path.write_bytes(CONTENTS)
    return str(path)


@pytest.mark.slow
@WAYS
def test_esptool_sees_the_chip(serve: Serve, way: tuple[str, ...]) -> None:
    """Chip, revision, MAC, flash id and size, security information."""
    board = serve(FlashChip(8 * MB))
    told = board.esptool(*way, "flash-id").stdout
    for line in (
        "ESP32-S3 (QFN56) (revision v0.2)",
        "Manufacturer: ef",
        "Device: 4017",
        "Detected flash size: 8MB",
        "Embedded PSRAM 8MB (AP_3v3)",
    ):
        assert line in told
    assert "34:85:18:00:00:01" in board.esptool(*way, "read-mac").stdout
    assert "Chip ID: 9" in board.esptool(*way, "get-security-info").stdout
    assert "34:85:18:00:00:01" in board.esptool(*way, "chip-id").stdout


@pytest.mark.slow
@WAYS
@pytest.mark.parametrize("form", ["--compress", "--no-compress"])
def test_esptool_writes_verifies_and_reads(
    serve: Serve, way: tuple[str, ...], form: str, contents: str, tmp_path: Path
) -> None:
    """Deflated and raw, over old contents, which stay beside it."""
    flash = FlashChip(8 * MB)
    flash.program(0, bytes(MB))
    board = serve(flash)
    assert "Hash of data verified" in board.esptool(*way, "write-flash", form, "0x10000", contents).stdout
    assert flash.read(0x10000, len(CONTENTS)) == CONTENTS
    assert flash.read(0xFFFF, 1) + flash.read(0x30000, 1) == b"\0\0"
    assert "digest matched" in board.esptool(*way, "verify-flash", "0x10000", contents).stdout
    board.esptool(*way, "read-flash", "0x10001", "9001", str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == CONTENTS[1:9002]


@pytest.mark.slow
@WAYS
def test_esptool_notices_a_flash_that_lies(serve: Serve, way: tuple[str, ...], contents: str) -> None:
    """A bit that cannot be set any more is found by the MD5 after writing."""
    flash = FlashChip(8 * MB)
    flash.wear_out(0x10000 + CONTENTS.index(b"\xc0\xdb"), 0x80)
    done = serve(flash).esptool(*way, "write-flash", "0x10000", contents, ok=False)
    assert "MD5 of file does not match data in flash" in done.stdout + done.stderr


@pytest.mark.slow
def test_esptool_erases_a_region_and_all(serve: Serve) -> None:
    """By the stub; the ROM alone erases a region."""
    flash = FlashChip(8 * MB)
    flash.program(0, bytes(0x4000))
    board = serve(flash)
    board.esptool("erase-region", "0x1000", "0x1000")
    board.esptool("--no-stub", "erase-region", "0x3000", "0x1000")
    assert [flash.read(each * 0x1000, 1) for each in range(4)] == [b"\0", b"\xff", b"\0", b"\xff"]
    board.esptool("erase-flash")
    assert flash.read(0, 0x4000) == b"\xff" * 0x4000
    done = board.esptool("--no-stub", "erase-flash", ok=False)
    assert "does not support function erase_flash" in done.stdout + done.stderr


@pytest.mark.slow
def test_esptool_leaves_the_stub_running_or_not(serve: Serve) -> None:
    """A stub that was left is found again; esptool's ordinary way resets it back to the ROM."""
    board = serve(FlashChip(8 * MB))
    board.esptool("--after", "no-reset-stub", "read-mac")
    assert board.loader.in_stub
    assert "Stub flasher is already running" in board.esptool("read-mac").stdout
    assert board.exits == [Exit.REBOOT]


@pytest.mark.slow
def test_esptool_changes_the_baud_rate(serve: Serve, contents: str) -> None:
    """And goes on at the new one."""
    board = serve(FlashChip(8 * MB))
    told = board.esptool("--baud", "921600", "--after", "no-reset-stub", "write-flash", "0", contents).stdout
    assert "Changing baud rate to 921600" in told
    assert board.loader.baud == 921600


@pytest.mark.slow
def test_esptool_runs_what_is_in_flash(serve: Serve) -> None:
    """`esptool run` makes the ROM leave its loader."""
    board = serve(FlashChip(8 * MB))
    board.esptool("--no-stub", "run")
    assert board.exits[0] is Exit.RUN


@pytest.mark.slow
def test_esptool_resets_the_chip_by_its_watchdog(serve: Serve) -> None:
    """Over a line that cannot reset it otherwise, from the stub as from the ROM."""
    board = serve(FlashChip(8 * MB))
    board.esptool("--after", "watchdog-reset", "read-mac")
    board.esptool("--no-stub", "--after", "watchdog-reset", "read-mac")
    assert board.exits == [Exit.WATCHDOG, Exit.WATCHDOG]
