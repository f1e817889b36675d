"""How hosts behave on the board's interface: state machines without I/O, each a difference from a shared base."""

from dataclasses import fields, replace
from typing import Any

from hil.errors import BenchError
from hil.personas.client_profile import ClientProfile
from hil.personas.ios import IOS
from hil.personas.linux import LINUX
from hil.personas.macos import MACOS

PERSONAS = {profile.name: profile for profile in (IOS, LINUX, MACOS)}
OPTIONS = tuple(field.name for field in fields(ClientProfile) if field.name != "name")
"""What a test may set otherwise: every figure of a :class:`~hil.personas.client_profile.ClientProfile`."""


def find(name: str, /, **options: Any) -> ClientProfile:
    """The persona called ``name``, with ``options`` in place of its own figures.

    Raises:
        BenchError: there is no such persona, no such option, or its value is of another type; the message lists the
            choices.
    """
    if name not in PERSONAS:
        raise BenchError(f"persona {name!r} is not known; known: {', '.join(map(repr, sorted(PERSONAS)))}")
    profile = PERSONAS[name]
    for option, value in options.items():
        _check(profile, option, value)
    return replace(profile, **options)


def _check(profile: ClientProfile, option: str, value: object) -> None:
    place = f"persona {profile.name!r}: option {option!r}"
    if option not in OPTIONS:
        raise BenchError(f"{place} is not known; known: {', '.join(map(repr, sorted(OPTIONS)))}")
    wanted = type(getattr(profile, option))
    fits = isinstance(value, (int, float)) if wanted is float else isinstance(value, wanted)
    if not fits or isinstance(value, bool) != (wanted is bool):
        raise BenchError(f"{place} is {value!r}, expected {wanted.__name__} such as {getattr(profile, option)!r}")
    if isinstance(value, (int, float)) and not value >= 0:
        raise BenchError(f"{place} is {value!r}, expected 0 or more, such as {getattr(profile, option)!r}")
