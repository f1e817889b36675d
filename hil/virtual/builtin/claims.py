"""Faults of what the board says of itself."""

from dataclasses import replace

from hil.virtual.faults import Fault
from hil.virtual.firmware import FirmwareConfig

LATE_MS = 4000
"""From the network interface's begin to its being ready: a host asks some times in it."""


class StaleFlags(Fault):
    """The event log and its flags outlive a reset: what an earlier boot has reached, this one claims too.

    Source: mcu-apple-bridge never clears them but by a reboot, so on a board with its own supply they outlive the
    cable (``main/event_log.c`` at 0d5a385); kept in memory that a reset leaves alone they outlive that as well.

    Finding: the board says that it heard DHCP of a host that has not asked in this cycle.
    """

    name = "stale-flags"

    def configure(self, config: FirmwareConfig) -> FirmwareConfig:
        return replace(config, events_survive_boot=1)


class DhcpToldByPort(Fault):
    """All that a client sends is told as DISCOVER and all that a server sends as OFFER, whatever option 53 says.

    Source: mcu-apple-bridge looks at the UDP ports alone, and records neither a REQUEST nor an ACK nor an address that
    was given (``main/network_setup.c`` at 0d5a385).

    Finding: an ACK is on the wire, and the board tells of more OFFERs than there were and of no ACK.
    """

    name = "dhcp-told-by-port"

    def configure(self, config: FirmwareConfig) -> FirmwareConfig:
        return replace(config, dhcp_told_by_port=1)


class FirstsLatched(Fault):
    """FIRST_RX and FIRST_TX are told once; a mount that no unmount came before does not make them new.

    Source: mcu-apple-bridge clears its latches in ``tud_umount_cb`` alone, which a pulled cable does not call where
    VBUS is not sensed (``main/network_setup.c`` at 0d5a385; ESP-IDF ``components/usb/usb_phy.c``).

    Finding: the board tells of a mount, and of DHCP after it, and of no first frame in between.
    """

    name = "firsts-latched"

    def configure(self, config: FirmwareConfig) -> FirmwareConfig:
        return replace(config, firsts_latched=1)


class DiscardedFramesClaimed(Fault):
    """Questions that come before the IP stack is ready are thrown away, and told as heard.

    Source: mcu-apple-bridge records a DISCOVER before the stack has taken the frame (``main/network_setup.c`` at
    0d5a385); ``esp_netif_receive`` returns ESP_OK for frames that it drops where
    CONFIG_ESP_NETIF_RECEIVE_REPORT_ERRORS is off, as in ESP32S3_firmware 77a36dc.

    Finding: the board says that it heard the host before it says that its stack is ready, and gave no answer.
    """

    name = "discarded-frames-claimed"

    def configure(self, config: FirmwareConfig) -> FirmwareConfig:
        return replace(config, drops_claimed=1, link_ignores_stack=1, netif_start_ms=LATE_MS)


class DropsUntold(Fault):
    """A frame that the board cannot send, as it is not mounted or its link is down, is neither counted nor logged.

    Source: the send path of mcu-apple-bridge returns ESP_OK for it (``main/network_setup.c`` at 0d5a385).

    Finding: the board had something to say while it was not configured, and its count of dropped frames stands still.
    """

    name = "drops-untold"

    def configure(self, config: FirmwareConfig) -> FirmwareConfig:
        return replace(config, drops_untold=1)


CLAIM_FAULTS: tuple[type[Fault], ...] = (
    StaleFlags,
    DhcpToldByPort,
    FirstsLatched,
    DiscardedFramesClaimed,
    DropsUntold,
)
