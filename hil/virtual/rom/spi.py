"""The SPI1 controller, as far as a host drives it through WRITE_REG and READ_REG to talk to the flash.

Registers and bits: ESP32-S3 technical reference manual, chapter "SPI Controller" (``SPI_MEM_*``), and esptool
``loader.py``, ``run_spiflash_command``. Flash commands: Winbond W25Q64JV data sheet, JEDEC JESD216 for SFDP.
"""

from collections.abc import Callable

from hil.virtual.flash import FlashChip

SPI1 = 0x6000_2000
SPAN = 0x100
CMD, ADDR, USER, USER2, MISO_LENGTH, W0 = (SPI1 + each for each in (0x00, 0x04, 0x18, 0x20, 0x28, 0x58))
USER_COMMAND = 1 << 18
"""In CMD: go; reads 0 again once the flash has answered."""
USER_MISO = 1 << 28
"""In USER: there is an answer to read."""

RDSR, RDSR2, RDSR3 = 0x05, 0x35, 0x15
WRITE_ENABLE, WRITE_DISABLE, VOLATILE_WRITE_ENABLE = 0x06, 0x04, 0x50
RDID, RDSFDP, RELEASE_POWER_DOWN = 0x9F, 0x5A, 0xAB
CHIP_ERASE = (0x60, 0xC7)
_WRITE_ENABLED = 1 << 1


def _sfdp(flash: FlashChip) -> bytes:
    """Signature, revision 1.6, and one basic parameter table whose second word is the density in bits - 1."""
    header = b"SFDP" + bytes([6, 1, 0, 0xFF])
    parameter = bytes([0, 6, 1, 16, 0x30, 0, 0, 0xFF])
    table = bytes.fromhex("e520f1ff") + (flash.size * 8 - 1).to_bytes(4, "little")
    return (header + parameter).ljust(0x30, b"\xff") + table.ljust(64, b"\xff")


class SpiController:
    """Runs one flash command when CMD is told to.

    Args:
        flash: at the controller's pins.
    """

    def __init__(self, flash: FlashChip) -> None:
        self._flash = flash
        self._registers: dict[int, int] = {}
        self._sfdp = _sfdp(flash)
        self._write_enabled = False
        self._answers: dict[int, Callable[[int], bytes]] = {
            RDID: lambda _: flash.jedec_id.to_bytes(3, "little"),
            RDSFDP: lambda address: self._sfdp[address & 0xFF_FFFF :][:4],
            RDSR: lambda _: bytes([_WRITE_ENABLED if self._write_enabled else 0]),
            RDSR2: lambda _: b"\0",
            RDSR3: lambda _: b"\0",
            RELEASE_POWER_DOWN: lambda _: b"\x16",
        }

    def read(self, address: int) -> int:
        return self._registers.get(address, 0)

    def write(self, address: int, value: int) -> None:
        self._registers[address] = value
        if address == CMD and value & USER_COMMAND:
            self._run()
            self._registers[CMD] = value & ~USER_COMMAND

    def _run(self) -> None:
        command = self.read(USER2) & 0xFF
        if command in (WRITE_ENABLE, VOLATILE_WRITE_ENABLE, WRITE_DISABLE):
            self._write_enabled = command != WRITE_DISABLE
        elif command in CHIP_ERASE and self._write_enabled:
            self._flash.erase_all()
            self._write_enabled = False
        if self.read(USER) & USER_MISO:
            bits = min(self.read(MISO_LENGTH) + 1, 32)
            answer = self._answers[command](self.read(ADDR)) if command in self._answers else b""
            self._registers[W0] = int.from_bytes(answer.ljust(4, b"\xff"), "little") & (1 << bits) - 1
