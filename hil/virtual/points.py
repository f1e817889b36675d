"""The named points of the firmware core, and what a fault may put in there.

A race is raised at its point and not by waiting for it: the core calls out, and whatever comes back happens before the
core goes on.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Union

from hil.virtual.soc import Reset

if TYPE_CHECKING:
    from hil.virtual.firmware import Command


class Point(IntEnum):
    """``fw_point`` of ``firmware/core/src/fw_core.h``, which says when each is reached."""

    BOOT_STEP = 0
    STACK_READY = 1
    MOUNTED = 2
    RESUMED = 3
    LINK_OFF = 4
    LINK_SETTLE = 5
    LINK_AWAIT_STACK = 6
    LINK_KICK_BEGIN = 7
    LINK_KICK_END = 8
    LINK_LISTEN = 9
    LINK_RUN = 10
    LINK_GAVE_UP = 11
    LINK_SUSPENDED = 12
    BEFORE_RECOVER = 13
    RECOVER_DETACHED = 14
    RECOVER_ATTACHING = 15
    RECOVER_AWAIT_MOUNT = 16
    BEFORE_RX = 17
    BEFORE_TX = 18
    FRAME_SENT = 19
    BEFORE_HTTP = 20
    BEFORE_SERIAL = 21
    BEFORE_LEAVE = 22
    LOADER_DETACHED = 23
    ACD_BEFORE_PROBE = 24
    ACD_PROVEN = 25
    ACD_CONFLICT = 26


@dataclass(frozen=True, slots=True)
class Mount:
    """``tud_mount_cb``, as if the host had configured the board once more."""


@dataclass(frozen=True, slots=True)
class Unmount:
    """``tud_umount_cb``."""


@dataclass(frozen=True, slots=True)
class StallUsb:
    """The task that serves USB does not run for so long: nothing of the host is answered meanwhile."""

    for_s: float


@dataclass(frozen=True, slots=True)
class ChipReset:
    """The chip starts over."""

    reset: Reset


@dataclass(frozen=True, slots=True)
class PullCable:
    """The cable is pulled, and put back after so long."""

    for_s: float


@dataclass(frozen=True, slots=True)
class LoseContact:
    """The host loses the device for so long; the board keeps its power."""

    for_s: float


Injection = Union[Mount, Unmount, StallUsb, ChipReset, PullCable, LoseContact, "Command", "Later"]
"""What a fault may put in at a point; a command is carried out as if the firmware had given it."""


@dataclass(frozen=True, slots=True)
class Later:
    """The same, ``after_s`` later; nothing where the chip has started over before."""

    after_s: float
    injection: Injection
