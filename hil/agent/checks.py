"""Checks of the values that a peer sends; each says what it wanted. Nothing here does I/O."""

import ipaddress
import math
import re
from collections.abc import Callable
from typing import Any

Check = Callable[[Any], str]
"""Says what was wanted where the value is wrong, else ''."""


def text(pattern: str, wanted: str) -> Check:
    form = re.compile(pattern, re.ASCII)
    return lambda value: "" if isinstance(value, str) and form.fullmatch(value) else wanted


def choice(*choices: object) -> Check:
    wanted = "one of " + ", ".join(map(repr, choices))
    return lambda value: "" if any(value == c and type(value) is type(c) for c in choices) else wanted


def integer(low: int, high: int) -> Check:
    wanted = f"an integer from {low} to {high}"
    return lambda value: "" if type(value) is int and low <= value <= high else wanted


def seconds(low: float, high: float) -> Check:
    wanted = f"a number of seconds from {low} to {high}"

    def check(value: Any) -> str:
        number = type(value) in (int, float) and math.isfinite(value) and low <= value <= high
        return "" if number else wanted

    return check


def flag(value: Any) -> str:
    return "" if isinstance(value, bool) else "true or false"


def ipv4(value: Any) -> str:
    wanted = "an IPv4 address such as '192.168.7.1'"
    if not isinstance(value, str) or len(value) > 15:
        return wanted
    try:
        ipaddress.IPv4Address(value)
    except ValueError:
        return wanted
    return ""


def or_empty(check: Check) -> Check:
    return lambda value: "" if value == "" else (check(value) and check(value) + " or ''")


def or_none(check: Check) -> Check:
    return lambda value: "" if value is None else (check(value) and check(value) + " or null")


def strings(limit: int, length: int) -> Check:
    wanted = f"a list of at most {limit} strings of 1 to {length} printable characters"

    def check(value: Any) -> str:
        fine = isinstance(value, list) and len(value) <= limit
        return "" if fine and all(_printable(item, length) for item in value) else wanted

    return check


def _printable(value: Any, length: int) -> bool:
    return isinstance(value, str) and 0 < len(value) <= length and value.isprintable()
