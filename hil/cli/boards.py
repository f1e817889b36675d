"""``hil boards``: what is attached, as the beginning of a bench.toml."""

import argparse
from typing import TYPE_CHECKING

from hil.device.discovery import ESPRESSIF, Attached, attached

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def add(commands: "Commands") -> None:
    parser = commands.add_parser("boards", help="list what is attached; Espressif boards as a bench.toml to start from")
    parser.set_defaults(run=lambda options: describe(attached()))


def describe(devices: list[Attached]) -> str:
    """A bench.toml with every Espressif device, the others as comments."""
    boards = [device for device in devices if device.vid == ESPRESSIF]
    others = [device for device in devices if device.vid != ESPRESSIF]
    lines = ["[bench]", 'name = "my-bench"']
    for number, device in enumerate(boards):
        lines += ["", f"# {device}", "[[board]]", f'name = "s3-{chr(ord("a") + number)}"', f'usb = "{device.path}"']
    if not boards:
        lines += ["", "# no Espressif device (303a) is attached"]
    if others:
        lines += ["", "# also attached, perhaps a board's UART bridge (console = its path):"]
        lines += [f"#   {device}" for device in others]
    return "\n".join(lines)
