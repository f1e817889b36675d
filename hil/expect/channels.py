"""Through which channels an event of each class can come: where nothing came at all, its absence says little."""

from typing import Final

from hil.timeline import events as e
from hil.timeline.events import ANY, Event

_BY_CHANNEL: Final[dict[tuple[str, ...], tuple[type[Event], ...]]] = {
    ("uevent",): (
        e.UsbAttached,
        e.UsbSerialNumber,
        e.UsbDetached,
        e.UsbConfigured,
        e.UsbUnconfigured,
        e.TtyAppeared,
        e.TtyVanished,
        e.NetifAppeared,
        e.NetifVanished,
    ),
    ("uevent", "udev"): (e.Uevent,),
    ("sysfs",): (e.UsbSuspended, e.UsbResumed),
    ("usbmon",): (e.UsbControl, e.UsbNotification, e.UsbTransferFailed, e.UsbBulkCount),
    ("netlink",): (e.LinkChanged, e.Carrier, e.AddressSet, e.AddressRemoved),
    ("packet",): (
        e.Frame,
        e.MalformedFrame,
        e.ArpRequest,
        e.ArpReply,
        e.DhcpDiscover,
        e.DhcpOffer,
        e.DhcpRequest,
        e.DhcpAck,
        e.DhcpNak,
        e.DhcpDecline,
        e.DhcpRelease,
        e.DhcpInform,
        e.IcmpEcho,
        e.IpPacket,
    ),
    ("serial", "console"): (e.SerialOpened, e.SerialClosed, e.SerialLine, e.BootMessage, e.BoardPanicked),
    ("serial", "console", "http"): (e.BoardSaid,),
    ("http",): (
        e.BoardFlag,
        e.HttpReply,
        e.HttpFailed,
        e.StreamOpened,
        e.StreamLine,
        e.StreamComment,
        e.StreamClosed,
    ),
    ("persona",): (
        e.LeaseBound,
        e.LeaseLost,
        e.LinkLocalBound,
        e.LinkLocalLost,
        e.PersonaGaveUp,
        e.PersonaNote,
        e.PersonaState,
        e.ReplyDoubted,
    ),
    ("kmsg",): (e.KernelLog, e.EnumerationFailed),
}
_CHANNELS = {kind: channels for channels, kinds in _BY_CHANNEL.items() for kind in kinds}


def channels_of(pattern: Event) -> tuple[str, ...]:
    """The channels that could have shown what ``pattern`` asks for; () where any could."""
    if isinstance(pattern.source, str) and pattern.source is not ANY:
        return (pattern.source,)
    return _CHANNELS.get(type(pattern), ())
