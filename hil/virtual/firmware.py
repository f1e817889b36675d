"""The reference firmware's C core as a Python object: inputs with the time in, commands out.

The core decides what the board does; whoever holds a :class:`Firmware` carries the commands out, in order. Time is any
growing count of milliseconds; the instant given to :meth:`Firmware.boot` is the board's own time 0. An input may be
given from within a point callback; its commands then come out of the call that reached the point.
"""

import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hil.errors import VirtualBoardError
from hil.virtual import core_abi
from hil.virtual.build import ensure_library
from hil.virtual.commands import (
    CdcWrite,
    ClearAddress,
    Command,
    ConsoleWrite,
    ForceDownload,
    Led,
    LinkState,
    PhyToSerialJtag,
    RemoteWakeup,
    Restart,
    SetAddress,
    StartDhcpClient,
    StartDhcpServer,
    StartHttp,
    StartNetif,
    StartUsb,
    StopDhcpClient,
    TransmitFrame,
    UsbConnect,
    UsbDisconnect,
    decode,
)
from hil.virtual.core_abi import FirmwareConfig, LogCursor
from hil.virtual.points import Point
from hil.wire.addresses import ipv4_bytes, mac_bytes

__all__ = [
    "CdcWrite",
    "ClearAddress",
    "Command",
    "ConsoleWrite",
    "Firmware",
    "FirmwareConfig",
    "ForceDownload",
    "HttpResponse",
    "Led",
    "LinkState",
    "LogCursor",
    "PhyToSerialJtag",
    "RemoteWakeup",
    "Restart",
    "SetAddress",
    "StartDhcpClient",
    "StartDhcpServer",
    "StartHttp",
    "StartNetif",
    "StartUsb",
    "StopDhcpClient",
    "TransmitFrame",
    "UsbConnect",
    "UsbDisconnect",
]


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """An answer of the board's HTTP server."""

    status: int
    content_type: str
    body: bytes
    headers: tuple[tuple[str, str], ...]
    """Further ones, in order."""
    stream: bool
    """The body is the log stream: :meth:`Firmware.log_stream`."""
    blocks: bool = False
    """The handler itself sends the stream: the server's one task serves nobody else until it has ended."""


class Firmware:
    """One board's firmware; several live side by side.

    Raises:
        SetupError: the library had to be built and could not be.
        VirtualBoardError: the library or a value of the config cannot be used.
    """

    def __init__(self, library: Path | None = None, config: FirmwareConfig = FirmwareConfig()) -> None:  # noqa: B008
        self._c = core_abi.load(library or ensure_library())
        self.config = config
        size = self._c.fw_core_size()
        self._memory = (ctypes.c_uint64 * (size // 8 + 1))()
        self._core = self._c.fw_init(self._memory, size, core_abi.to_c(config))
        if not self._core:
            raise VirtualBoardError(f"firmware config: a value is out of range, or a name too long, in {config!r}")
        self._body = ctypes.create_string_buffer(core_abi.RESPONSE_BYTES)
        self._chunk = ctypes.create_string_buffer(core_abi.SSE_CHUNK_BYTES)
        self._on_point: Any = None
        self._now_ms = 0
        self._depth = 0
        self._pending: list[Command] = []

    @property
    def ram_bytes(self) -> int:
        """Memory that the core takes on this machine."""
        return int(self._c.fw_core_size())

    # ---- life ------------------------------------------------------------------------------------

    def boot(self, reset_reason: str, now_ms: int) -> list[Command]:
        """Reset at ``now_ms``: everything is forgotten but the config and the boot count."""
        self._pending.clear()
        return self._input(self._c.fw_boot, now_ms, _text(reset_reason))

    def wake(self, now_ms: int) -> list[Command]:
        """Do what is due; call at :attr:`deadline_ms`. Too early does no harm."""
        return self._input(self._c.fw_wake, now_ms)

    @property
    def deadline_ms(self) -> int | None:
        """When :meth:`wake` must be called next; commands left by :meth:`http` make it due at once."""
        due = ctypes.c_uint32()
        if self._pending:
            return self._now_ms
        return self._unwrapped(due.value) if self._c.fw_deadline(self._core, due) else None

    def netif_started(self, now_ms: int) -> list[Command]:
        """The interface runs and, in the server role, the DHCP server with it."""
        return self._input(self._c.fw_netif_started, now_ms)

    def set_mac(self, mac: str) -> None:
        """The address of the board's own side of the interface, before :class:`StartNetif` is answered."""
        self._c.fw_set_mac(self._core, mac_bytes(mac))

    def leased(self, address: str, now_ms: int) -> list[Command]:
        """DHCP client role: the IP stack uses this address now; 0.0.0.0: none any more."""
        if address == "0.0.0.0":
            return self._input(self._c.fw_address_lost, now_ms)
        return self._input(self._c.fw_address_assigned, now_ms, ipv4_bytes(address))

    # ---- USB -------------------------------------------------------------------------------------

    @property
    def link_up(self) -> bool:
        """What the host was last told, or is about to be."""
        return bool(self._c.fw_link_up(self._core))

    def mounted(self, now_ms: int) -> list[Command]:
        """SET_CONFIGURATION with a value other than 0."""
        return self._input(self._c.fw_mounted, now_ms)

    def unmounted(self, now_ms: int) -> list[Command]:
        """SET_CONFIGURATION(0), or the session ended."""
        return self._input(self._c.fw_unmounted, now_ms)

    def suspended(self, remote_wakeup: bool, now_ms: int) -> list[Command]:
        """The bus went idle; ``remote_wakeup``: the host armed it."""
        return self._input(self._c.fw_suspended, now_ms, remote_wakeup)

    def resumed(self, now_ms: int) -> list[Command]:
        return self._input(self._c.fw_resumed, now_ms)

    def line_state(self, dtr: bool, rts: bool, now_ms: int) -> list[Command]:
        """SET_CONTROL_LINE_STATE; the log goes to CDC while DTR is high."""
        return self._input(self._c.fw_line_state, now_ms, dtr, rts)

    def serial_received(self, data: bytes, now_ms: int) -> list[Command]:
        """Bytes of the host on the CDC-ACM port: commands, one a line."""
        return self._input(self._c.fw_serial_received, now_ms, data, len(data))

    # ---- frames ----------------------------------------------------------------------------------

    def frame_received(self, frame: bytes, now_ms: int) -> tuple[bool, list[Command]]:
        """A frame from the host; True: hand it to the IP stack."""
        taken = False

        def call(core: int, now: int) -> None:
            nonlocal taken
            taken = bool(self._c.fw_frame_received(core, frame, len(frame), now))

        commands = self._input(call, now_ms)
        return taken, commands

    def send_frame(self, frame: bytes, now_ms: int) -> list[Command]:
        """A frame from the IP stack; dropped where no :class:`TransmitFrame` comes back."""
        return self._input(self._c.fw_send_frame, now_ms, frame, len(frame))

    def frame_sent(self, frame: bytes, ok: bool, reason: str, now_ms: int) -> list[Command]:
        """What became of a :class:`TransmitFrame`; ``reason`` such as ESP_ERR_INVALID_STATE where not ``ok``."""
        return self._input(self._c.fw_frame_sent, now_ms, frame, len(frame), ok, _text(reason))

    # ---- logs and HTTP ---------------------------------------------------------------------------

    def log(self, line: bytes, now_ms: int) -> list[Command]:
        """A whole line of another component's log, with or without its LF."""
        return self._input(self._c.fw_log_foreign, now_ms, line, len(line))

    def http(self, method: str, path: str, now_ms: int) -> HttpResponse:
        """Answer a request for ``path``, its query included. Commands that it causes come out of the next :meth:`wake`,
        which is due at once."""
        response = core_abi.Response(ctypes.addressof(self._body), len(self._body))

        def call(core: int, now: int) -> None:
            self._c.fw_http_request(core, _text(method), _text(path), now, response)

        commands = self._input(call, now_ms)
        self._pending.extend(commands)
        headers = (line.partition(": ") for line in response.headers.decode().splitlines())
        return HttpResponse(
            response.status,
            response.content_type.decode(),
            ctypes.string_at(self._body, response.length),
            tuple((name, value) for name, _, value in headers),
            bool(response.stream),
        )

    def http_refused(self, status: int, now_ms: int) -> list[Command]:
        """The server answered a request with that status by itself: it was none."""
        return self._input(lambda core, now: self._c.fw_http_refused(core, status, now), now_ms)

    def log_stream(self) -> LogCursor:
        """A new reader of the log stream, before its first chunk."""
        return LogCursor()

    def next_chunk(self, cursor: LogCursor, now_ms: int) -> bytes | None:
        """The reader's next bytes, framed as server-sent events; None where there is nothing to say yet."""
        length = self._c.fw_log_stream_next(self._core, cursor, now_ms & 0xFFFFFFFF, self._chunk, len(self._chunk))
        return self._chunk.raw[:length] or None

    # ---- faults ----------------------------------------------------------------------------------

    def configure(self, config: FirmwareConfig) -> None:
        """Go on with another config: limits and switches count at once, the rest from the next boot.

        Raises:
            VirtualBoardError: a value of it cannot be used; the former one holds.
        """
        if not self._c.fw_configure(self._core, core_abi.to_c(config)):
            raise VirtualBoardError(f"firmware config: a value is out of range, or a name too long, in {config!r}")
        self.config = config

    def set_points(self, callback: Callable[[Point, int], None] | None) -> None:
        """Call ``callback(point, now_ms)`` at the named points of the core. It must not raise."""

        def reached(user: int | None, point: int, now: int) -> None:
            if callback:
                callback(Point(point), self._unwrapped(now))

        self._on_point = core_abi.PointCallback(reached) if callback else core_abi.PointCallback()
        self._c.fw_set_points(self._core, self._on_point, None)

    def set_free_heap(self, octets: int) -> None:
        """What /version tells of the heap."""
        self._c.fw_set_free_heap(self._core, octets)

    # ---- inside ----------------------------------------------------------------------------------

    def _unwrapped(self, at: int) -> int:
        """The instant nearest to the last ``now_ms`` whose low 32 bits are ``at``."""
        return self._now_ms + ((at - self._now_ms + 0x80000000) & 0xFFFFFFFF) - 0x80000000

    def _input(self, function: Callable[..., object], now_ms: int, *arguments: object) -> list[Command]:
        self._now_ms = now_ms
        self._depth += 1
        try:
            function(self._core, *arguments, now_ms & 0xFFFFFFFF)
        finally:
            self._depth -= 1
        return self._drain() if self._depth == 0 else []

    def _drain(self) -> list[Command]:
        commands, self._pending = self._pending, []
        command = core_abi.Command()
        while self._c.fw_next_command(self._core, command):
            commands.append(decode(command))
        return commands


def _text(value: str) -> bytes:
    """For C: a NUL inside would end the string early and make it another one."""
    return value.replace("\0", "%00").encode("utf-8", "replace")
