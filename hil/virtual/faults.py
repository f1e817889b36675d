"""The fault port: where an object of the user's may see and change what the virtual board does.

A fault is a subclass of :class:`Fault` that overrides the taps it cares for; every tap gets what is about to happen and
returns what happens instead. :class:`FaultPort` is what the board and its USB device call: it asks each active fault in
turn. A fault that raises, or returns what its tap cannot use, ends the virtual board with an error that names its line.
"""

import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, TypeVar

from hil.clock import now_ns, to_ns
from hil.errors import VirtualBoardError
from hil.virtual.download import Download
from hil.virtual.firmware import Command, FirmwareConfig, HttpResponse
from hil.virtual.points import ChipReset, Injection, Later, LoseContact, Mount, Point, PullCable, StallUsb, Unmount
from hil.virtual.soc import Reset
from hil.virtual.usb.descriptors import FirmwareUsb
from hil.wire.usb import SetupPacket

T = TypeVar("T")
U = TypeVar("U")


class Fault:
    """Changes nothing; override what should go wrong."""

    name: ClassVar[str] = ""
    """How a built-in fault is asked for; a fault of a file has the file's name."""
    keys: ClassVar[frozenset[str]] = frozenset()
    """Options this fault understands, apart from those of :class:`Arming`."""

    def __init__(self, options: Mapping[str, str]) -> None:
        self.options = options

    # ---- on the bus

    def control(self, setup: SetupPacket, answer: bytes | None) -> bytes | None:
        """The data stage of a control request, empty where it has none; None stalls it."""
        return answer

    def urb_in(self, endpoint: int, data: bytes) -> bytes | None:
        """One bulk transfer to the host; None swallows it, and the device believes it was sent."""
        return data

    def urb_out(self, endpoint: int, data: bytes) -> bytes | None:
        """One transfer of the host; None swallows it, and the host believes it arrived."""
        return data

    def notification(self, data: bytes) -> bytes | None:
        """One CDC notification; None swallows it."""
        return data

    def rearms(self, interface: int) -> bool:
        """Whether alternate setting 1 of a data interface, chosen again after 0, arms its bulk endpoints anew."""
        return True

    # ---- above it

    def frame_to_host(self, frame: bytes) -> list[bytes]:
        """Ethernet frames that leave for ``frame``: none, one or several."""
        return [frame]

    def frame_from_host(self, frame: bytes) -> list[bytes]:
        """Ethernet frames that the firmware sees for ``frame``."""
        return [frame]

    def serial_to_host(self, data: bytes) -> bytes:
        """One write of log to the CDC port."""
        return data

    def console(self, data: bytes) -> bytes:
        """One write to the UART console."""
        return data

    # ---- in the firmware

    def identity(self, usb: FirmwareUsb) -> FirmwareUsb:
        """Serial number, addresses and descriptors; asked whenever the firmware starts USB."""
        return usb

    def configure(self, config: FirmwareConfig) -> FirmwareConfig:
        """What the firmware is made with; asked at each boot and each mount."""
        return config

    def at_point(self, point: Point, now_ms: int) -> Sequence[Injection]:
        """What happens at a named point of the core, before it goes on; ``now_ms`` is the board's own time."""
        return ()

    def boot(self, reset: Reset) -> Reset:
        """Why the chip starts over, before it says so."""
        return reset

    # ---- in the chip's loader

    def download(self, how: Download) -> Download:
        """How the chip comes up in its loader; asked each time it does."""
        return how

    def loading(self, packet: bytes) -> Sequence[Injection]:
        """What happens when a request of the host arrives (:class:`hil.wire.esp_loader.Request`)."""
        return ()

    def loader_request(self, packet: bytes) -> bytes | None:
        """One request of the host; None: the chip does not get it."""
        return packet

    def loader_reply(self, packet: bytes) -> bytes | None:
        """One packet of the loader, a reply or not; None: the host does not get it."""
        return packet

    # ---- what the firmware does

    def command(self, command: Command) -> Command | None:
        """One command of the firmware; None swallows it, and the firmware believes it was carried out."""
        return command

    def http(self, method: str, path: str, answer: "HttpResponse") -> "HttpResponse":
        """The answer of the firmware's handler to one request; its ``blocks`` gives the server's one task away."""
        return answer

    def may_send(self, suspended: bool) -> str | None:
        """Asked before a frame is handed to USB; an error name such as ESP_ERR_INVALID_STATE rejects the send."""
        return None


@dataclass(frozen=True, slots=True)
class Arming:
    """When a fault is active: from the later of the two counts on, and ``after_s`` after that."""

    from_boot: int = 0
    """Number of the boot since the process started; the first is 1."""
    from_mount: int = 0
    """Number of the USB mount since the process started; the first is 1."""
    after_s: float = 0.0


@dataclass(slots=True)
class ArmedFault:
    """A fault, the text that asked for it, and when it is active."""

    fault: Fault
    text: str
    arming: Arming
    _since_ns: int | None = None

    def is_active(self, boots: int, mounts: int, at_ns: int) -> bool:
        if self._since_ns is None:
            if boots < self.arming.from_boot or mounts < self.arming.from_mount:
                return False
            self._since_ns = at_ns
        return at_ns >= self._since_ns + to_ns(self.arming.after_s)


class FaultPort:
    """Asks the active faults, in the order in which they were given.

    Args:
        faults: what was loaded.
        on_broken: called once with the error of a fault that raised or returned nonsense; no fault is asked after that.
    """

    def __init__(self, faults: Sequence[ArmedFault], on_broken: Callable[[VirtualBoardError], None]) -> None:
        self.faults = list(faults)
        self.boots = 0
        self.mounts = 0
        self._on_broken = on_broken
        self._broken = False

    @property
    def described(self) -> dict[str, bool]:
        """Text of each fault, and whether it is active now."""
        at_ns = now_ns()
        return {each.text: each.is_active(self.boots, self.mounts, at_ns) for each in self.faults}

    def control(self, setup: SetupPacket, answer: bytes | None) -> bytes | None:
        for fault in self._active():
            answer = self._ask(fault, partial(fault.control, setup, answer), answer, _is_bytes_or_none)
        return answer

    def urb_in(self, endpoint: int, data: bytes) -> bytes | None:
        return self._pass(data, lambda fault, each: partial(fault.urb_in, endpoint, each))

    def urb_out(self, endpoint: int, data: bytes) -> bytes | None:
        return self._pass(data, lambda fault, each: partial(fault.urb_out, endpoint, each))

    def notification(self, data: bytes) -> bytes | None:
        return self._pass(data, lambda fault, each: partial(fault.notification, each))

    def rearms(self, interface: int) -> bool:
        """False where one fault says so."""
        return all(self._ask(fault, partial(fault.rearms, interface), True, _is_bool) for fault in self._active())

    def frame_to_host(self, frame: bytes) -> list[bytes]:
        return self._spread(frame, lambda fault, each: partial(fault.frame_to_host, each))

    def frame_from_host(self, frame: bytes) -> list[bytes]:
        return self._spread(frame, lambda fault, each: partial(fault.frame_from_host, each))

    def serial_to_host(self, data: bytes) -> bytes:
        for fault in self._active():
            data = self._ask(fault, partial(fault.serial_to_host, data), data, _is_bytes)
        return data

    def console(self, data: bytes) -> bytes:
        for fault in self._active():
            data = self._ask(fault, partial(fault.console, data), data, _is_bytes)
        return data

    def boot(self, reset: Reset) -> Reset:
        for fault in self._active():
            reset = self._ask(fault, partial(fault.boot, reset), reset, _is_reset)
        return reset

    def download(self, how: Download) -> Download:
        for fault in self._active():
            how = self._ask(fault, partial(fault.download, how), how, _is_download)
        return how

    def loading(self, packet: bytes) -> list[Injection]:
        found: list[Injection] = []
        for fault in self._active():
            found += self._ask(fault, partial(fault.loading, packet), (), _is_injections)
        return found

    def loader_request(self, packet: bytes) -> bytes | None:
        return self._pass(packet, lambda fault, each: partial(fault.loader_request, each))

    def loader_reply(self, packet: bytes) -> bytes | None:
        return self._pass(packet, lambda fault, each: partial(fault.loader_reply, each))

    def identity(self, usb: FirmwareUsb) -> FirmwareUsb:
        for fault in self._active():
            usb = self._ask(fault, partial(fault.identity, usb), usb, _is_usb)
        return usb

    def configure(self, config: FirmwareConfig) -> FirmwareConfig:
        for fault in self._active():
            config = self._ask(fault, partial(fault.configure, config), config, _is_config)
        return config

    @property
    def watches_points(self) -> bool:
        """Some fault, active or not, wants to hear of the core's points."""
        return any(type(each.fault).at_point is not Fault.at_point for each in self.faults)

    def at_point(self, point: Point, now_ms: int) -> list[Injection]:
        """What the active faults put in, in order."""
        found: list[Injection] = []
        for fault in self._active():
            found += self._ask(fault, partial(fault.at_point, point, now_ms), (), _is_injections)
        return found

    def command(self, command: Command) -> Command | None:
        passed: Command | None = command
        for fault in self._active():
            if passed is None:
                return None
            passed = self._ask(fault, partial(fault.command, passed), passed, _is_anything)
        return passed

    def http(self, method: str, path: str, answer: "HttpResponse") -> "HttpResponse":
        for fault in self._active():
            answer = self._ask(fault, partial(fault.http, method, path, answer), answer, _is_answer)
        return answer

    def may_send(self, suspended: bool) -> str | None:
        """The first rejection, or None."""
        for fault in self._active():
            reason = self._ask(fault, partial(fault.may_send, suspended), None, _is_text_or_none)
            if reason is not None:
                return reason
        return None

    def _active(self) -> Iterator[Fault]:
        at_ns = now_ns()
        for each in self.faults:
            if not self._broken and each.is_active(self.boots, self.mounts, at_ns):
                yield each.fault

    def _pass(self, data: bytes, tap: Callable[[Fault, bytes], Callable[[], bytes | None]]) -> bytes | None:
        passed: bytes | None = data
        for fault in self._active():
            if passed is None:
                return None
            passed = self._ask(fault, tap(fault, passed), passed, _is_bytes_or_none)
        return passed

    def _spread(self, frame: bytes, tap: Callable[[Fault, bytes], Callable[[], list[bytes]]]) -> list[bytes]:
        frames = [frame]
        for fault in self._active():
            frames = [made for each in frames for made in self._ask(fault, tap(fault, each), [each], _is_list_of_bytes)]
        return frames

    def _ask(self, fault: Fault, tap: Callable[[], T], unchanged: U, is_usable: Callable[[object], bool]) -> T | U:
        try:
            answer = tap()
        except Exception as error:  # noqa: BLE001 - the user's code may raise anything
            self._break(f"fault {fault.name}: {place(error)}: {type(error).__name__}: {error}")
            return unchanged
        if not is_usable(answer):
            method = getattr(getattr(tap, "func", tap), "__name__", "tap")
            self._break(f"fault {fault.name}: {method}() returned {answer!r}, expected {_WANTED[is_usable]}")
            return unchanged
        return answer

    def _break(self, message: str) -> None:
        if not self._broken:
            self._broken = True
            self._on_broken(VirtualBoardError(message))


def place(error: BaseException) -> str:
    """``file:line`` of the innermost frame of an exception."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}"
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "unknown line"


def _is_bytes(value: object) -> bool:
    return isinstance(value, bytes)


def _is_bytes_or_none(value: object) -> bool:
    return value is None or isinstance(value, bytes)


def _is_reset(value: object) -> bool:
    return isinstance(value, Reset)


def _is_usb(value: object) -> bool:
    return isinstance(value, FirmwareUsb)


def _is_bool(value: object) -> bool:
    return isinstance(value, bool)


def _is_config(value: object) -> bool:
    return isinstance(value, FirmwareConfig)


def _is_injections(value: object) -> bool:
    return isinstance(value, list | tuple) and all(_is_injection(each) for each in value)


def _is_injection(value: object) -> bool:
    if isinstance(value, Later):
        return value.after_s >= 0 and _is_injection(value.injection)
    return isinstance(value, Mount | Unmount | StallUsb | ChipReset | PullCable | LoseContact | Command)


def _is_download(value: object) -> bool:
    return isinstance(value, Download)


def _is_text_or_none(value: object) -> bool:
    return value is None or isinstance(value, str)


def _is_list_of_bytes(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, bytes) for each in value)


def _is_answer(value: object) -> bool:
    return isinstance(getattr(value, "body", None), bytes)


def _is_anything(value: object) -> bool:
    return True


_WANTED: dict[Callable[[object], bool], str] = {
    _is_bytes: "bytes",
    _is_bytes_or_none: "bytes or None",
    _is_reset: "a hil.virtual.soc.Reset",
    _is_download: "a hil.virtual.download.Download",
    _is_usb: "a hil.virtual.usb.descriptors.FirmwareUsb",
    _is_bool: "True or False",
    _is_config: "a hil.virtual.core_abi.FirmwareConfig",
    _is_injections: "a sequence of what hil.virtual.points names, or of commands of the firmware",
    _is_text_or_none: "str or None",
    _is_list_of_bytes: "a list of bytes",
    _is_answer: "a hil.virtual.firmware.HttpResponse",
}
