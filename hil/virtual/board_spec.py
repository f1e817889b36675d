"""What the control protocol's ``configure`` may say about a board."""

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, Self

from hil.errors import VirtualBoardError
from hil.virtual.core_abi import FirmwareConfig

SUPPLIES = ("bus", "own")
TINYUSB = ("0.19", "0.21")
CHIP_PREFIX = "34:85:18"
"""A prefix that Espressif uses in the MAC of an ESP32-S3."""
BOARD_NAME = r"[a-z0-9][a-z0-9-]{0,30}"
MAX_LAN = len("hil-") + 31


@dataclass(frozen=True, slots=True)
class BoardSpec:
    """One virtual board; every field but ``board`` has a default."""

    board: str
    """Names the namespace ``hil-dev-<board>``."""
    supply: Literal["bus", "own"] = "bus"
    faults: tuple[str, ...] = ()
    tinyusb: Literal["0.19", "0.21"] = "0.21"
    vhci: str = "/sys/devices/platform"
    """Directory that holds ``vhci_hcd.0``."""
    lan: str = ""
    """Namespace that stands for the Wi-Fi side; one of the board's own, ``hil-lan-<board>``, where it is empty."""
    address: str = ""
    """In that namespace; made from the port on the virtual bus where it is empty, so that no two boards share one."""
    chip_mac: str = ""
    """Made from the name where it is empty."""
    drift_ppm: float = 8.0
    http_single_task: bool = False
    firmware: FirmwareConfig = FirmwareConfig()  # noqa: RUF009 - it is frozen
    library: str = ""
    """A build of the firmware core; the reference one where it is empty."""
    flash: str = ""
    """The file that holds the board's flash; the flash ends with the process where it is empty."""

    @classmethod
    def parse(cls, message: Mapping[str, Any]) -> Self:
        """From the fields of a ``configure`` message.

        Raises:
            VirtualBoardError: an unknown field, a field of the wrong type, or a value outside its choices.
        """
        types = {each.name: each.type for each in fields(cls)}
        for key, value in message.items():
            _check(key, value, types)
        values = dict(message)
        if not re.fullmatch(BOARD_NAME, values.get("board", "")):
            raise VirtualBoardError(f"configure: board is {values.get('board')!r}; wanted the form {BOARD_NAME}")
        _choose("supply", values, SUPPLIES)
        _choose("tinyusb", values, TINYUSB)
        values["faults"] = tuple(values.get("faults", ()))
        values["firmware"] = _firmware(values.get("firmware", {}))
        return cls(**values)

    @property
    def mac(self) -> str:
        """Of the chip; two names differ in it with near certainty."""
        if self.chip_mac:
            return self.chip_mac
        return f"{CHIP_PREFIX}:{(zlib.crc32(self.board.encode()) & 0xFFFFFE).to_bytes(3, 'big').hex(':')}"

    @property
    def lan_name(self) -> str:
        return self.lan or f"hil-lan-{self.board}"[:MAX_LAN]

    @property
    def flash_path(self) -> Path | None:
        return Path(self.flash) if self.flash else None

    @property
    def library_path(self) -> Path | None:
        return Path(self.library) if self.library else None


WANTED: dict[str, type | tuple[type, ...]] = {
    "faults": list,
    "drift_ppm": (int, float),
    "http_single_task": bool,
    "firmware": dict,
}
"""Types in JSON of the fields that are not strings."""


def _check(key: str, value: object, types: Mapping[str, object]) -> None:
    if key not in types:
        raise VirtualBoardError(f"configure: unknown field {key!r}; known: {', '.join(types)}")
    wanted = WANTED.get(key, str)
    listed = value if isinstance(value, list) else []
    if not isinstance(value, wanted) or not all(isinstance(each, str) for each in listed):
        raise VirtualBoardError(f"configure: {key} is {value!r}, which has the wrong type")


def _choose(key: str, values: Mapping[str, Any], choices: tuple[str, ...]) -> None:
    if values.get(key, choices[0]) not in choices:
        raise VirtualBoardError(f"configure: {key} is {values[key]!r}; known: {', '.join(map(repr, choices))}")


def _firmware(values: Mapping[str, Any]) -> FirmwareConfig:
    known = [each.name for each in fields(FirmwareConfig)]
    unknown = [key for key in values if key not in known]
    if unknown:
        raise VirtualBoardError(f"configure: firmware has no {unknown[0]!r}; known: {', '.join(known)}")
    return FirmwareConfig(**values)
