"""Where esptool's output goes: it prints through one logger a process, which this replaces.

While a chip is being talked to, what esptool says is kept for the error message, and its progress bar becomes a number;
at other times it prints as ever.
"""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from esptool.logger import TemplateLogger, log

KEPT = 40


@dataclass
class Heard:
    """What esptool has said in one conversation."""

    lines: deque[str] = field(default_factory=lambda: deque(maxlen=KEPT))
    on_part: Callable[[int, int], None] = lambda done, total: None
    """Told how much of what is being sent has been."""


_listening: list[Heard] = []


@contextmanager
def heard(into: Heard) -> Iterator[None]:
    """While it lasts, esptool's output goes ``into`` it; the innermost counts."""
    _install()
    _listening.append(into)
    try:
        yield
    finally:
        _listening.remove(into)


class _Router(TemplateLogger):  # type: ignore[misc]  # esptool has no types
    """Without a state of its own: esptool 5.2 makes its own logger an instance of this class."""

    def print(self, *args: Any, **kwargs: Any) -> None:
        text = "".join(map(str, args))
        if not _listening:
            print(text, end=kwargs.get("end", "\n"))
        elif text.strip(". \n"):
            _listening[-1].lines.append(text.strip())

    def note(self, message: str) -> None:
        self.print(f"Note: {message}")

    def warning(self, message: str) -> None:
        self.print(f"Warning: {message}")

    def error(self, message: str) -> None:
        self.print(message)

    def stage(self, finish: bool = False) -> None:
        """Stages are this package's own."""

    def progress_bar(
        self, cur_iter: int, total_iters: int, prefix: str = "", suffix: str = "", bar_length: int = 30
    ) -> None:
        if _listening:
            _listening[-1].on_part(cur_iter, total_iters)

    def set_verbosity(self, verbosity: str) -> None:
        """Everything is kept."""


@cache
def _install() -> None:
    """Once: what esptool 5.6 puts in the logger's place cannot be replaced again."""
    log.set_logger(_Router())
