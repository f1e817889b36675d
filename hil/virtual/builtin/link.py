"""Faults of the link: what the host is told of it."""

from hil.errors import WireError
from hil.virtual.faults import Fault
from hil.wire.cdc import ConnectionSpeedChange, NetworkConnection, parse_notification


class NoLinkNotification(Fault):
    """The host is never told that the link is up, though the firmware says NCM_LINK_UP.

    Source: TinyUSB keeps its own link flag and ignores a repeated state, so ``tud_network_link_state(true)`` may send
    nothing (``src/class/net/ncm_device.c``, fixed upstream by cf055c237 of 2026-07-08: "host stuck at NO-CARRIER").

    Finding: the board claims NCM_LINK_UP, the host's carrier stays down.
    """

    name = "no-link-notification"

    def notification(self, data: bytes) -> bytes | None:
        try:
            found = parse_notification(data)
        except WireError:
            return data
        return None if isinstance(found, NetworkConnection | ConnectionSpeedChange) else data


LINK_FAULTS: tuple[type[Fault], ...] = (NoLinkNotification,)
