"""The C side of the firmware core as ctypes sees it: structures, prototypes, and the config with its defaults.

Mirrors ``firmware/core/src/fw_core.h`` field by field; :func:`load` compares the sizes, so a library of another version
is refused instead of misread.
"""

import ctypes
from ctypes import POINTER, Structure, c_bool, c_char, c_char_p, c_size_t, c_uint8, c_uint32, c_void_p
from dataclasses import asdict, dataclass
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from hil.errors import VirtualBoardError

NAME_BYTES = 32
SHA256_BYTES = 65
RESPONSE_BYTES = 65536
SSE_CHUNK_BYTES = 2048
ROLES = ("dhcp-server", "dhcp-client", "static")
Address = c_uint8 * 4
PointCallback = ctypes.CFUNCTYPE(None, c_void_p, c_uint32, c_uint32)

(
    START_USB,
    START_NETIF,
    START_DHCP_SERVER,
    START_HTTP,
    USB_DISCONNECT,
    USB_CONNECT,
    LINK_STATE,
    TRANSMIT_FRAME,
    REMOTE_WAKEUP,
    CONSOLE_WRITE,
    CDC_WRITE,
    RESTART,
    LED,
    PHY_TO_SERIAL_JTAG,
    FORCE_DOWNLOAD,
    SET_ADDRESS,
    CLEAR_ADDRESS,
    START_DHCP_CLIENT,
    STOP_DHCP_CLIENT,
) = range(1, 20)


@dataclass(frozen=True)
class FirmwareConfig:
    """What a build of the firmware is made with; ``*_ms`` are durations in milliseconds.

    The defaults are those of ``fw_default_config()``.
    """

    role: str = "dhcp-server"
    event_capacity: int = 128
    """Entries the event log holds, 1 to 128."""
    event_discards_hidden: int = 0
    """1: a full event log does not say that it is."""
    tick_ms: int = 250
    """Mount to the first kick."""
    kick_ms: int = 250
    """The link is held down that long."""
    no_rx_grace_ms: int = 2000
    """Link up to recovery, if no frame comes."""
    detach_ms: int = 400
    """Off the bus during recovery."""
    attach_ms: int = 400
    """Back on the bus, before the kick."""
    max_attempts: int = 5
    backoff_ms: int = 2500
    """Least time from the first recovery to the second; doubles."""
    backoff_max_ms: int = 15000
    own_mount_ms: int = 10000
    """A mount this soon after a reconnect counts as caused by it."""
    acd_probe_wait_ms: int = 1000
    """As of this and the next nine: RFC 5227 section 1.1."""
    acd_probe_count: int = 3
    acd_probe_min_ms: int = 1000
    acd_probe_max_ms: int = 2000
    acd_announce_wait_ms: int = 2000
    acd_announce_count: int = 2
    acd_announce_interval_ms: int = 2000
    acd_max_conflicts: int = 10
    acd_rate_limit_ms: int = 60000
    acd_defend_ms: int = 10000
    link_ignores_stack: int = 0
    """1, as of this and all before ``start_ms``: a mistake of real firmware, see fw_core.h; 0 is right."""
    silence_ignored: int = 0
    mount_clears_attempts: int = 0
    grace_from_old_clock: int = 0
    resume_leaves_down: int = 0
    events_survive_boot: int = 0
    loader_phy_on_otg: int = 0
    loader_without_flag: int = 0
    loader_flag_left: int = 0
    dhcp_told_by_port: int = 0
    sends_claimed_early: int = 0
    drops_untold: int = 0
    firsts_latched: int = 0
    requests_told_at_length: int = 0
    suspend_moves_link: int = 0
    drops_claimed: int = 0
    dhcp_client_mute: int = 0
    acd_address_first: int = 0
    acd_missing: int = 0
    acd_conflicts_ignored: int = 0
    acd_rivals_ignored: int = 0
    acd_queries_conflict: int = 0
    acd_echoes_conflict: int = 0
    acd_limit_missing: int = 0
    acd_defence_missing: int = 0
    acd_defends_always: int = 0
    acd_restart_missing: int = 0
    acd_address_late: int = 0
    acd_probes_forever: int = 0
    acd_jitter_missing: int = 0
    nak_unnamed: int = 0
    loader_request_ignored: int = 0
    start_ms: int = 300
    """Reset to the first line: ROM and second-stage boot loader."""
    nvs_ms: int = 40
    lwip_ms: int = 10
    event_loop_ms: int = 5
    usb_driver_ms: int = 60
    ncm_ms: int = 10
    cdc_ms: int = 10
    netif_ms: int = 20
    dhcp_ms: int = 5
    netif_start_ms: int = 25
    netif_timeout_ms: int = 5000
    """Boot goes on without the network interface after this."""
    watchdog_ms: int = 5
    wifi_ms: int = 580
    redirect_ms: int = 10
    http_ms: int = 20
    restart_delay_ms: int = 100
    """Answer to a reset or boot loader request, to its first step."""
    loader_detach_ms: int = 100
    """Off the bus before the boot loader gets the PHY."""
    keepalive_ms: int = 5000
    """Silence in the log stream before a comment."""
    lease_s: int = 60
    boot_count: int = 0
    """Boots before the first :meth:`Firmware.boot`."""
    seed: int = 0
    """Decides the pauses of conflict detection and, with the count of boots, the boot id."""
    free_heap: int = 200000
    """Bytes, as /version tells."""
    address: str = "192.168.7.1"
    pool_first: str = "192.168.7.2"
    pool_last: str = "192.168.7.10"
    router: str = "192.168.7.254"
    """0.0.0.0: no router option."""
    dns: str = "192.168.7.1"
    prefix: int = 24
    version: str = "0.1.0"
    """At most 31 bytes, as is ``project``."""
    project: str = "hil-reference"
    elf_sha256: str = ""
    """Of the image that runs, 64 hexadecimal digits; empty where it is not known."""


class Config(Structure):
    """``fw_config``."""

    _fields_ = [
        *((name, c_uint32) for name in ("role", "event_capacity", "event_discards_hidden")),
        *((name, c_uint32) for name in ("tick_ms", "kick_ms", "no_rx_grace_ms", "detach_ms", "attach_ms")),
        *((name, c_uint32) for name in ("max_attempts", "backoff_ms", "backoff_max_ms", "own_mount_ms")),
        *((name, c_uint32) for name in ("acd_probe_wait_ms", "acd_probe_count", "acd_probe_min_ms")),
        *((name, c_uint32) for name in ("acd_probe_max_ms", "acd_announce_wait_ms", "acd_announce_count")),
        *((name, c_uint32) for name in ("acd_announce_interval_ms", "acd_max_conflicts", "acd_rate_limit_ms")),
        ("acd_defend_ms", c_uint32),
        *((name, c_uint32) for name in ("link_ignores_stack", "silence_ignored", "mount_clears_attempts")),
        *((name, c_uint32) for name in ("grace_from_old_clock", "resume_leaves_down", "events_survive_boot")),
        *((name, c_uint32) for name in ("loader_phy_on_otg", "loader_without_flag", "loader_flag_left")),
        *((name, c_uint32) for name in ("dhcp_told_by_port", "sends_claimed_early", "drops_untold")),
        *((name, c_uint32) for name in ("firsts_latched", "requests_told_at_length", "suspend_moves_link")),
        *((name, c_uint32) for name in ("drops_claimed", "dhcp_client_mute", "acd_address_first", "acd_missing")),
        *((name, c_uint32) for name in ("acd_conflicts_ignored", "acd_rivals_ignored", "acd_queries_conflict")),
        *((name, c_uint32) for name in ("acd_echoes_conflict", "acd_limit_missing", "acd_defence_missing")),
        *((name, c_uint32) for name in ("acd_defends_always", "acd_restart_missing", "acd_address_late")),
        *((name, c_uint32) for name in ("acd_probes_forever", "acd_jitter_missing", "nak_unnamed")),
        ("loader_request_ignored", c_uint32),
        *((name, c_uint32) for name in ("start_ms", "nvs_ms", "lwip_ms", "event_loop_ms", "usb_driver_ms", "ncm_ms")),
        *((name, c_uint32) for name in ("cdc_ms", "netif_ms", "dhcp_ms", "netif_start_ms", "netif_timeout_ms")),
        *((name, c_uint32) for name in ("watchdog_ms", "wifi_ms", "redirect_ms", "http_ms")),
        *((name, c_uint32) for name in ("restart_delay_ms", "loader_detach_ms", "keepalive_ms", "lease_s")),
        *((name, c_uint32) for name in ("boot_count", "seed", "free_heap")),
        *((name, Address) for name in ("address", "pool_first", "pool_last", "router", "dns")),
        ("prefix", c_uint32),
        ("version", c_char * NAME_BYTES),
        ("project", c_char * NAME_BYTES),
        ("elf_sha256", c_char * SHA256_BYTES),
    ]


class Command(Structure):
    """``fw_command``."""

    _fields_ = [
        *((name, c_uint32) for name in ("kind", "on", "delay_ms", "lease_s", "prefix", "length")),
        ("bytes", c_void_p),
        ("text", c_char_p),
        *((name, Address) for name in ("address", "first", "last", "router", "dns")),
    ]


class Response(Structure):
    """``fw_response``."""

    _fields_ = [
        ("body", c_void_p),
        ("capacity", c_size_t),
        ("length", c_size_t),
        ("status", c_uint32),
        ("stream", c_uint32),
        ("content_type", c_char_p),
        ("headers", c_char_p),
    ]


class LogCursor(Structure):
    """``fw_log_cursor``: how far one reader of the log stream has come."""

    _fields_ = [(name, c_uint32) for name in ("next", "spoke_ms", "greeted")]


_CORE = c_void_p
_FRAME = (_CORE, c_char_p, c_size_t)
_PROTOTYPES: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "fw_core_size": (c_size_t, ()),
    "fw_config_size": (c_size_t, ()),
    "fw_command_size": (c_size_t, ()),
    "fw_response_size": (c_size_t, ()),
    "fw_default_config": (None, (POINTER(Config),)),
    "fw_init": (_CORE, (c_void_p, c_size_t, POINTER(Config))),
    "fw_configure": (c_bool, (_CORE, POINTER(Config))),
    "fw_point_name": (c_char_p, (c_uint32,)),
    "fw_set_points": (None, (_CORE, PointCallback, c_void_p)),
    "fw_mistake_name": (c_char_p, (c_uint32,)),
    "fw_mistake_what": (c_char_p, (c_uint32,)),
    "fw_mistake_source": (c_char_p, (c_uint32,)),
    "fw_event_text": (c_char_p, (c_uint32,)),
    "fw_set_mac": (None, (_CORE, c_char_p)),
    "fw_address_assigned": (None, (_CORE, c_char_p, c_uint32)),
    "fw_address_lost": (None, (_CORE, c_uint32)),
    "fw_set_free_heap": (None, (_CORE, c_uint32)),
    "fw_boot": (None, (_CORE, c_char_p, c_uint32)),
    "fw_wake": (None, (_CORE, c_uint32)),
    "fw_deadline": (c_bool, (_CORE, POINTER(c_uint32))),
    "fw_next_command": (c_bool, (_CORE, POINTER(Command))),
    "fw_mounted": (None, (_CORE, c_uint32)),
    "fw_unmounted": (None, (_CORE, c_uint32)),
    "fw_suspended": (None, (_CORE, c_bool, c_uint32)),
    "fw_resumed": (None, (_CORE, c_uint32)),
    "fw_line_state": (None, (_CORE, c_bool, c_bool, c_uint32)),
    "fw_serial_received": (None, (*_FRAME, c_uint32)),
    "fw_netif_started": (None, (_CORE, c_uint32)),
    "fw_link_up": (c_bool, (_CORE,)),
    "fw_frame_received": (c_bool, (*_FRAME, c_uint32)),
    "fw_send_frame": (ctypes.c_int, (*_FRAME, c_uint32)),
    "fw_frame_sent": (None, (*_FRAME, c_bool, c_char_p, c_uint32)),
    "fw_log_foreign": (None, (*_FRAME, c_uint32)),
    "fw_http_request": (None, (_CORE, c_char_p, c_char_p, c_uint32, POINTER(Response))),
    "fw_http_refused": (None, (_CORE, c_uint32, c_uint32)),
    "fw_log_stream_next": (c_size_t, (_CORE, POINTER(LogCursor), c_uint32, c_void_p, c_size_t)),
}


def load(path: Path) -> ctypes.CDLL:
    """The library with its prototypes set.

    Raises:
        VirtualBoardError: it cannot be loaded, lacks a function, or has structures of other sizes.
    """
    try:
        library = ctypes.CDLL(str(path))
        for name, (result, arguments) in _PROTOTYPES.items():
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
    except (OSError, AttributeError) as error:
        raise VirtualBoardError(f"firmware core {path}: {error}") from error
    sizes = (library.fw_config_size(), library.fw_command_size(), library.fw_response_size())
    wanted = tuple(ctypes.sizeof(kind) for kind in (Config, Command, Response))
    if sizes != wanted:
        raise VirtualBoardError(f"firmware core {path}: sizes of config, command, response are {sizes}, not {wanted}")
    return library


def to_c(config: FirmwareConfig) -> Config:
    """The same values for C.

    Raises:
        VirtualBoardError: a value does not fit its field.
    """
    made = Config()
    for name, value in asdict(config).items():
        try:
            setattr(made, name, _field(name, value))
        except (ValueError, TypeError) as error:
            raise VirtualBoardError(f"firmware config: {name} is {value!r}: {error}") from error
    return made


def _field(name: str, value: Any) -> Any:
    kind = next(kind for field, kind, *_ in Config._fields_ if field == name)
    if name == "role":
        if value not in ROLES:
            raise ValueError(f"known: {', '.join(ROLES)}")
        return ROLES.index(value)
    if kind is Address:
        return Address(*IPv4Address(value).packed)
    if kind is c_uint32:
        if not 0 <= value < 1 << 32:
            raise ValueError("not an unsigned 32-bit number")
        return value
    encoded: bytes = value.encode()
    if len(encoded) >= ctypes.sizeof(kind) or b"\0" in encoded:
        raise ValueError(f"longer than {ctypes.sizeof(kind) - 1} bytes, or with a NUL")
    return encoded


def address(field: Any) -> str:
    """Four bytes of a command as '192.168.7.1'."""
    return str(IPv4Address(bytes(field)))
