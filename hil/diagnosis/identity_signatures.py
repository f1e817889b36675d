"""What tells one board from another, as a host sees it."""

import ipaddress

from hil.diagnosis.finding import Evidence
from hil.diagnosis.signature import Sides, Signature, seen
from hil.diagnosis.window import ESPRESSIF, Window
from hil.timeline.events import DhcpAck, DhcpRequest, ProfileRead, UsbAttached, UsbSerialNumber


def _boards_share_identity(window: Window) -> Sides | None:
    """Two boards on one host show one serial number, or give the host's interface one address."""
    pairs = (_shared(window, other) for other in window.beside())
    return next((sides for sides in pairs if sides is not None), None)


def _shared(one: Window, other: Window) -> Sides | None:
    shared = [*_shared_serial(one, other), *_shared_mac(one, other)]
    return (shared + _shared_subnet(one, other), []) if shared else None


def _shared_serial(one: Window, other: Window) -> list[Evidence]:
    mine, theirs = _serial_number(one), _serial_number(other)
    if mine is None or theirs is None or mine.serial != theirs.serial:
        return []
    return [
        Evidence(f"board {one.board} shows the serial number {mine.serial}", mine),
        Evidence(f"board {other.board} shows the same serial number", theirs),
    ]


def _serial_number(window: Window) -> UsbSerialNumber | None:
    """Of the board's own device, not of its bridge."""
    attached = window.last(UsbAttached(vid=ESPRESSIF))
    if not isinstance(attached, UsbAttached):
        return None
    said = window.last(UsbSerialNumber(path=attached.path))
    return said if isinstance(said, UsbSerialNumber) else None


def _shared_mac(one: Window, other: Window) -> list[Evidence]:
    mine, theirs = (window.last(DhcpRequest(sender="host")) for window in (one, other))
    if not isinstance(mine, DhcpRequest) or not isinstance(theirs, DhcpRequest):
        return []
    if mine.client_mac != theirs.client_mac:
        return []
    return [
        Evidence(f"board {one.board} gives the host's interface the MAC address {mine.client_mac}", mine),
        Evidence(f"board {other.board} gives it the same MAC address", theirs),
    ]


def _shared_subnet(one: Window, other: Window) -> list[Evidence]:
    subnets = [_subnet(window) for window in (one, other)]
    if None in subnets or subnets[0] != subnets[1]:
        return []
    text = f"the subnet of board {one.board}, and of board {other.board}, is {subnets[0]}"
    return seen(text, other.last(DhcpAck(sender="board"))) or [Evidence(text, other.told(ProfileRead))]


def _subnet(window: Window) -> ipaddress.IPv4Network | None:
    """As the profile says."""
    profile = window.told(ProfileRead)
    if not isinstance(profile, ProfileRead) or not profile.address:
        return None
    return ipaddress.IPv4Network(f"{profile.address}/{profile.prefix}", strict=False)


IDENTITY_SIGNATURES: tuple[Signature, ...] = (
    Signature(
        name="boards-share-identity",
        title="two boards on one host cannot be told apart",
        look=_boards_share_identity,
        cause="serial number and addresses are constants of the firmware, the same on every board. hil tells the "
        "boards apart by their topology paths and keeps each interface in a namespace of its own; a user's host does "
        "neither: it takes one board for the other, and one interface's address and route for the other's.",
        remedy="make the serial number and iMACAddress from the chip's MAC (esp_read_mac); give each board a subnet of "
        "its own where one host is to reach several.",
        source="mcu-apple-bridge main/network_setup.c at 0d5a385; esp_tinyusb Kconfig, TINYUSB_DESC_SERIAL_STRING",
        across_enumerations=True,
    ),
)
"""What can be wrong with a board's identity."""
