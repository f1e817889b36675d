"""Faults of the send path."""

from hil.virtual.faults import Fault
from hil.virtual.firmware import Command, RemoteWakeup


class SendsRejectedWhileSuspended(Fault):
    """While the bus is suspended every send fails at once, the host is not woken and the frame is lost.

    Source: esp_tinyusb before 2.1.1 asked ``tud_ready()`` (mounted and not suspended) before it sent
    (``tinyusb_net.c``); since then it asks ``tud_mounted()`` (esp-usb 674d05b of 2026-02-17).

    Finding: the board logs ``TX FAILED: ESP_ERR_INVALID_STATE`` and no frame of it is on the wire.
    """

    name = "sends-rejected-while-suspended"

    def may_send(self, suspended: bool) -> str | None:
        return "ESP_ERR_INVALID_STATE" if suspended else None

    def command(self, command: Command) -> Command | None:
        return None if isinstance(command, RemoteWakeup) else command


SEND_FAULTS: tuple[type[Fault], ...] = (SendsRejectedWhileSuspended,)
