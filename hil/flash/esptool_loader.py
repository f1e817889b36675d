"""A chip in its loader, by way of esptool.

esptool is used as a library, in this process. As a child process it would cost its start again at each flash: 0.1 s on
a desktop, seconds on a small or emulated machine, which is more than comparing an unchanged megabyte takes. What speaks
for a child is answered otherwise:

- A port that hangs: every read and write goes through :class:`~hil.flash.tty_port.TtyPort`, which has a deadline and
  raises hil's own exceptions, so esptool's loops of retries end where hil wants them to.
- ``FatalError``, ``sys.exit``: the functions used here raise, and nothing but :mod:`hil.errors` leaves this module.
- Output: :mod:`hil.flash.esptool_output`.
- The interpreter, which esptool keeps busy: boards are read by the capture process, which has its own.
- The licence: esptool's is GPL-2.0-or-later, and so is hil's.

:func:`warm_up` imports esptool while a board is on its way into its loader.

Used of esptool, in 5.2 as in 5.6: ``detect_chip``, ``run_stub``, ``attach_flash``, ``write_flash``, ``reset_chip``,
``flash_md5sum``, ``read_flash``, and what the chip's class tells.
"""

import re
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from hil.errors import BoardMute, BoardVanished, FlashFailed, FlashRefused, HilError
from hil.flash.build import CHIP_NAMES
from hil.flash.tty_port import ROM_BAUD, TtyPort
from hil.wire.esp_image import CHIP_ESP32S3

CONNECT_ATTEMPTS = 3
"""Each resets the chip, where that is asked for, and sends SYNC five times."""
_RAISED = (RuntimeError, OSError, LookupError, TypeError, ValueError, struct.error, StopIteration)
"""By esptool: its FatalError is a RuntimeError, pyserial's exceptions are OSErrors, and a reply that is too short for
what esptool expects raises whatever its parts raise. Up to 5.2 a second read after one that failed is a bare
StopIteration, of the generator that the first has ended; later ones say :data:`_NO_MORE`."""
_NO_MORE = "No more data to read from the serial port"
_SILENT = (
    "No serial data received",
    "Failed to start stub flasher. There was no response",
    "Serial data stream stopped",
    "Packet content transfer stopped",
    "Timed out",
    _NO_MORE,
)
_OTHER_HASH, _REFUSED = "MD5 of file does not match", "(result was "
"""What esptool says of a digest that differs (cmds.py, write_flash) and of a status that is no success (util.py)."""
_UNKNOWN_CHIP = re.compile(r"Unexpected chip ID value (\w+)")
_NO_CHIP_ID = "Unexpected chip magic value"
"""What esptool says where the chip tells no id, and its older means tells none of those that have no id."""
_BOOT_MODE = re.compile(r"Wrong boot mode detected \((\w+)\)")


@dataclass(frozen=True, slots=True)
class Chip:
    """What the loader tells of the chip that it runs on."""

    name: str
    mac: str
    """Of the eFuses: six pairs of hexadecimal digits with colons."""
    revision: int
    """Major times 100 and minor."""
    flash_bytes: int
    secure_boot: bool
    encrypted: bool
    """Its flash is."""
    secure_download: bool

    def __str__(self) -> str:
        return f"{self.name} v{self.revision // 100}.{self.revision % 100}, {self.mac}"


def warm_up() -> threading.Thread:
    """Import esptool in the background."""
    thread = threading.Thread(target=import_module, args=("esptool",), daemon=True, name="hil-import-esptool")
    thread.start()
    return thread


class EsptoolLoader:
    """A chip that answers; made by :meth:`connect`.

    Every method raises :class:`~hil.errors.BoardVanished`, :class:`~hil.errors.BoardMute` or
    :class:`~hil.errors.FlashFailed` where the board fails.
    """

    def __init__(self, port: TtyPort, esp: Any, heard: Any) -> None:
        self._port = port
        self._esp = esp
        self._heard = heard
        self.chip = Chip("", "", 0, 0, False, False, False)

    @classmethod
    def connect(cls, port: TtyPort, before: str, stub: bool = True, baud: int = ROM_BAUD) -> "EsptoolLoader":
        """Find out what chip is there and have it run esptool's stub.

        Args:
            port: is the loader's until it is closed.
            before: as esptool's ``--before``: 'default-reset' by DTR and RTS, 'no-reset' where it is in its loader.
            stub: False leaves the chip with its ROM, which is slower.
            baud: of a UART, once connected.

        Raises:
            FlashRefused: another chip, or one whose security forbids it.
            BoardMute: no answer.
        """
        from esptool import attach_flash, detect_chip, run_stub  # slow: see warm_up

        from hil.flash.esptool_output import Heard

        loader = cls(port, None, Heard())
        with loader._asking("did not answer SYNC"):
            esp = detect_chip(port, ROM_BAUD, before, False, CONNECT_ATTEMPTS)
        loader._esp = esp
        if getattr(esp, "IMAGE_CHIP_ID", None) != CHIP_ESP32S3:
            raise _other_chip(port, f"{esp.CHIP_NAME}, chip id {getattr(esp, 'IMAGE_CHIP_ID', None)}")
        with loader._asking("did not tell what it is"):
            chip = loader._identify()
        loader.chip = chip
        loader._require_open(chip)
        with loader._asking("did not start esptool's stub, which says OHAI when it runs", "stub"):
            loader._esp = run_stub(esp) if stub else esp
            if baud != ROM_BAUD:
                loader._esp.change_baud(baud)
        with loader._asking("did not give access to its flash"):
            attach_flash(loader._esp)
            loader.chip = loader._with_flash(chip)
        return loader

    def md5(self, offset: int, length: int) -> str:
        """Hash of what the flash holds."""
        with self._asking(f"did not hash {length} bytes at 0x{offset:x}"):
            return str(self._esp.flash_md5sum(offset, length))

    def read(self, offset: int, length: int) -> bytes:
        """What the flash holds."""
        with self._asking(f"did not read {length} bytes at 0x{offset:x}"):
            return bytes(self._esp.read_flash(offset, length))

    def write(self, offset: int, data: bytes, on_part: Callable[[int, int], None]) -> None:
        """Erase the sectors, write, and compare the hash.

        Args:
            offset: of a sector.
            data: as it is; nothing in an image's header is changed.
            on_part: told how many bytes of how many have been sent, compressed.

        Raises:
            FlashFailed: the hash of what the flash then holds is another.
        """
        from esptool import write_flash

        self._heard.on_part = on_part
        try:
            with self._asking(f"did not take {len(data)} bytes at 0x{offset:x}", refused="loader-refused"):
                write_flash(self._esp, [(offset, data)])
        finally:
            self._heard.on_part = lambda done, total: None

    def reset(self, after: str) -> None:
        """As esptool's ``--after``; a device that leaves the bus at that is what was wanted."""
        from esptool import reset_chip

        try:
            with self._asking("did not start over"):
                reset_chip(self._esp, after)
        except BoardVanished:
            return

    @property
    def words(self) -> list[str]:
        """The latest lines of esptool's own output."""
        return list(self._heard.lines)

    def _identify(self) -> Chip:
        esp = self._esp
        security = esp.get_security_info()
        flags = security["parsed_flags"]
        if flags["SECURE_DOWNLOAD_ENABLE"]:
            return Chip(esp.CHIP_NAME, "", 0, 0, flags["SECURE_BOOT_EN"], False, True)
        encrypted = bin(security["flash_crypt_cnt"]).count("1") % 2 == 1
        mac = ":".join(f"{byte:02x}" for byte in esp.read_mac())
        revision = esp.get_chip_revision()
        return Chip(esp.CHIP_NAME, mac, revision, 0, bool(flags["SECURE_BOOT_EN"]), encrypted, False)

    def _with_flash(self, chip: Chip) -> Chip:
        from esptool import detect_flash_size
        from esptool.util import flash_size_bytes

        size = detect_flash_size(self._esp)
        if size is None:
            raise FlashFailed(f"board {self._port.board}: its flash does not tell its size: is it connected?")
        return Chip(chip.name, chip.mac, chip.revision, flash_size_bytes(size), chip.secure_boot, chip.encrypted, False)

    def _require_open(self, chip: Chip) -> None:
        locks = {
            "secure boot is on: an image that is not signed for it would never start": chip.secure_boot,
            "its flash is encrypted: a plain image would never start": chip.encrypted,
            "secure download mode is on: what is in flash cannot be compared or verified": chip.secure_download,
        }
        closed = [reason for reason, on in locks.items() if on]
        if closed:
            raise FlashRefused(f"board {self._port.board}: nothing was written: {'; '.join(closed)}", "security")

    @contextmanager
    def _asking(self, failure: str, silent: str = "", refused: str = "") -> Iterator[None]:
        """Turns what esptool raises into what hil raises, with the reason where no answer came, or one of an error."""
        from hil.flash.esptool_output import heard

        try:
            with heard(self._heard):
                yield
        except HilError:
            raise
        except _RAISED as error:
            raise self._told(error, failure, silent, refused) from error

    def _told(self, error: Exception, failure: str, silent: str, refused: str) -> HilError:
        nameless = _NO_MORE if isinstance(error, StopIteration) else type(error).__name__
        said = next(iter(str(error).splitlines()), "") or nameless
        board, name = self._port.board, self._port.name
        unknown, mode = _UNKNOWN_CHIP.search(said), _BOOT_MODE.search(said)
        if unknown:
            return _other_chip(self._port, f"chip id {unknown[1]}")
        if mode:
            how = f"it runs what is in its flash (boot mode {mode[1]}): is IO0 held low, by the bridge or by hand?"
            return BoardMute(f"board {board} on {name} {failure}: {how}")
        if _NO_CHIP_ID in said:
            how = "it answered SYNC and did not tell its chip id (GET_SECURITY_INFO), as each ESP32-S3 does"
            return BoardMute(f"board {board} on {name}: {how}")
        if any(sign in said for sign in _SILENT):
            return BoardMute(f"board {board} on {name} {failure}: {said}", silent)
        reason = "hash" if _OTHER_HASH in said else refused if _REFUSED in said else ""
        return FlashFailed(f"board {board} on {name} {failure}: {said}", reason)


def _other_chip(port: TtyPort, found: str) -> FlashRefused:
    wanted = f"{CHIP_NAMES[CHIP_ESP32S3]}, chip id {CHIP_ESP32S3}"
    return FlashRefused(
        f"board {port.board}: nothing was written: {port.name} leads to {found}; wanted {wanted}", "other-chip"
    )
