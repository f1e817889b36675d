"""Packets of the serial loaders."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.errors import WireError
from hil.wire.esp_loader import (
    ROM_STATUS_LENGTH,
    STUB_STATUS_LENGTH,
    SYNC_ARGUMENT,
    Begin,
    Block,
    FlashRead,
    Op,
    RegisterWrite,
    Reply,
    Request,
    RomError,
    SecurityInfo,
    StubError,
    checksum,
    two_words,
    word,
)

PURE = settings(deadline=None, derandomize=True, database=None, max_examples=60)
WORDS = st.integers(0, 0xFFFF_FFFF)
PARSERS: tuple[Callable[[bytes], object], ...] = (
    Request.parse,
    lambda data: Reply.parse(data, ROM_STATUS_LENGTH),
    lambda data: Reply.parse(data, STUB_STATUS_LENGTH),
    Begin.parse,
    Block.parse,
    RegisterWrite.parse_all,
    FlashRead.parse,
    SecurityInfo.parse,
    word,
    two_words,
)


@PURE
@given(st.binary(max_size=64))
def test_any_bytes_are_a_value_or_a_wire_error(data: bytes) -> None:
    """No parser lets anything else out."""
    for parse in PARSERS:
        try:
            parse(data)
        except WireError:
            continue


@PURE
@given(st.builds(Request, st.integers(0, 255), st.binary(max_size=64), WORDS))
def test_a_request_survives_the_round_trip(request_: Request) -> None:
    """Unknown opcodes, too."""
    assert Request.parse(request_.pack()) == request_


@PURE
@given(
    st.integers(0, 255),
    WORDS,
    st.binary(max_size=64),
    st.none() | st.sampled_from(RomError) | st.sampled_from(StubError),
    st.sampled_from([ROM_STATUS_LENGTH, STUB_STATUS_LENGTH]),
)
def test_a_reply_survives_the_round_trip(
    op: int, value: int, data: bytes, error: RomError | StubError | None, status_length: int
) -> None:
    """Whichever loader's errors and status length."""
    reply = Reply(op, value, data, error, status_length)
    assert Reply.parse(reply.pack(), status_length) == reply


@PURE
@given(st.tuples(WORDS, WORDS, WORDS, WORDS), st.none() | st.booleans(), st.binary(max_size=40))
def test_arguments_survive_the_round_trip(
    words: tuple[int, int, int, int], encrypted: bool | None, data: bytes
) -> None:
    """Every argument with fields of its own."""
    a, b, c, d = words
    begin, block, read = Begin(a, b, c, d, encrypted), Block(a, data), FlashRead(a, b, c, d)
    writes = (RegisterWrite(a, b, c, d), RegisterWrite(d, c, b, a))
    assert Begin.parse(begin.pack()) == begin
    assert Block.parse(block.pack()) == block
    assert FlashRead.parse(read.pack()) == read
    assert RegisterWrite.parse_all(b"".join(write.pack() for write in writes)) == writes


@PURE
@given(st.binary(max_size=300))
def test_the_checksum_is_the_exclusive_or_of_all_bytes(data: bytes) -> None:
    """Byte by byte from 0xEF, as the documentation has it."""
    expected = 0xEF
    for byte in data:
        expected ^= byte
    assert checksum(data) == expected


def test_sync_looks_as_it_does_on_the_wire() -> None:
    """The bytes of a trace of esptool: 46 with its delimiters."""
    assert Request(Op.SYNC, SYNC_ARGUMENT).pack().hex() == "0008240000000000" + "07071220" + "55" * 32


def test_a_reply_of_the_rom_looks_as_it_does_on_the_wire() -> None:
    """From a trace of esptool with an ESP32-C3: value 0x20120707 and a status of four bytes."""
    reply = Reply(Op.SYNC, 0x20120707, status_length=ROM_STATUS_LENGTH)
    assert reply.pack().hex() == "010804000707122000000000"
    refused = Reply(Op.READ_REG, 0, b"", RomError.INVALID_MESSAGE, ROM_STATUS_LENGTH)
    assert refused.pack().hex() == "010a04000000000001050000"


def test_errors_of_the_stub_stand_in_the_first_byte() -> None:
    """The ROM's stand in the second, after a 1."""
    assert Reply(Op.FLASH_DATA, error=StubError.BAD_DATA_CHECKSUM).pack()[-2:] == b"\xc1\0"


def test_security_information_is_twenty_bytes() -> None:
    """The chip stands behind the key purposes."""
    packed = SecurityInfo(flags=4, key_purposes=(1, 2, 3, 4, 5, 6, 7)).pack()
    assert packed.hex() == "04000000" + "00" + "01020304050607" + "09000000" + "00000000"
    assert SecurityInfo.parse(packed).key_purposes == (1, 2, 3, 4, 5, 6, 7)


@pytest.mark.parametrize(
    ("parse", "data", "words"),
    [
        (Request.parse, "0108000000000000", "direction 1 at offset 0"),
        (Request.parse, "0008010000000000", "0 bytes, expected 1"),
        (lambda data: Reply.parse(data, 2), "0008020000000000 0000", "direction 0 at offset 0"),
        (lambda data: Reply.parse(data, 4), "0108020000000000 0000", "expected a status of 4"),
        (lambda data: Reply.parse(data, 2), "0108020000000000 0200", "unknown error 02 00"),
        (RegisterWrite.parse_all, "", "0 bytes, expected a multiple of 16"),
        (Block.parse, "02000000" + "00" * 12 + "01", "1 bytes, expected 2"),
        (Begin.parse, "00" * 18, "18 bytes, expected 16"),
    ],
)
def test_what_is_wrong_is_named(parse: Callable[[bytes], object], data: str, words: str) -> None:
    """The value and the place."""
    with pytest.raises(WireError, match=words):
        parse(bytes.fromhex(data))
