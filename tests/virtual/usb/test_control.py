"""Standard requests, answered as TinyUSB does, over the cable."""

import asyncio
import errno

import pytest

from hil.testing.plugged_device import RecordingApplication, plugged
from hil.testing.usbip_host import UsbipHost
from hil.virtual.usb.descriptors import FirmwareUsb
from hil.virtual.usb.firmware_device import FirmwareDevice

STALL = (-errno.EPIPE, b"")
DONE = (0, b"")
BUILD = FirmwareUsb.for_chip("7c:df:a1:00:00:01")
Request = tuple[int, int, int, int, int | bytes]


def ask(*requests: Request, build: FirmwareUsb = BUILD, configured: bool = True) -> list[tuple[int, bytes]]:
    """The answers of one device to requests, one after the other."""

    async def scenario() -> list[tuple[int, bytes]]:
        device = FirmwareDevice(build, RecordingApplication())
        async with plugged(device, enumerate_it=configured) as host:
            return [await host.control(*request) for request in requests]

    return asyncio.run(scenario())


@pytest.mark.parametrize(
    "request_",
    [
        (0x80, 6, 0x0600, 0, 10),  # device qualifier: full speed only
        (0x80, 6, 0x0700, 0, 9),  # other speed
        (0x80, 6, 0x0F00, 0, 5),  # BOS
        (0x80, 6, 0x0201, 0, 9),  # a second configuration
        (0x80, 6, 0x03EE, 0x0409, 18),  # Microsoft OS string
        (0x80, 6, 0x0307, 0x0409, 255),
        (0x80, 12, 0, 0x82, 2),  # SYNCH_FRAME
        (0x00, 7, 0x0100, 0, b"x"),  # SET_DESCRIPTOR
        (0x00, 3, 2, 0x0100, b""),  # TEST_MODE
        (0x00, 9, 2, 0, b""),  # no such configuration
        (0xC0, 1, 0, 0, 8),  # vendor
        (0x81, 0, 0, 0, 2),  # GET_STATUS(interface): TinyUSB stalls it
        (0x81, 10, 0, 9, 1),  # no such interface
        (0x82, 0, 0, 0x89, 2),  # no such endpoint
        (0x02, 3, 0, 0, b""),  # halt endpoint 0
        (0xA1, 0x55, 0, 0, 8),
        (0xA1, 0x55, 0, 2, 8),
        (0xA2, 0x21, 0, 0x89, 7),
    ],
)
def test_what_the_device_does_not_know_is_stalled(request_: Request) -> None:
    """Unknown descriptors, features, interfaces, endpoints and requests are answered by STALL (-EPIPE)."""
    assert ask(request_) == [STALL]


def test_configuration_and_interfaces_can_be_read_back() -> None:
    """GET_CONFIGURATION, GET_INTERFACE and SET_INTERFACE; an interface without settings acknowledges any of them."""
    answers = ask(
        (0x80, 8, 0, 0, 1),
        (0x01, 11, 1, 3, b""),
        (0x81, 10, 0, 3, 1),
        (0x81, 10, 0, 1, 1),
        (0x01, 11, 1, 1, b""),
        (0x01, 11, 2, 3, b""),
        (0x81, 10, 0, 3, 1),
    )
    assert answers == [(0, b"\1"), DONE, (0, b"\1"), (0, b"\0"), DONE, DONE, (0, b"\1")]


def test_class_requests_need_a_configuration() -> None:
    """Before SET_CONFIGURATION no class driver is there to answer."""
    assert ask((0xA1, 0x21, 0, 0, 7), (0x80, 8, 0, 0, 1), configured=False) == [STALL, (0, b"\0")]


def test_remote_wakeup_is_armed_and_shown() -> None:
    """SET_FEATURE(DEVICE_REMOTE_WAKEUP) shows in GET_STATUS, CLEAR_FEATURE ends it, leaving the configuration too."""
    status = (0x80, 0, 0, 0, 2)
    answers = ask(
        status, (0, 3, 1, 0, b""), status, (0, 1, 1, 0, b""), status, (0, 3, 1, 0, b""), (0, 9, 0, 0, b""), status
    )
    assert [data for _, data in answers if data] == [b"\0\0", b"\2\0", b"\0\0", b"\0\0"]


def test_a_self_powered_build_says_so_once_configured() -> None:
    """Bit 0 of GET_STATUS(device) follows bmAttributes."""
    build = FirmwareUsb(serial="1", host_mac="02:02:11:22:33:01", self_powered=True)
    assert ask((0x80, 0, 0, 0, 2), build=build) == [(0, b"\1\0")]


def test_the_same_configuration_again_changes_nothing() -> None:
    """SET_CONFIGURATION to the current value keeps class state: the alternate setting survives."""
    answers = ask((0x01, 11, 1, 3, b""), (0x00, 9, 1, 0, b""), (0x81, 10, 0, 3, 1))
    assert answers == [DONE, DONE, (0, b"\1")]


def test_an_answer_is_never_longer_than_asked() -> None:
    """wLength cuts a descriptor; the transfer buffer does so too."""
    [(status, data)] = ask((0x80, 6, 0x0100, 0, 8))
    assert (status, len(data)) == (0, 8)


def test_set_address_from_another_host_than_vhci_is_acknowledged() -> None:
    """vhci_hcd answers SET_ADDRESS itself; usbip hosts that pass it on get their status stage."""

    async def scenario() -> None:
        device = FirmwareDevice(BUILD, RecordingApplication())
        async with plugged(device, enumerate_it=False) as host:
            await host.control(0x80, 6, 0x0100, 0, 64)
            assert await _state_after(host, device, (0, 5, 7, 0, b"")) == "address"
            assert await _state_after(host, device, (0, 9, 1, 0, b"")) == "configured"
            assert await _state_after(host, device, (0, 9, 0, 0, b"")) == "address"

    asyncio.run(scenario())


async def _state_after(host: UsbipHost, device: FirmwareDevice, request: Request) -> str:
    assert await host.control(*request) == DONE
    return device.state
