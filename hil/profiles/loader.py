"""How a firmware is brought to leave for the chip's loader, beside ``http.bootloader``."""

from dataclasses import dataclass

from hil.toml_table import Table

IDENTITIES = SERIAL_JTAG, USB_OTG = ("serial-jtag", "usb-otg")
"""303a:1001 and 303a:0009."""


@dataclass(frozen=True, slots=True)
class Loader:
    """'' and False where the firmware has no such way."""

    serial: str = ""
    """A line on its serial port that it obeys, without its end."""
    repl: str = ""
    """It is MicroPython, and this statement leaves for the loader."""
    touch_1200: bool = False
    """Its serial port, set to 1200 baud and closed with DTR low, as the Arduino core for ESP32 has it."""
    lines: bool = False
    """It watches DTR and RTS of its own serial port, as MicroPython does (shared/tinyusb/mp_usbd_cdc.c)."""
    identity: str = ""
    """What comes up, one of :data:`IDENTITIES`; '' where that is not known, and either will do."""


def read_loader(table: Table) -> Loader:
    """The ``[loader]`` table.

    Raises:
        BenchError: a key, a type or a value is wrong.
    """
    loader = Loader(
        serial=table.string("serial", "", pattern=r"[ -~]{1,80}", shape="a line of at most 80 printable characters"),
        repl=table.string("repl", "", pattern=r"[ -~]{1,200}", shape="a statement such as 'machine.bootloader()'"),
        touch_1200=table.boolean("touch_1200", False),
        lines=table.boolean("lines", False),
        identity=table.choice("identity", IDENTITIES) if "identity" in table.names else "",
    )
    table.finish()
    if loader.serial and loader.repl:
        raise table.wrong("serial", "wanted either serial or repl: a REPL takes every line for a statement")
    return loader
