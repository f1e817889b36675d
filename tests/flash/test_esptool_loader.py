"""A chip in its loader, by esptool, over a pseudo-terminal: what it tells, and each way in which it fails."""

import struct
import subprocess
import sys
from collections.abc import Callable

import pytest

from hil.errors import BoardMute, BoardVanished, FlashFailed, FlashRefused
from hil.flash.esptool_loader import EsptoolLoader, warm_up
from hil.flash.esptool_output import Heard
from hil.flash.tty_port import TtyPort
from hil.testing.pty_loader import PtyLoader
from hil.virtual.flash import MB, FlashChip
from hil.virtual.rom.identity import ChipIdentity
from hil.wire.esp_loader import Op, StubError
from hil.wire.slip import SlipReader, encode

Serve = Callable[..., PtyLoader]
Change = Callable[[bytes], bytes | None]

pytestmark = pytest.mark.slow


def port(board: PtyLoader, within_s: float = 20.0) -> TtyPort:
    return TtyPort(board.open(), board.port, "s3-a", within_s)


def packets(change: Change) -> Change:
    """Changes each packet that the chip sends; an empty one is lost, None pulls the cable."""

    def answers(sent: bytes) -> bytes | None:
        changed = [change(packet) for packet in SlipReader(0x10000).feed(sent)]
        return None if None in changed else b"".join(encode(each) for each in changed if each)

    return answers


def replies(op: Op, edit: Callable[[bytes], bytes]) -> Change:
    """Changes the replies to one command."""
    return packets(lambda packet: edit(packet) if packet[:2] == bytes([1, op]) else packet)


def test_a_chip_tells_what_it_is(serve: Serve) -> None:
    """MAC, revision, size of its flash."""
    board = serve(FlashChip(4 * MB), ChipIdentity(mac="34:85:18:aa:00:07"))
    loader = EsptoolLoader.connect(port(board), "no-reset")
    assert (loader.chip.mac, loader.chip.revision, loader.chip.flash_bytes) == ("34:85:18:aa:00:07", 2, 4 * MB)
    assert str(loader.chip) == "ESP32-S3 v0.2, 34:85:18:aa:00:07"
    assert not loader.chip.secure_boot
    assert "Stub flasher running." in loader.words


@pytest.mark.parametrize("stub", [True, False], ids=["stub", "rom"])
def test_it_writes_hashes_and_reads(serve: Serve, stub: bool) -> None:
    """And tells how far it is."""
    board = serve()
    loader = EsptoolLoader.connect(port(board), "no-reset", stub=stub)
    parts: list[tuple[int, int]] = []
    loader.write(0x10000, b"code" * 3000, lambda done, total: parts.append((done, total)))
    assert loader.md5(0x10000, 12000) == loader.md5(0x10000, 12000)
    assert loader.read(0x10004, 8) == b"codecode"
    assert parts[-1][0] == parts[-1][1] > 0
    loader.reset("no-reset")


def test_another_chip_is_refused(serve: Serve) -> None:
    """A known one by its name, one that esptool does not know by its id."""
    for chip_id, named in ((5, "ESP32-C3, chip id 5"), (77, "chip id 77")):
        told = struct.pack("<I", chip_id)
        board = serve(answers=replies(Op.GET_SECURITY_INFO, _with(20, told)))
        with pytest.raises(FlashRefused) as refused:
            EsptoolLoader.connect(port(board), "no-reset")
        assert str(refused.value) == (
            f"board s3-a: nothing was written: {board.port} leads to {named}; wanted ESP32-S3, chip id 9"
        )
        assert refused.value.reason == "other-chip"


def test_a_chip_that_does_not_tell_its_id_is_no_other_chip(serve: Serve) -> None:
    """Its answer may be lost, as of a contact that comes and goes: that is the board's failure, and may be repeated."""
    board = serve(answers=replies(Op.GET_SECURITY_INFO, lambda packet: packet[:8] + bytes((1, 5, 0, 0))))
    with pytest.raises(BoardMute) as mute:
        EsptoolLoader.connect(port(board), "no-reset")
    assert str(mute.value) == (
        f"board s3-a on {board.port}: it answered SYNC and did not tell its chip id (GET_SECURITY_INFO), as each "
        "ESP32-S3 does"
    )
    board = serve(answers=replies(Op.GET_SECURITY_INFO, lambda packet: b""))
    with pytest.raises(BoardMute):
        EsptoolLoader.connect(port(board), "no-reset")


def _with(at: int, put: bytes) -> Callable[[bytes], bytes]:
    return lambda packet: packet[:at] + put + packet[at + len(put) :]


LOCKED = {
    "secure boot": (
        struct.pack("<IB", 1 << 0, 0),
        "secure boot is on: an image that is not signed for it would never start",
    ),
    "encryption": (struct.pack("<IB", 0, 1), "its flash is encrypted: a plain image would never start"),
    "secure download": (
        struct.pack("<IB", 1 << 2, 0),
        "secure download mode is on: what is in flash cannot be compared or verified",
    ),
}


@pytest.mark.parametrize(("info", "text"), LOCKED.values(), ids=LOCKED)
def test_a_chip_that_is_locked_is_refused(serve: Serve, info: bytes, text: str) -> None:
    """Before anything is written, and before the stub is started."""
    board = serve(answers=replies(Op.GET_SECURITY_INFO, _with(8, info)))
    with pytest.raises(FlashRefused) as refused:
        EsptoolLoader.connect(port(board), "no-reset")
    assert str(refused.value) == f"board s3-a: nothing was written: {text}"
    assert refused.value.reason == "security"
    assert not board.erased


def test_a_mute_chip(serve: Serve) -> None:
    """By esptool's own patience, or by the port's deadline, whichever ends first."""
    board = serve(answers=lambda sent: b"")
    with pytest.raises(BoardMute, match=r"^board s3-a: /dev/pts/\d+ was not done within 0.3 s$"):
        EsptoolLoader.connect(port(board, 0.3), "no-reset")


def test_a_chip_that_goes_silent(serve: Serve) -> None:
    """In the middle of it."""
    board = serve(answers=packets(lambda packet: b"" if packet[1] == Op.SPI_FLASH_MD5 else packet))
    loader = EsptoolLoader.connect(port(board), "no-reset")
    with pytest.raises(
        BoardMute, match=r"^board s3-a on /dev/pts/\d+ did not hash 16 bytes at 0x0: Serial data stream"
    ):
        loader.md5(0, 16)


def test_silence_after_a_failed_read_is_silence(serve: Serve) -> None:
    """Whichever way the version of esptool has of saying so; none of them leaves as it is."""

    class Ended:
        def __init__(self, error: Exception) -> None:
            self._error = error

        def flash_md5sum(self, offset: int, length: int) -> str:
            raise self._error

    board = serve()
    for error in (StopIteration(), RuntimeError("No more data to read from the serial port. This can have many")):
        with pytest.raises(
            BoardMute, match=r"^board s3-a on /dev/pts/\d+ did not hash 16 bytes at 0x0: No more data to read from the "
        ):
            EsptoolLoader(port(board), Ended(error), Heard()).md5(0, 16)


def test_a_stub_that_never_greets(serve: Serve) -> None:
    """Without OHAI nothing is flashed."""
    board = serve(answers=packets(lambda packet: b"" if packet == b"OHAI" else packet))
    with pytest.raises(BoardMute, match=r"did not start esptool's stub, which says OHAI when it runs: \w") as mute:
        EsptoolLoader.connect(port(board), "no-reset")
    assert mute.value.reason == "stub"
    assert not board.erased


def test_a_pulled_cable(serve: Serve) -> None:
    """Is told at once: nothing waits for it to come back under the same name."""
    board = serve(answers=packets(lambda packet: None if packet[1] == Op.FLASH_DEFL_DATA else packet))
    loader = EsptoolLoader.connect(port(board), "no-reset")
    with pytest.raises(BoardVanished, match="board s3-a left the bus") as vanished:
        loader.write(0, bytes(range(256)) * 400, lambda done, total: None)
    assert vanished.value.reason == "vanished"


def test_a_loader_that_refuses_a_block(serve: Serve) -> None:
    """By its own status: that of an operation that the flash has not carried out."""
    board = serve(answers=replies(Op.FLASH_DEFL_DATA, _with(8, bytes((StubError.FAILED_SPI_OP, 0)))))
    loader = EsptoolLoader.connect(port(board), "no-reset")
    with pytest.raises(FlashFailed, match=r"did not take 102400 bytes at 0x0: .*result was C400") as failed:
        loader.write(0, bytes(range(256)) * 400, lambda done, total: None)
    assert failed.value.reason == "loader-refused"


def test_a_garbled_reply(serve: Serve) -> None:
    """Is the board's failure and no traceback of esptool's."""
    board = serve(answers=replies(Op.READ_REG, lambda packet: packet[:8]))
    with pytest.raises(FlashFailed, match=r"^board s3-a on /dev/pts/\d+ did not tell what it is|did not answer SYNC"):
        EsptoolLoader.connect(port(board), "no-reset")


def test_flash_that_does_not_keep_what_is_written(serve: Serve) -> None:
    """Is found by the hash."""
    flash = FlashChip(8 * MB)
    flash.wear_out(0x100, 0xFF)
    loader = EsptoolLoader.connect(port(serve(flash)), "no-reset")
    with pytest.raises(
        FlashFailed, match="did not take 102400 bytes at 0x0: MD5 of file does not match data in flash!"
    ) as failed:
        loader.write(0, bytes(range(1, 256)) * 401 + b"x" * 145, lambda done, total: None)
    assert failed.value.reason == "hash"


def test_esptool_is_imported_in_the_background() -> None:
    """And not by importing the flasher."""
    code = "import sys, hil.flash.flasher; assert 'esptool' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
    warm_up().join()
    assert "esptool" in sys.modules
