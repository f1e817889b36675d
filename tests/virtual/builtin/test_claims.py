"""Claims that outlive a start."""

from hil.virtual.builtin.claims import StaleFlags
from hil.virtual.firmware import Firmware, FirmwareConfig


def test_the_log_of_an_earlier_boot_is_still_there() -> None:
    """Two starts and the mount between them stand in one log, where the right firmware has the last start alone."""
    for config, starts, mounts in ((StaleFlags({}).configure(FirmwareConfig()), 2, 1), (FirmwareConfig(), 1, 0)):
        firmware = Firmware(config=config)
        firmware.boot("POWERON", 0)
        firmware.mounted(600)
        firmware.boot("POWERON", 5000)
        log = firmware.http("GET", "/events", 6000).body
        assert (log.count(b"] BOOT"), log.count(b"] USB_MOUNTED")) == (starts, mounts)
