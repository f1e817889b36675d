"""Everything that can happen, one frozen class each.

A class is both the event and the pattern that matches it: a field left out is :data:`ANY`. ``Carrier(up=True)``
in a test matches every carrier event whose ``up`` is true, whenever and wherever it happened; the collector writes
``Carrier(up=True, interface='usb0', t_ns=…, t_err_ns=…, board='s3-a', source='netlink')``.

A field of a pattern may also be a predicate of :mod:`hil.expect.predicates` (``one_of``, ``regex``, ``between``).

The four stamp fields are keyword-only and shared by all:

``t_ns``      CLOCK_MONOTONIC, nanoseconds
``t_err_ns``  the event happened at most this long before or after ``t_ns``
``board``     name of the board in bench.toml, or '' for the bench itself
``source``    the channel that saw it: one of :data:`SOURCES`
"""

from typing import Annotated, Any

from msgspec import Meta, Struct

SOURCES = (
    "action",  # what the test did
    "agent",  # what the agent did on its own account (interface moved, bench restored)
    "serial",  # the board's CDC-ACM port
    "console",  # the board's UART, through a bridge of its own
    "uevent",  # kernel uevents
    "udev",  # udev events, after the rules have run
    "netlink",  # rtnetlink in the board's namespace
    "packet",  # frames on the board's interface
    "usbmon",  # transfers on the board's bus
    "sysfs",  # attributes that have no event of their own, polled
    "http",  # what the board answered
    "kmsg",  # the kernel log
    "persona",  # the host behaviour that ran on the interface
    "harness",  # hil itself
)


class _Any:
    """Stands for a field that a pattern leaves open."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "ANY"

    def __reduce__(self) -> str:
        return "ANY"


ANY: Any = _Any()
STAMP = ("t_ns", "t_err_ns", "board", "source")
REGISTRY: dict[str, type["Event"]] = {}
"""Every event class by its name; the text form of a timeline names events by it."""


class Event(
    Struct,
    frozen=True,
    kw_only=True,
    tag=True,
    tag_field="event",
    omit_defaults=True,
    forbid_unknown_fields=True,
    gc=False,
):
    """Base of all events; as a pattern it matches any.

    A msgspec.Struct: :mod:`hil.timeline.journal` reads and writes a million of them without Python in between, and the
    classes are there in a tenth of the time that dataclasses take. ``msgspec.structs.replace`` makes a changed copy.
    """

    __test__ = False  # TestStarted is no test class, though pytest would take it for one
    t_ns: int = ANY
    t_err_ns: Annotated[int, Meta(ge=0)] = ANY
    board: str = ANY
    source: str = ANY

    def __init_subclass__(cls, **config: Any) -> None:
        REGISTRY[cls.__name__] = cls

    def __repr__(self) -> str:
        shown = ((name, getattr(self, name)) for name in own_fields(type(self)))
        inside = ", ".join(f"{name}={value!r}" for name, value in shown if value is not ANY)
        return f"{type(self).__name__}({inside})"


def own_fields(kind: type[Event]) -> tuple[str, ...]:
    """Names of the fields that ``kind`` adds to the stamp, in order."""
    return kind.__struct_fields__[: -len(STAMP)]


# ---- the test and the bench ---------------------------------------------------------------------


class TestStarted(Event, frozen=True):
    test: str = ANY
    """pytest node id."""


class TestEnded(Event, frozen=True):
    test: str = ANY
    outcome: str = ANY
    """passed, failed, error, skipped or interrupted."""


class BenchOpened(Event, frozen=True):
    bench: str = ANY
    kind: str = ANY
    """real or virtual."""
    detail: str = ANY


class ProfileRead(Event, frozen=True):
    """What a board is said to be, by bench.toml and the profile that it names; '' where they are silent."""

    profile: str = ANY
    address: str = ANY
    """The board's own, on its USB interface."""
    prefix: int = ANY
    pool_first: str = ANY
    """First address that its DHCP server gives."""
    pool_last: str = ANY
    loader: str = ANY
    """What comes up when its firmware is sent to the chip's loader: serial-jtag, usb-otg, or ''."""
    role: str = ANY
    """Of its firmware on its USB interface: dhcp-server, dhcp-client or static."""


class Started(Event, frozen=True):
    """An action was asked for; its end is an :class:`Acted` or :class:`ActionFailed` of the same name."""

    action: str = ANY
    """replug, power_cycle, suspend, resume, reset, http_get, connect …"""
    detail: str = ANY


class Acted(Event, frozen=True):
    """An action took effect at ``t_ns``."""

    action: str = ANY
    sees: str = ANY
    """What the board sees of it: vbus_off, disconnect, reset, bus_reset, reconfigure, suspend, traffic or nothing."""
    detail: str = ANY


class ActionFailed(Event, frozen=True):
    action: str = ANY
    error: str = ANY


class BenchRestored(Event, frozen=True):
    """The agent undid what a client had done."""

    undone: str = ANY


class CaptureGap(Event, frozen=True):
    """A channel lost data; absence of an event in it proves nothing for ``lasted_s``."""

    channel: str = ANY
    reason: str = ANY
    lasted_s: float = ANY


# ---- the USB device as the kernel sees it -------------------------------------------------------


class UsbAttached(Event, frozen=True):
    """Kernel uevent: the device is on the bus and has an address."""

    path: str = ANY
    """Topology path, such as 1-1.2."""
    vid: int = ANY
    pid: int = ANY


class UsbSerialNumber(Event, frozen=True):
    """What the device's iSerialNumber says; told once the kernel has configured it (uevent bind of the device)."""

    path: str = ANY
    serial: str = ANY


class UsbDetached(Event, frozen=True):
    path: str = ANY


class EnumerationFailed(Event, frozen=True):
    """Kernel log: what hangs at a port does not answer as a device does (drivers/usb/core/hub.c)."""

    path: str = ANY
    stage: str = ANY
    """descriptor, address, configuration; enable: the port itself; given_up: the kernel tries no more."""
    error: int = ANY
    """A negative errno: -71 (EPROTO) is a device that answers with noise, -110 (ETIMEDOUT) one that is mute; or 0."""


class UsbConfigured(Event, frozen=True):
    """Kernel uevent: a driver was bound to an interface."""

    path: str = ANY
    interface: int = ANY
    driver: str = ANY


class UsbUnconfigured(Event, frozen=True):
    """Kernel uevent: a driver was unbound from an interface, while the device stays on the bus."""

    path: str = ANY
    interface: int = ANY


class TtyAppeared(Event, frozen=True):
    path: str = ANY
    node: str = ANY
    """/dev/ttyACM0"""


class TtyVanished(Event, frozen=True):
    path: str = ANY
    node: str = ANY


class NetifAppeared(Event, frozen=True):
    path: str = ANY
    interface: str = ANY


class NetifVanished(Event, frozen=True):
    path: str = ANY
    interface: str = ANY


class Uevent(Event, frozen=True):
    """Any uevent of the board's part of the tree that has no class of its own, or udev's later copy of one."""

    action: str = ANY
    subsystem: str = ANY
    devpath: str = ANY
    properties: dict[str, str] = ANY


class UsbSuspended(Event, frozen=True):
    """power/runtime_status became suspended."""

    path: str = ANY


class UsbResumed(Event, frozen=True):
    """power/runtime_status became active after suspended."""

    path: str = ANY


# ---- usbmon -------------------------------------------------------------------------------------


class UsbControl(Event, frozen=True):
    """A control transfer ended."""

    request: str = ANY
    """Its name in the USB or CDC specification, or bmRequestType/bRequest in hex."""
    value: int = ANY
    index: int = ANY
    length: int = ANY
    """wLength."""
    status: int = ANY
    """0, or a negative errno; -32 (EPIPE) is a stall."""
    data: str = ANY
    """Hex of the data stage, at most 64 bytes."""
    took_s: float = ANY
    """From its submission to its end."""


class UsbNotification(Event, frozen=True):
    """A CDC notification arrived on an interrupt endpoint."""

    name: str = ANY
    """NETWORK_CONNECTION, CONNECTION_SPEED_CHANGE or SERIAL_STATE."""
    value: int = ANY
    """NETWORK_CONNECTION: 1 connected, 0 not; SERIAL_STATE: the bitmap; else bits/s downstream."""
    interface: int = ANY


class UsbTransferFailed(Event, frozen=True):
    endpoint: int = ANY
    """Address with the direction bit."""
    status: int = ANY


class UsbBulkCount(Event, frozen=True):
    """Bulk transfers completed since the last count of this endpoint; frames themselves are packet events."""

    endpoint: int = ANY
    transfers: int = ANY
    octets: int = ANY


# ---- the network interface ----------------------------------------------------------------------


class LinkChanged(Event, frozen=True):
    """rtnetlink RTM_NEWLINK: admin state or operstate changed."""

    interface: str = ANY
    up: bool = ANY
    """IFF_UP: administratively up."""
    operstate: str = ANY


class Carrier(Event, frozen=True):
    """rtnetlink: IFF_LOWER_UP changed, or was read for the first time."""

    up: bool = ANY
    interface: str = ANY


class AddressSet(Event, frozen=True):
    address: str = ANY
    prefix: int = ANY
    interface: str = ANY


class AddressRemoved(Event, frozen=True):
    address: str = ANY
    interface: str = ANY


# ---- frames -------------------------------------------------------------------------------------
# sender is 'board' or 'host': who sent the frame, by its direction on the interface.


class Frame(Event, frozen=True):
    """A frame without an event class of its own."""

    sender: str = ANY
    ethertype: int = ANY
    length: int = ANY
    src: str = ANY
    dst: str = ANY
    summary: str = ANY


class MalformedFrame(Event, frozen=True):
    sender: str = ANY
    length: int = ANY
    error: str = ANY


class ArpRequest(Event, frozen=True):
    target_ip: str = ANY
    sender_ip: str = ANY
    """0.0.0.0 in a probe, equal to target_ip in an announcement (RFC 5227)."""
    sender_mac: str = ANY
    sender: str = ANY


class ArpReply(Event, frozen=True):
    sender_ip: str = ANY
    sender_mac: str = ANY
    target_ip: str = ANY
    sender: str = ANY


class DhcpDiscover(Event, frozen=True):
    xid: int = ANY
    client_mac: str = ANY
    options: str = ANY
    """Option 55 as the client sent it: '1,121,3'."""
    requested: str = ANY
    """Option 50, or ''."""
    sender: str = ANY


class DhcpOffer(Event, frozen=True):
    address: str = ANY
    server: str = ANY
    """Option 54, or '' where the server left it out."""
    lease_s: int = ANY
    xid: int = ANY
    client_mac: str = ANY
    sender: str = ANY


class DhcpRequest(Event, frozen=True):
    requested: str = ANY
    """Option 50, else ciaddr."""
    server: str = ANY
    """Option 54, or ''."""
    xid: int = ANY
    client_mac: str = ANY
    options: str = ANY
    sender: str = ANY


class DhcpAck(Event, frozen=True):
    address: str = ANY
    server: str = ANY
    lease_s: int = ANY
    xid: int = ANY
    client_mac: str = ANY
    sender: str = ANY


class DhcpNak(Event, frozen=True):
    server: str = ANY
    xid: int = ANY
    client_mac: str = ANY
    sender: str = ANY


class DhcpDecline(Event, frozen=True):
    requested: str = ANY
    xid: int = ANY
    client_mac: str = ANY
    sender: str = ANY


class DhcpRelease(Event, frozen=True):
    address: str = ANY
    xid: int = ANY
    client_mac: str = ANY
    sender: str = ANY


class DhcpInform(Event, frozen=True):
    address: str = ANY
    xid: int = ANY
    client_mac: str = ANY
    sender: str = ANY


class IcmpEcho(Event, frozen=True):
    """ICMP echo request or reply."""

    reply: bool = ANY
    src: str = ANY
    dst: str = ANY
    ident: int = ANY
    sequence: int = ANY
    sender: str = ANY


class IpPacket(Event, frozen=True):
    """An IPv4 packet that has no event class of its own."""

    protocol: str = ANY
    """tcp, udp, icmp, or the number."""
    src: str = ANY
    sport: int = ANY
    """0 where the protocol has none."""
    dst: str = ANY
    dport: int = ANY
    length: int = ANY
    sender: str = ANY
    flags: str = ANY
    """TCP flags such as 'SA', or ''."""


# ---- what the board says of itself --------------------------------------------------------------


class SerialOpened(Event, frozen=True):
    node: str = ANY
    dtr: bool = ANY


class SerialClosed(Event, frozen=True):
    node: str = ANY
    reason: str = ANY


class SerialLine(Event, frozen=True):
    """One line of log, colour stripped, decoded with replacement; the raw bytes are in a file of their own."""

    text: str = ANY
    offset: int = ANY
    """Of the line's first byte in the raw file."""
    length: int = ANY
    """In raw bytes, line end included."""
    complete: bool = ANY
    """False: no line end came within the limit of time or length."""


class BootMessage(Event, frozen=True):
    """A line printed by the ROM or the second-stage boot loader, recognised."""

    stage: str = ANY
    """rom or bootloader."""
    text: str = ANY
    reset_reason: str = ANY
    """POWERON, SW_CPU, … where the line tells, else ''."""


class BoardPanicked(Event, frozen=True):
    reason: str = ANY
    core: int = ANY
    backtrace: str = ANY


class BoardSaid(Event, frozen=True):
    """A claim of the firmware about itself, named by its profile."""

    name: str = ANY
    """USB_MOUNTED, NCM_LINK_UP, DHCP_OFFER_TX …"""
    detail: str = ANY
    board_ms: int = ANY
    """The board's own clock; -1 where it gave none. ``t_ns`` is mapped from it, ``t_err_ns`` bounds the mapping."""
    via: str = ANY
    """serial, console, events or status."""


class BoardFlag(Event, frozen=True):
    """One flag of /status."""

    name: str = ANY
    value: bool = ANY


# ---- HTTP ---------------------------------------------------------------------------------------


class HttpReply(Event, frozen=True):
    path: str = ANY
    status: int = ANY
    method: str = ANY
    content_type: str = ANY
    body: str = ANY
    """Decoded with replacement, at most 4 KiB; the whole body is an artifact."""
    took_s: float = ANY


class HttpFailed(Event, frozen=True):
    path: str = ANY
    method: str = ANY
    reason: str = ANY
    """refused, timeout, cut, malformed, too-long or unreachable."""
    took_s: float = ANY
    detail: str = ANY


class StreamOpened(Event, frozen=True):
    """The head of the answer to a request for server-sent events (WHATWG HTML, section 9.2)."""

    path: str = ANY
    status: int = ANY
    content_type: str = ANY


class StreamLine(Event, frozen=True):
    """One event of a stream: a line of the board's log."""

    path: str = ANY
    text: str = ANY
    """The event's data; lines in it are parted by LF."""


class StreamComment(Event, frozen=True):
    """A comment in a stream: the greeting, or what keeps it alive."""

    path: str = ANY
    text: str = ANY


class StreamClosed(Event, frozen=True):
    path: str = ANY
    reason: str = ANY
    """released (the test has had enough), ended (by the board, in order), cut or malformed."""
    detail: str = ANY


# ---- the host's own behaviour -------------------------------------------------------------------


class LeaseBound(Event, frozen=True):
    """The persona has set the address of a lease on the interface."""

    address: str = ANY
    server: str = ANY
    lease_s: int = ANY
    persona: str = ANY


class LeaseLost(Event, frozen=True):
    address: str = ANY
    reason: str = ANY
    """expired, nak, other-address or link-down."""
    persona: str = ANY


class LinkLocalBound(Event, frozen=True):
    """The persona, left without a lease, has set an address of 169.254/16 on the interface (RFC 3927)."""

    address: str = ANY
    persona: str = ANY


class LinkLocalLost(Event, frozen=True):
    address: str = ANY
    reason: str = ANY
    """lease, conflict or link-down."""
    persona: str = ANY


class ReplyDoubted(Event, frozen=True):
    """A DHCP reply to the persona lacks something, or contradicts itself or the exchange."""

    message: str = ANY
    """OFFER, ACK or NAK."""
    reason: str = ANY
    """One of :data:`hil.personas.replies.REASONS`."""
    taken: bool = ANY
    """Whether the persona acted on it all the same."""
    address: str = ANY
    server: str = ANY
    """Option 54, or ''."""
    persona: str = ANY


class PersonaGaveUp(Event, frozen=True):
    """A persona stopped waiting; the :class:`PersonaState` before it says what it does instead."""

    awaited: str = ANY
    """OFFER, ACK or carrier."""
    tries: int = ANY
    """Messages sent, or due to be sent, in vain."""
    persona: str = ANY


class PersonaState(Event, frozen=True):
    """A persona's DHCP client changed state, named as in RFC 2131; FAILED: silent until carrier or interface change."""

    state: str = ANY
    previous: str = ANY
    persona: str = ANY


class PersonaNote(Event, frozen=True):
    """A persona did something worth telling, such as giving up."""

    text: str = ANY
    persona: str = ANY


class KernelLog(Event, frozen=True):
    level: int = ANY
    text: str = ANY


class LoaderAsked(Event, frozen=True):
    """The chip's loader was asked to answer SYNC, with which its protocol begins."""

    port: str = ANY
    """usb or console."""
    answered: bool = ANY


class FlashProgress(Event, frozen=True):
    """A step of putting a firmware into a board's flash."""

    status: str = ANY
    """connecting, comparing, erasing, writing, verifying, resetting, done or failed."""
    percent: int = ANY
    """Of the bytes that are written; of writing, every tenth is told."""
    detail: str = ANY
    """What is written, what came of it, or why it failed."""
    reason: str = ANY
    """Why it failed, in a word: other-chip, security, flash-size, revision, other-board or partitions (nothing was
    written); loader-refused, hash, stub, vanished, other-application, or the name of a failure to enter or leave the
    loader; '' where none of these fits."""
