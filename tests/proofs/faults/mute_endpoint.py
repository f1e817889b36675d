"""A cable fault that looks like `no-link-notification`, under a name that no finding can know."""

from hil.virtual.faults import Fault


class MuteEndpoint(Fault):
    """Swallows everything on the notification endpoints."""

    def notification(self, data: bytes) -> bytes | None:
        return None
