"""The chip's own USB devices, over the cable."""

import asyncio

import pytest

from hil.testing.plugged_device import plugged
from hil.virtual.usb.rom_devices import LoaderPort, OtgPort, SerialJtagPort, otg, serial_jtag
from hil.wire.usb import DeviceDescriptor

MAC = "34:85:18:aa:bb:cc"
NOTHING, DTR, RTS, BOTH = (False, False), (True, False), (False, True), (True, True)
INTO_THE_LOADER = (BOTH, DTR, NOTHING, DTR, BOTH, RTS, NOTHING)
"""esptool's USBJTAGSerialReset on a port that Linux has opened with both lines set."""
HARD_RESET = (NOTHING, RTS, NOTHING)


class Told:
    def __init__(self, kind: type[LoaderPort]) -> None:
        self.heard = bytearray()
        self.resets: list[bool] = []
        self.port = kind(self.heard.extend, self.resets.append)

    def lines(self, *states: tuple[bool, bool]) -> list[bool]:
        for dtr, rts in states:
            self.port.on_line_state(dtr, rts)
        return self.resets


def test_serial_jtag_shows_the_descriptors_of_the_chip() -> None:
    """Numbers, strings and the whole configuration, of 0x62 bytes, self-powered, with the JTAG interface."""

    async def scenario() -> None:
        async with plugged(serial_jtag(MAC, Told(SerialJtagPort).port)) as host:
            device = DeviceDescriptor.parse((await host.control(0x80, 6, 0x0100, 0, 18))[1])
            assert (device.vendor, device.product, device.release) == (0x303A, 0x1001, 0x0101)
            _, configuration = await host.control(0x80, 6, 0x0200, 0, 255)
            assert (len(configuration), configuration[4], configuration[7], configuration[8]) == (0x62, 3, 0xC0, 250)
            assert bytes((9, 4, 2, 0, 2, 0xFF, 0xFF, 1, 0)) in configuration
            _, serial = await host.control(0x80, 6, 0x0303, 0x0409, 255)
            assert serial[2:].decode("utf-16-le") == "34:85:18:AA:BB:CC"

    asyncio.run(scenario())


def test_the_otg_device_has_the_number_of_the_chip() -> None:
    """303a:0009."""

    async def scenario() -> None:
        async with plugged(otg(Told(OtgPort).port)) as host:
            device = DeviceDescriptor.parse((await host.control(0x80, 6, 0x0100, 0, 18))[1])
            assert (device.vendor, device.product) == (0x303A, 9)

    asyncio.run(scenario())


@pytest.mark.parametrize("kind", [SerialJtagPort, OtgPort])
def test_bytes_and_lines_reach_the_chip(kind: type[LoaderPort]) -> None:
    """What a host sends on the data endpoint, and its SET_CONTROL_LINE_STATE."""

    async def scenario() -> None:
        told = Told(kind)
        device = serial_jtag(MAC, told.port) if kind is SerialJtagPort else otg(told.port)
        async with plugged(device) as host:
            out = 1 if kind is SerialJtagPort else 2
            await host.submit_out(out, b"\xc0abc\xc0").done()
            for value in (0, 2, 0):
                await host.control(0x21, 0x22, value, 0)
        assert told.heard == b"\xc0abc\xc0"
        assert told.resets == [False]

    asyncio.run(scenario())


def test_a_debugger_is_listened_to() -> None:
    """The JTAG interface takes what it is sent."""

    async def scenario() -> None:
        async with plugged(serial_jtag(MAC, Told(SerialJtagPort).port)) as host:
            assert (await host.submit_out(2, b"\0" * 64).done()).status == 0

    asyncio.run(scenario())


def test_serial_jtag_resets_into_the_loader_and_out_of_it() -> None:
    """DTR sets the flag, RTS alone resets; RTS that stays resets once."""
    assert Told(SerialJtagPort).lines(*INTO_THE_LOADER) == [True]
    assert Told(SerialJtagPort).lines(*HARD_RESET) == [False]
    assert Told(SerialJtagPort).lines(RTS, RTS) == [False]


@pytest.mark.parametrize("kind", [SerialJtagPort, OtgPort])
@pytest.mark.parametrize("states", [(BOTH, NOTHING), (DTR, NOTHING), (NOTHING, BOTH, NOTHING)])
def test_a_port_that_is_opened_and_closed_resets_nothing(
    kind: type[LoaderPort], states: tuple[tuple[bool, bool], ...]
) -> None:
    """Linux sets both lines and clears both."""
    assert Told(kind).lines(*states) == []


def test_the_otg_loader_stays_through_the_classic_reset_and_leaves_at_a_hard_one() -> None:
    """esptool does the first before it connects, as it knows the port for no USB-Serial/JTAG."""
    classic = (NOTHING, BOTH, RTS, DTR, NOTHING)
    assert Told(OtgPort).lines(*classic) == []
    assert Told(OtgPort).lines(*HARD_RESET) == [False]
