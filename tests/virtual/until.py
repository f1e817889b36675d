"""Waiting in a loop for what has no event of its own."""

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


async def until(ask: Callable[[], T], within_s: float = 20.0) -> T:
    """The first true answer."""
    deadline = time.monotonic() + within_s
    while not (answer := ask()):
        assert time.monotonic() < deadline, f"{ask} still {answer!r} after {within_s} s"
        await asyncio.sleep(0.001)
    return answer
