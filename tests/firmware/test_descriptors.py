"""The device that the port describes is the one that the virtual board is."""

from pathlib import Path

import pytest

from hil.virtual.usb.descriptors import FirmwareUsb
from tests.firmware.toolchain import CHECKS, FIRMWARE, need, run, sdkconfig

PROGRAM = r"""
#include <stdio.h>
#include "descriptors.h"

static void show(const void *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        printf("%02x", ((const unsigned char *)bytes)[i]);
    }
    printf("\n");
}

int main(void)
{
    static const usb_link_names NAMES = {
        "7CDFA1E0C4B8", "product", "manufacturer", {0x7e, 0xdf, 0xa1, 0xe0, 0xc4, 0xb9}};
    tinyusb_desc_config_t made = {0};
    usb_link_describe(&NAMES, &made);
    show(made.device, sizeof *made.device);
    show(made.full_speed_config, made.full_speed_config[2] + 256u * made.full_speed_config[3]);
    for (int i = 1; i < made.string_count; i++) {
        printf("%s\n", made.string[i]);
    }
    return 0;
}
"""

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("number", "tinyusb"), [(1900, "0.19"), (2100, "0.21")])
def test_port_describes_the_virtual_boards_device(number: int, tinyusb: str, tmp_path: Path) -> None:
    """Device, configuration and strings are the model's for that TinyUSB; bit 0 is claimed from 0.21 on."""
    need("gcc")
    (tmp_path / "sdkconfig.h").write_text(sdkconfig())
    (tmp_path / "show.c").write_text(PROGRAM)
    component = FIRMWARE / "components" / "usb_link"
    places = [word for place in (tmp_path, CHECKS / "stubs", component) for word in ("-I", place)]
    flags = ("-std=gnu11", f"-DTUSB_VERSION_NUMBER={number}", *places)
    run("gcc", *flags, "-o", "show", "show.c", component / "descriptors.c", directory=tmp_path)
    device, configuration, *strings = run(tmp_path / "show", directory=tmp_path).splitlines()
    model = FirmwareUsb.for_chip("7c:df:a1:e0:c4:b8", tinyusb="0.19" if tinyusb == "0.19" else "0.21")
    wanted = model.descriptors()
    limited = FirmwareUsb(serial=model.serial, host_mac=model.host_mac, tinyusb=model.tinyusb, max_power_ma=500)
    assert bytes.fromhex(device) == wanted.device.pack()
    assert bytes.fromhex(configuration) == limited.descriptors().configuration.pack()
    assert strings == ["manufacturer", "product", *wanted.strings[2:3], "Log", "Network", *wanted.strings[5:]]
