"""Descriptors of firmware builds, byte for byte."""

import pytest

from hil.errors import VirtualBoardError
from hil.virtual.usb.descriptors import FirmwareUsb
from hil.wire.usb import Configuration

CONFIGURATION = (
    "0902a00004010 0a032"
    "080b0002020200 00 0904000001 020200 04 0524002001 0524010001 04240206 0524060001 0705810308 0001"
    "0904010002 0a0000 00 0705020240 0000 0705820240 0000"
    "080b0202020d00 00 0904020001 020d00 05 0524001001 0524060203 0d240f06 00000000 ea05 0000 00 06241a0001 01"
    "0705830340 0032 0904030000 0a0001 00 0904030102 0a0001 00 0705840240 0000 0705040240 0000"
)
"""TUD_CONFIG_DESCRIPTOR, TUD_CDC_DESCRIPTOR and TUD_CDC_NCM_DESCRIPTOR expanded, with bit 0 of the capabilities set."""


def test_the_configuration_is_what_the_templates_of_tinyusb_expand_to() -> None:
    """160 bytes: CDC at interfaces 0 and 1, NCM at 2 and 3, remote wakeup, 100 mA."""
    packed = FirmwareUsb.for_chip("7c:df:a1:00:00:01").descriptors().configuration.pack()
    assert packed == bytes.fromhex(CONFIGURATION.replace(" ", ""))
    assert len(packed) == 160
    assert Configuration.parse(packed).attributes == 0xA0


def test_an_older_tinyusb_claims_no_network_capability() -> None:
    """bmNetworkCapabilities is the one byte by which 0.19 and 0.21 differ."""
    old, new = (
        FirmwareUsb.for_chip("7c:df:a1:00:00:01", version).descriptors().configuration.pack()
        for version in ("0.19", "0.21")
    )
    assert [(was, now) for was, now in zip(old, new, strict=True) if was != now] == [(0, 1)]


def test_two_chips_make_two_identities() -> None:
    """Serial number and host address come from the chip's MAC; the board's address is its neighbour."""
    first, second = (FirmwareUsb.for_chip(f"7c:df:a1:00:00:0{number}") for number in (1, 2))
    assert (first.serial, second.serial) == ("7CDFA1000001", "7CDFA1000002")
    assert (first.host_mac, first.board_mac) == ("7e:df:a1:00:00:00", "7e:df:a1:00:00:01")
    assert len({first.host_mac, second.host_mac, first.board_mac, second.board_mac}) == 4


def test_strings_are_indexed_and_cut_as_esp_tinyusb_does() -> None:
    """Index 0 is the language, 6 the MAC in capitals without colons; 31 characters at most; nothing beyond."""
    build = FirmwareUsb(serial="S" * 40, host_mac="02:02:11:22:33:01")
    strings = build.descriptors()
    assert strings.string(0) == bytes.fromhex("04030904")
    assert strings.string(6) == bytes((26, 3)) + "020211223301".encode("utf-16-le")
    assert len(strings.string(3) or b"") == 2 + 2 * 31
    assert strings.string(7) is None


def test_an_unknown_tinyusb_is_refused_by_name() -> None:
    """The message names the field and the choices."""
    build = FirmwareUsb(serial="1", host_mac="02:02:11:22:33:01", tinyusb="0.15")  # type: ignore[arg-type]
    with pytest.raises(VirtualBoardError, match=r"FirmwareUsb.tinyusb is '0.15'; known: '0.19', '0.21'"):
        build.descriptors()
