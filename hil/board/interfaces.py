"""The interfaces that power drivers, instants and the agent implement."""

import socket
from typing import Protocol


class Instant(Protocol):
    """Anything that happened at a known time: an event, an action's result, an agent's reply."""

    @property
    def t_ns(self) -> int:
        """CLOCK_MONOTONIC, nanoseconds."""

    @property
    def t_err_ns(self) -> int:
        """It happened at most this long before or after ``t_ns``."""


class PowerDriver(Protocol):
    """One way to take a board off its port and put it back."""

    @property
    def sees(self) -> str:
        """The strongest thing a board sees of it: ``vbus_off`` or ``disconnect``."""

    def off(self) -> Instant:
        """Take the board away; returns when that took effect."""

    def on(self) -> Instant:
        """Put it back."""


class BootLine(Protocol):
    """One way to hold the BOOT line of a board low; both may be repeated."""

    def hold(self) -> Instant:
        """Hold it; returns when it is low."""

    def let_go(self) -> Instant:
        """Let go of it."""


class UsbAgent(Protocol):
    """What a board's actions need of :class:`hil.agent.client.Agent`."""

    def boards_known(self) -> list[str]: ...
    def write_attribute(self, board: str, attribute: str, value: str) -> Instant: ...
    def read_attribute(self, board: str, attribute: str) -> str: ...
    def reset_device(self, board: str) -> Instant: ...
    def reset_by_lines(self, board: str, download: bool = False) -> Instant: ...
    def find_tty(self, board: str, port: str) -> str: ...
    def open_tty(self, board: str, port: str, alone: bool = True) -> tuple[str, int]: ...
    def set_address(self, board: str, address: str, prefix: int, router: str = "") -> Instant: ...
    def clear_address(self, board: str) -> Instant: ...
    def open_tcp_socket(self, board: str, address: str, port: int, timeout_s: float) -> socket.socket: ...
