"""SETUP packets and descriptors."""

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.errors import WireError
from hil.wire import usb
from hil.wire.usb import (
    ClassSpecific,
    Configuration,
    DeviceDescriptor,
    Endpoint,
    Interface,
    InterfaceAssociation,
    SetupPacket,
)

PURE = settings(deadline=None, derandomize=True, database=None, max_examples=60)
U8, U16 = st.integers(0, 255), st.integers(0, 0xFFFF)
PARTS = st.lists(st.builds(ClassSpecific, U8, st.binary(max_size=8), st.sampled_from([0x24, 0x25, 9])), max_size=2).map(
    tuple
)
ENDPOINTS = st.lists(
    st.builds(Endpoint, U8, U8, U16, U8, PARTS, st.sampled_from([b"", b"\0\0"])),
    max_size=3,
    unique_by=lambda made: made.address,
).map(tuple)


@st.composite
def configurations(draw: st.DrawFn) -> Configuration:
    """Functions of one interface or an association of up to three, each with up to two alternate settings."""
    functions: list[InterfaceAssociation | Interface] = []
    number = 0
    for _ in range(draw(st.integers(0, 3))):
        count = draw(st.integers(0, 3))
        group = []
        for at in range(number, number + max(count, 1)):
            settings_of_it = range(draw(st.integers(1, 2))) if count else range(1)
            group += [
                Interface(at, *draw(st.tuples(U8, U8, U8)), alt, draw(U8), draw(PARTS), draw(ENDPOINTS))
                for alt in settings_of_it
            ]
        functions.append(
            InterfaceAssociation(*draw(st.tuples(U8, U8, U8)), tuple(group), draw(U8)) if count else group[0]
        )
        number += max(count, 1)
    return Configuration(tuple(functions), draw(U8), draw(U8), draw(U8), draw(U8) * 2, draw(PARTS))


NCM_AND_ACM = Configuration(
    (
        InterfaceAssociation(
            2,
            13,
            0,
            (
                Interface(
                    0,
                    2,
                    13,
                    string=4,
                    functional=(
                        ClassSpecific(0x00, b"\x10\x01"),
                        ClassSpecific(0x06, b"\x00\x01"),
                        ClassSpecific(0x0F, b"\x05\0\0\0\0\xea\x05\0\0\0"),
                        ClassSpecific(0x1A, b"\x00\x01\x00"),
                    ),
                    endpoints=(Endpoint(0x81, 3, 64, 50),),
                ),
                Interface(1, 10, 0, 1),
                Interface(1, 10, 0, 1, 1, endpoints=(Endpoint(0x82, 2, 64), Endpoint(0x02, 2, 64))),
            ),
        ),
        Interface(2, 10, endpoints=(Endpoint(0x04, 2, 64), Endpoint(0x84, 2, 64))),
    )
)
PACKED = NCM_AND_ACM.pack()


@PURE
@given(configurations())
def test_a_configuration_survives_the_round_trip(configuration: Configuration) -> None:
    """The tree, with everything that hangs below interfaces and endpoints."""
    assert Configuration.parse(configuration.pack()) == configuration


@PURE
@given(
    st.one_of(configurations().map(Configuration.pack), st.just(PACKED)), st.integers(0, 400), U8, st.integers(0, 400)
)
def test_a_damaged_configuration_is_a_tree_or_a_wire_error(data: bytes, at: int, value: int, cut: int) -> None:
    """One byte changed, and any prefix; what parses packs to the same bytes."""
    damaged = bytearray(data)
    damaged[at % len(damaged)] = value
    for case in (bytes(damaged), data[:cut]):
        try:
            configuration = Configuration.parse(case)
        except WireError:
            continue
        assert configuration.pack() == case


@PURE
@given(st.binary(max_size=60))
def test_any_bytes_are_a_configuration_or_a_wire_error(data: bytes) -> None:
    """Random descriptors after a header that tells the right total length."""
    total = (9 + len(data)).to_bytes(2, "little")
    for case in (data, b"\x09\x02" + total + b"\x01\x01\x00\xa0\x32" + data):
        try:
            list(usb.walk(case))
        except WireError:
            continue


def test_counts_and_lengths_are_filled_in() -> None:
    """wTotalLength, bNumInterfaces, bFirstInterface, bInterfaceCount and bNumEndpoints."""
    assert PACKED[:9] == bytes((9, 2, len(PACKED), 0, 3, 1, 0, 0xA0, 50))
    assert PACKED[9:17] == bytes((8, 11, 0, 2, 2, 13, 0, 0))
    assert PACKED[17:26] == bytes((9, 4, 0, 0, 1, 2, 13, 0, 4))
    assert PACKED.endswith(bytes((9, 4, 2, 0, 2, 10, 0, 0, 0, 7, 5, 4, 2, 64, 0, 0, 7, 5, 0x84, 2, 64, 0, 0)))


def test_walk_yields_every_descriptor_in_wire_order() -> None:
    """Each packs to a beginning of the rest, so none is left out."""
    at = 0
    for descriptor in usb.walk(PACKED):
        assert PACKED[at:].startswith(descriptor.pack()[: PACKED[at]])
        at += PACKED[at]
    assert at == len(PACKED)
    kinds = [type(descriptor).__name__ for descriptor in usb.walk(PACKED)]
    assert kinds[:3] == ["Configuration", "InterfaceAssociation", "Interface"]
    assert kinds.count("Endpoint") == 5


def test_interfaces_are_found_through_associations() -> None:
    """Every alternate setting, with its own endpoints."""
    found = [(part.number, part.alternate, len(part.endpoints)) for part in Configuration.parse(PACKED).interfaces]
    assert found == [(0, 0, 1), (1, 0, 0), (1, 1, 2), (2, 0, 2)]


@pytest.mark.parametrize(
    ("at", "value", "message"),
    [
        (0, 8, "length 8 type 2"),
        (1, 4, "length 9 type 4"),
        (2, 0, "wTotalLength 0"),
        (4, 2, r"bNumInterfaces 2, but interfaces \[0, 1, 2\]"),
        (9, 1, "length 1 of"),
        (9, 0, "length 0 of"),
        (10, 0, "has type 0"),
        (10, 1, "type 1 out of place"),
        (12, 4, "4 interfaces from 0 do not follow it"),
        (12, 0, "0 interfaces from 0 do not follow it"),
        (21, 2, r"interface 0.0: bNumEndpoints 2, but endpoints \['0x81'\]"),
        (len(PACKED) - 7, 8, "length 8 of"),
        (len(PACKED) - 5, 4, r"bNumEndpoints 2, but endpoints \['0x04', '0x04'\]"),
    ],
)
def test_a_wrong_length_count_or_nesting_is_refused(at: int, value: int, message: str) -> None:
    """The message names what contradicts what."""
    data = bytearray(PACKED)
    data[at] = value
    with pytest.raises(WireError, match=message):
        list(usb.walk(bytes(data)))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("0804000000020000", "interface descriptor: 8 bytes, expected 9"),
        ("0904000001020000 00 060581034000", "endpoint descriptor: 7 bytes needed"),
        ("070581034000 32", "type 5 out of place"),
        ("0904000000020000 00 0224", "at least 3 bytes"),
        ("0904000000020000 00 09", "length 9 of 19"),
    ],
)
def test_a_descriptor_of_a_wrong_size_or_place_is_refused(body: str, message: str) -> None:
    """After a header that tells the right total length and one interface."""
    data = bytes.fromhex(body)
    with pytest.raises(WireError, match=message):
        Configuration.parse(bytes((9, 2, 9 + len(data), 0, 1, 1, 0, 0xA0, 50)) + data)


def test_an_alternate_setting_that_comes_twice_is_refused() -> None:
    """The same interface number and alternate setting."""
    with pytest.raises(WireError, match=r"comes twice: \[\(0, 0\), \(0, 0\)\]"):
        Configuration.parse(Configuration((Interface(0, 2), Interface(0, 2))).pack())


@pytest.mark.parametrize("numbers", [(), (0, 2)])
def test_an_association_of_no_run_of_interfaces_is_refused(numbers: tuple[int, ...]) -> None:
    """It can only say the first number and a count."""
    with pytest.raises(WireError, match="one contiguous run"):
        InterfaceAssociation(2, 2, 0, tuple(Interface(number, 2) for number in numbers)).pack()


def test_a_class_specific_descriptor_over_255_bytes_is_refused() -> None:
    """Its length is one byte."""
    assert len(ClassSpecific(0, bytes(252)).pack()) == 255
    with pytest.raises(WireError, match="does not fit 255 bytes"):
        ClassSpecific(0, bytes(253)).pack()


DEVICE = DeviceDescriptor(0x303A, 0x4001)


def test_a_device_descriptor_has_the_bytes_of_the_specification() -> None:
    """USB 2.0 table 9-8, as esp_tinyusb fills it for a composite device."""
    assert DEVICE.pack() == bytes.fromhex("1201 0002 ef0201 40 3a30 0140 0001 010203 01")


@PURE
@given(st.builds(DeviceDescriptor, *[U16] * 4, *[U8] * 8))
def test_a_device_descriptor_survives_the_round_trip(device: DeviceDescriptor) -> None:
    """All fields."""
    assert DeviceDescriptor.parse(device.pack()) == device


@pytest.mark.parametrize(
    "data", [b"", DEVICE.pack()[:-1], DEVICE.pack() + b"\0", b"\x11" + DEVICE.pack()[1:], b"\x12\x02" + bytes(16)]
)
def test_a_wrong_device_descriptor_is_refused(data: bytes) -> None:
    """Length, length byte and type."""
    with pytest.raises(WireError, match="device descriptor"):
        DeviceDescriptor.parse(data)


@PURE
@given(st.text(st.characters(exclude_categories=["Cs"], max_codepoint=0x1FFFF), max_size=60))
def test_a_string_survives_the_round_trip(text: str) -> None:
    """Characters outside of the basic plane included."""
    assert usb.parse_string_descriptor(usb.string_descriptor(text)) == text


@PURE
@given(st.binary(max_size=20))
def test_any_bytes_are_a_string_or_a_wire_error(data: bytes) -> None:
    """Random bytes, and random text after a right header."""
    for case in (data, bytes((len(data) + 2, 3)) + data):
        try:
            usb.parse_string_descriptor(case)
        except WireError:
            continue


def test_string_descriptors_have_the_bytes_of_the_specification() -> None:
    """USB 2.0 section 9.6.7; descriptor 0 lists languages."""
    assert usb.string_descriptor("A1") == b"\x06\x03A\x001\x00"
    assert usb.language_descriptor() == b"\x04\x03\x09\x04"
    with pytest.raises(WireError, match="at most 253"):
        usb.string_descriptor("x" * 127)
    with pytest.raises(WireError, match="no UTF-16 form"):
        usb.string_descriptor("\ud800")
    with pytest.raises(WireError, match="16-bit"):
        usb.language_descriptor(65536)


@PURE
@given(st.builds(SetupPacket, U8, U8, U16, U16, U16))
def test_any_setup_packet_survives_the_round_trip_and_has_a_name(setup: SetupPacket) -> None:
    """All eight bytes mean something, and a name is never empty."""
    assert SetupPacket.parse(setup.pack()) == setup
    assert setup.name
    assert setup.is_in == (setup.request_type >= 0x80)


def test_a_setup_packet_of_another_length_is_refused() -> None:
    """It has eight bytes."""
    with pytest.raises(WireError, match="SETUP packet: 7 bytes, expected 8"):
        SetupPacket.parse(bytes(7))


def test_values_are_frozen() -> None:
    """A descriptor can be shared between boards."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        DEVICE.vendor = 1  # type: ignore[misc]
