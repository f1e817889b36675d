"""What is burnt into a chip, and the eFuse words that tell it.

Words and bits: ESP32-S3 technical reference manual, chapter "eFuse Controller"; which of them are read: esptool
``targets/esp32s3.py``.
"""

from dataclasses import dataclass

from hil.errors import VirtualBoardError
from hil.wire.addresses import mac_bytes
from hil.wire.esp_image import CHIP_ESP32S3
from hil.wire.esp_loader import SecurityInfo

EFUSE = 0x6000_7000
_BLOCK_1, _BLOCK_2 = EFUSE + 0x44, EFUSE + 0x5C
_SECURE_BOOT, _SECURE_BOOT_ENABLED = EFUSE + 0x38, 1 << 20
_SECURITY_SECURE_BOOT = 1 << 0


@dataclass(frozen=True, slots=True)
class ChipIdentity:
    """One ESP32-S3; the defaults are those of an N8R8 module."""

    mac: str = "34:85:18:00:00:01"
    """Of the station interface; the serial number of the chip's USB devices, too."""
    revision: tuple[int, int] = (0, 2)
    """Major and minor."""
    efuse_revision: tuple[int, int] = (1, 3)
    package: int = 0
    """0: QFN56."""
    flash_in_package: int = 0
    """0: none, 1: 8 MB, 2: 4 MB."""
    psram_in_package: int = 1
    """0: none, 1: 8 MB, 2: 2 MB, 3: 16 MB, 4: 4 MB."""
    psram_vendor: int = 1
    """1: AP Memory, 3.3 V."""
    number: int = CHIP_ESP32S3
    """As in the header of an image; another one is another chip."""
    secure_boot: bool = False

    def __post_init__(self) -> None:
        limits = (("revision", self.revision, (3, 15)), ("efuse_revision", self.efuse_revision, (3, 7)))
        for name, (major, minor), (most_major, most_minor) in limits:
            if not (0 <= major <= most_major and 0 <= minor <= most_minor):
                raise VirtualBoardError(f"chip: {name} is {major}.{minor}; at most {most_major}.{most_minor}")
        for name in ("package", "flash_in_package", "psram_in_package"):
            if not 0 <= getattr(self, name) <= 7:
                raise VirtualBoardError(f"chip: {name} is {getattr(self, name)}; at most 7")
        if not 0 <= self.psram_vendor <= 3:
            raise VirtualBoardError(f"chip: psram_vendor is {self.psram_vendor}; at most 3")

    def efuse_words(self) -> dict[int, int]:
        """Value by address, of the words that are not 0."""
        mac = mac_bytes(self.mac)
        major, minor = self.revision
        words = {
            _BLOCK_1: int.from_bytes(mac[2:]),
            _BLOCK_1 + 0x04: int.from_bytes(mac[:2]),
            _BLOCK_1 + 0x0C: (minor & 7) << 18
            | self.package << 21
            | self.efuse_revision[1] << 24
            | self.flash_in_package << 27,
            _BLOCK_1 + 0x10: (self.psram_in_package & 3) << 3 | self.psram_vendor << 7,
            _BLOCK_1 + 0x14: (self.psram_in_package >> 2) << 19 | (minor >> 3) << 23 | major << 24,
            _BLOCK_2 + 0x10: self.efuse_revision[0],
            _SECURE_BOOT: _SECURE_BOOT_ENABLED * self.secure_boot,
        }
        return {address: word for address, word in words.items() if word}

    @property
    def security(self) -> SecurityInfo:
        """The answer to GET_SECURITY_INFO."""
        return SecurityInfo(flags=_SECURITY_SECURE_BOOT * self.secure_boot, chip_id=self.number)
