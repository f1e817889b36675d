"""What a reset keeps."""

import pytest

from hil.virtual.soc import Reset
from hil.virtual.straps import Latches, Phy

OF_THE_CORE = (Reset.SOFTWARE, Reset.PANIC, Reset.TASK_WATCHDOG, Reset.BOOT_LOADER, Reset.USB_UART)


@pytest.mark.parametrize("reset", OF_THE_CORE)
def test_a_reset_of_the_core_leaves_bit_straps_and_pins_alone(reset: Reset) -> None:
    """Wherever IO0 is now."""
    latches = Latches(strapped=False, forced=True, phy=Phy.OTG)
    latches.reset(reset, io0_low=True)
    assert latches == Latches(strapped=False, forced=True, phy=Phy.OTG)
    assert latches.download


@pytest.mark.parametrize("reset", [Reset.POWER_ON, Reset.EN, Reset.BROWNOUT, Reset.RTC_WATCHDOG])
@pytest.mark.parametrize("io0_low", [False, True])
def test_a_reset_of_the_rtc_domain_samples_io0_and_forgets_the_rest(reset: Reset, io0_low: bool) -> None:
    """Power-on, EN, and the watchdog that esptool uses for it."""
    latches = Latches(strapped=not io0_low, forced=True, phy=Phy.OTG, requested=True)
    latches.reset(reset, io0_low)
    assert latches == Latches(strapped=io0_low)
    assert latches.download is io0_low


def test_serial_jtag_asks_for_its_own_reset_only() -> None:
    """Its flag leads into the loader, and the next reset of its own without the flag out of it."""
    latches = Latches()
    latches.reset(Reset.USB_UART, io0_low=False, requested=True)
    assert latches.download
    latches.reset(Reset.USB_UART, io0_low=False)
    assert not latches.download
