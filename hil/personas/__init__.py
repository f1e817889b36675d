"""How hosts behave on the board's interface: state machines without I/O, each a difference from a shared base."""

from hil.errors import BenchError
from hil.personas.client_profile import ClientProfile
from hil.personas.ios import IOS
from hil.personas.linux import LINUX

PERSONAS = {profile.name: profile for profile in (IOS, LINUX)}


def find(name: str) -> ClientProfile:
    """The persona called ``name``.

    Raises:
        BenchError: there is none; the message lists those there are.
    """
    if name not in PERSONAS:
        raise BenchError(f"persona {name!r} is not known; known: {', '.join(map(repr, sorted(PERSONAS)))}")
    return PERSONAS[name]
