"""What the chip makes of each reset."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

import pytest

from hil.errors import VirtualBoardError
from hil.testing.plugged_device import plugged
from hil.virtual.app_build import AppBuild
from hil.virtual.chip import Chip, ChipParts, Mode
from hil.virtual.faults import ArmedFault, Arming, Fault, FaultPort
from hil.virtual.flash import FlashChip
from hil.virtual.points import Injection
from hil.virtual.registry import Application, Registry, furnish
from hil.virtual.rom.identity import ChipIdentity
from hil.virtual.rom.images import flash_files
from hil.virtual.rom.registers import FORCE_DOWNLOAD, OPTION1
from hil.virtual.soc import Reset
from hil.wire.esp_loader import SYNC_ARGUMENT, Op, RegisterWrite, Request
from hil.wire.slip import encode
from tests.virtual.until import until

MAC = "34:85:18:00:00:02"
BAUD = 115_200
SYNC = encode(Request(Op.SYNC, SYNC_ARGUMENT).pack())
CLEAR = encode(Request(Op.WRITE_REG, RegisterWrite(OPTION1, 0, FORCE_DOWNLOAD).pack()).pack())
REBOOT = encode(Request(Op.FLASH_END, bytes(4)).pack())
RUN = encode(Request(Op.FLASH_END, (1).to_bytes(4, "little")).pack())


class Bench:
    """A chip and its surroundings."""

    def __init__(self, *faults: Fault) -> None:
        self.flash, self.registry = FlashChip(), Registry(MAC)
        furnish(self.flash, self.registry.factory)
        self.said = bytearray()
        self.started: list[tuple[str, str]] = []
        self.looks = 0
        self.died: list[VirtualBoardError] = []
        self.injected: list[Injection] = []
        port = FaultPort([ArmedFault(each, "fault", Arming()) for each in faults], self.died.append)
        self.chip = Chip(ChipParts(ChipIdentity(MAC), self.flash, self.registry), port, self)

    def say(self, data: bytes) -> None:
        self.said += data

    def start(self, application: Application, reason: str) -> None:
        self.started.append((application.config.version, reason))

    def stop(self) -> None:
        pass

    def look(self) -> None:
        self.looks += 1

    def inject(self, injection: Injection) -> None:
        self.injected.append(injection)

    def program(self, build: AppBuild) -> None:
        for each in flash_files(build.image()):
            self.flash.erase(each.offset, len(each.data))
            self.flash.program(each.offset, each.data)

    def ask(self, data: bytes) -> bytes:
        """The loader's answer over the UART."""
        self.said.clear()
        self.chip.uart(data, BAUD)
        return bytes(self.said)

    @property
    def product(self) -> int | None:
        """Of the chip's own device, as a host would read it."""
        return None if self.chip.device is None else self.chip.device._default._descriptors.device.product


def run(scenario: Callable[[Bench], Coroutine[Any, Any, None]], *faults: Fault) -> None:
    async def whole() -> None:
        bench = Bench(*faults)
        await scenario(bench)
        bench.chip.power_off()
        assert bench.died == []

    asyncio.run(whole())


def test_a_new_board_runs_the_reference_and_says_what_it_is() -> None:
    """ROM, boot loader, description; no device of the chip's own."""

    async def scenario(bench: Bench) -> None:
        bench.chip.power_on()
        assert bench.started == [("0.1.0", "POWERON")]
        assert (bench.chip.mode, bench.chip.runs, bench.product) == (Mode.APPLICATION, "hil-reference 0.1.0", None)
        await until(lambda: b"app_init: ELF file SHA256:" in bench.said)
        text = bench.said.decode()
        assert text.index("boot:0x8 (SPI_FAST_FLASH_BOOT)") < text.index("boot: Loaded app from partition")
        assert bench.registry.factory.elf_sha256[:9] in text

    run(scenario)


def test_each_image_runs_its_own_build() -> None:
    """After the next reset, and the first build again when it is flashed again."""

    async def scenario(bench: Bench) -> None:
        bench.chip.power_on()
        other = replace(bench.registry.factory, config=replace(bench.registry.factory.config, version="2.0"))
        for build in (other, bench.registry.factory):
            bench.program(build)
            bench.chip.reset(Reset.SOFTWARE)
        assert bench.started == [("0.1.0", "POWERON"), ("2.0", "SW"), ("0.1.0", "SW")]

    run(scenario)


def test_an_application_without_a_build_says_its_description_and_does_nothing() -> None:
    """The reference is not put in its place; the pins stay with USB-Serial/JTAG."""

    async def scenario(bench: Bench) -> None:
        bench.program(AppBuild("0" * 32))
        bench.chip.power_on()
        await until(lambda: b"app_init: Project name:     hil-reference" in bench.said)
        assert bench.started == []
        assert bench.chip.mode is Mode.NO_BUILD
        assert bench.chip.runs == "no virtual build of hil-reference 0.1.0"
        assert bench.product == 0x1001

    run(scenario)


def test_an_erased_flash_starts_the_chip_over_and_over() -> None:
    """By the watchdog, with one device of USB-Serial/JTAG through all of it; what is flashed ends it."""

    async def scenario(bench: Bench) -> None:
        bench.flash.erase_all()
        bench.chip.power_on()
        device = bench.chip.device
        await until(lambda: bench.said.count(b"rst:0x7 (TG0WDT_SYS_RST)") == 2)
        assert (bench.chip.mode, bench.chip.runs) == (Mode.BOOT_LOOP, "invalid header: 0xffffffff")
        assert bench.chip.device is device
        assert bench.product == 0x1001
        bench.program(bench.registry.factory)
        await until(lambda: bench.started)
        assert bench.started == [("0.1.0", "TASK_WDT")]

    run(scenario)


def test_io0_leads_into_the_loader_at_power_on_en_and_the_rtc_watchdog_only() -> None:
    """A reset of the core does not look at it."""

    async def scenario(bench: Bench) -> None:
        bench.chip.power_on()
        bench.chip.io0_low = True
        bench.chip.reset(Reset.SOFTWARE)
        assert bench.chip.mode is Mode.APPLICATION
        for again in (Reset.EN, Reset.RTC_WATCHDOG):
            bench.chip.io0_low = True
            bench.chip.reset(again)
            assert (bench.chip.mode, bench.product) == (Mode.LOADER, 0x1001)
            assert bench.ask(SYNC)
            bench.chip.io0_low = False
            bench.chip.reset(Reset.USB_UART)
            assert bench.chip.mode is Mode.LOADER
            bench.chip.reset(again)
            assert bench.chip.mode is Mode.APPLICATION

    run(scenario)


@pytest.mark.parametrize(("to_serial_jtag", "product"), [(True, 0x1001), (False, 9)])
def test_a_firmware_that_forces_a_download_decides_which_device_comes(to_serial_jtag: bool, product: int) -> None:
    """The pins as it left them; the bit that it set leads there until a host clears it."""

    async def scenario(bench: Bench) -> None:
        bench.chip.power_on()
        bench.chip.pins_to_otg()
        if to_serial_jtag:
            bench.chip.pins_to_serial_jtag()
        bench.chip.force_download(True)
        bench.chip.reset(Reset.SOFTWARE)
        assert (bench.chip.mode, bench.product) == (Mode.LOADER, product)
        bench.chip.reset(Reset.USB_UART)
        assert bench.chip.mode is Mode.LOADER
        assert bench.ask(CLEAR)
        bench.chip.reset(Reset.USB_UART)
        assert bench.chip.mode is Mode.APPLICATION

    run(scenario)


def test_power_ends_a_forced_download() -> None:
    """Whatever was cleared."""

    async def scenario(bench: Bench) -> None:
        bench.chip.power_on()
        bench.chip.force_download(True)
        bench.chip.reset(Reset.SOFTWARE)
        bench.chip.power_off()
        assert (bench.chip.mode, bench.product) == (Mode.OFF, None)
        bench.chip.power_on()
        assert bench.chip.mode is Mode.APPLICATION

    run(scenario)


def test_the_lines_of_serial_jtag_reset_the_chip() -> None:
    """Into the loader and out of it, over one connection, as esptool needs it."""

    async def scenario(bench: Bench) -> None:
        bench.flash.erase_all()
        bench.chip.power_on()
        assert bench.chip.device is not None
        async with plugged(bench.chip.device) as host:
            for value in (3, 1, 0, 1, 3, 2, 0):
                await host.control(0x21, 0x22, value, 0)
            await until(lambda: bench.chip.mode is Mode.LOADER)
            urb = host.submit_in(1, 64)
            await host.submit_out(1, SYNC).done()
            assert (await urb.done()).data.startswith(b"\xc0\x01\x08")
            bench.program(bench.registry.factory)
            for value in (2, 0):
                await host.control(0x21, 0x22, value, 0)
            await until(lambda: bench.started)
            assert bench.started == [("0.1.0", "USB")]

    run(scenario)


def test_the_ways_out_of_the_loader() -> None:
    """A reset of the core leads back where the strap did, running does not; the reply goes first."""

    async def scenario(bench: Bench) -> None:
        bench.chip.io0_low = True
        bench.chip.power_on()
        bench.chip.io0_low = False
        assert bench.ask(REBOOT)
        await until(lambda: b"rst:0x3 (RTC_SW_SYS_RST),boot:0x0" in bench.said)
        assert bench.chip.mode is Mode.LOADER
        assert bench.ask(RUN)
        await until(lambda: bench.started)
        assert bench.chip.mode is Mode.APPLICATION
        await until(lambda: b"2nd stage bootloader" in bench.said)
        assert b"rst:" not in bench.said

    run(scenario)


def test_a_chip_that_is_held_has_no_device_and_waits_for_power() -> None:
    """EN low, then high; power that comes meanwhile counts then."""

    async def scenario(bench: Bench) -> None:
        bench.chip.hold()
        bench.chip.power_on()
        assert (bench.chip.mode, bench.chip.powered) == (Mode.HELD, False)
        bench.chip.release()
        assert bench.chip.mode is Mode.APPLICATION
        bench.chip.hold()
        bench.chip.power_off()
        bench.chip.release()
        assert bench.chip.mode is Mode.OFF

    run(scenario)


class Listens(Fault):
    """Writes down what passes, and swallows what it is told to."""

    def __init__(self) -> None:
        super().__init__({})
        self.passed: list[tuple[str, int]] = []
        self.swallows = False

    def loader_request(self, packet: bytes) -> bytes | None:
        self.passed.append(("request", packet[1]))
        return packet

    def loader_reply(self, packet: bytes) -> bytes | None:
        self.passed.append(("reply", packet[1]))
        return None if self.swallows else packet


def test_a_fault_sees_and_changes_what_the_loader_gets_and_says() -> None:
    """Packet by packet."""
    fault = Listens()

    async def scenario(bench: Bench) -> None:
        bench.chip.io0_low = True
        bench.chip.power_on()
        assert bench.ask(CLEAR)
        assert fault.passed == [("request", Op.WRITE_REG), ("reply", Op.WRITE_REG)]
        fault.swallows = True
        assert bench.ask(CLEAR) == b""

    run(scenario, fault)
