"""Faults that were seen in real firmware, each with its source and the finding it must cause."""

from hil.virtual.builtin.acd import ACD_FAULTS
from hil.virtual.builtin.boot import BOOT_FAULTS
from hil.virtual.builtin.claims import CLAIM_FAULTS
from hil.virtual.builtin.client import CLIENT_FAULTS
from hil.virtual.builtin.dhcp import DHCP_FAULTS
from hil.virtual.builtin.http import HTTP_FAULTS
from hil.virtual.builtin.leaving import LEAVING_FAULTS
from hil.virtual.builtin.link import LINK_FAULTS
from hil.virtual.builtin.loader import LOADER_FAULTS
from hil.virtual.builtin.network import NETWORK_FAULTS
from hil.virtual.builtin.send import SEND_FAULTS
from hil.virtual.builtin.serial import SERIAL_FAULTS
from hil.virtual.builtin.usb import USB_FAULTS
from hil.virtual.faults import Fault

ALL = (
    *BOOT_FAULTS,
    *USB_FAULTS,
    *LINK_FAULTS,
    *DHCP_FAULTS,
    *NETWORK_FAULTS,
    *SEND_FAULTS,
    *SERIAL_FAULTS,
    *HTTP_FAULTS,
    *CLAIM_FAULTS,
    *LOADER_FAULTS,
    *LEAVING_FAULTS,
    *ACD_FAULTS,
    *CLIENT_FAULTS,
)
BUILTIN: dict[str, type[Fault]] = {each.name: each for each in ALL}
"""Every built-in fault by its name; :mod:`hil.catalogue` says what each must cause."""
