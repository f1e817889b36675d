"""Uevents of the kernel and of udev."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.errors import WireError
from hil.wire.uevent import KernelUevent

PURE = settings(deadline=None, derandomize=True, database=None, max_examples=80)
DEVPATH = "/devices/platform/vhci_hcd.0/usb1/1-1"
PROPERTIES = {
    "ACTION": "add",
    "DEVPATH": DEVPATH,
    "SUBSYSTEM": "usb",
    "DEVTYPE": "usb_device",
    "PRODUCT": "303a/4001/100",
}
KERNEL = KernelUevent("add", DEVPATH, PROPERTIES).pack()
KEYS = st.text("ABC_1", min_size=1, max_size=6)
VALUES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0", max_codepoint=0x2FF), max_size=10)


def udev(
    properties: dict[str, str], header_size: int = 40, offset: int = 40, magic: bytes = b"\xfe\xed\xca\xfe"
) -> bytes:
    """A message as udevd sends it, with hashes of a filter that nobody reads."""
    body = b"".join(f"{key}={value}\0".encode() for key, value in properties.items())
    return struct.pack("=8s4sIIIIIII", b"libudev\0", magic, header_size, offset, len(body), 1, 2, 3, 4) + body


@PURE
@given(st.dictionaries(KEYS, VALUES, max_size=6), st.text("abc", min_size=1, max_size=6), VALUES)
def test_a_uevent_survives_the_round_trip(properties: dict[str, str], action: str, path: str) -> None:
    """Values may hold '=' and '@', and need not be ASCII."""
    uevent = KernelUevent(action, "/" + path, properties)
    assert KernelUevent.parse(uevent.pack()) == uevent


@PURE
@given(st.binary(max_size=60), st.integers(0, 60), st.integers(0, 200))
def test_any_bytes_are_a_uevent_or_a_wire_error(noise: bytes, at: int, cut: int) -> None:
    """Random bytes alone, after udev's prefix, and in both kinds of message."""
    cases = [noise, b"libudev\0" + noise, b"libudev\0\xfe\xed\xca\xfe" + noise]
    cases += [whole[:at] + noise + whole[at + len(noise) :][:cut] for whole in (KERNEL, udev(PROPERTIES))]
    for data in cases:
        try:
            KernelUevent.parse(data)
        except WireError:
            continue


def test_a_message_of_the_kernel_is_read() -> None:
    """Header, then properties, each ended by NUL."""
    assert KERNEL.startswith(b"add@/devices/platform/vhci_hcd.0/usb1/1-1\0ACTION=add\0")
    uevent = KernelUevent.parse(KERNEL)
    assert (uevent.action, uevent.devpath, uevent.subsystem) == ("add", DEVPATH, "usb")
    assert uevent.properties == PROPERTIES


def test_a_message_of_udev_is_read() -> None:
    """Its properties alone tell action and path."""
    assert KernelUevent.parse(udev(PROPERTIES)) == KernelUevent("add", DEVPATH, PROPERTIES)


def test_a_uevent_without_subsystem_has_an_empty_one() -> None:
    """Module and driver events of a test may be bare."""
    assert KernelUevent.parse(b"add@/module/x\0").subsystem == ""


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "expected action@/devpath or 'libudev'"),
        (b"add\0", "uevent: 'add'"),
        (b"@/devices/x\0", "uevent: '@/devices/x'"),
        (b"add@devices/x\0", "uevent: 'add@devices/x'"),
        (b"add@/x\0NOVALUE\0", "uevent property 'NOVALUE'"),
        (b"add@/x\0=value\0", "uevent property '=value'"),
        (b"add@/x\0ACTION=remove\0", "its properties say remove@/x"),
        (b"add@/x\0DEVPATH=/y\0", "its properties say add@/y"),
        (b"libudev\0", "udev message header"),
        (udev(PROPERTIES, magic=b"\xca\xfe\xfe\xed"), "magic cafefeed"),
        (udev(PROPERTIES, header_size=8), "header 8"),
        (udev(PROPERTIES, offset=8), r"properties 8\+"),
        (udev(PROPERTIES)[:-1], r"properties 40\+"),
        (udev({"ACTION": "add"}), "no 'DEVPATH' among ACTION"),
    ],
)
def test_a_message_that_breaks_the_format_is_refused(data: bytes, message: str) -> None:
    """Header, offsets, and properties that contradict it."""
    with pytest.raises(WireError, match=message):
        KernelUevent.parse(data)


def test_a_nul_in_a_property_cannot_be_packed() -> None:
    """It would end the property."""
    with pytest.raises(WireError, match="a NUL in a property"):
        KernelUevent("add", "/x", {"A": "b\0c"}).pack()
