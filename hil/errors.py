"""Every exception that hil raises.

::

    HilError
    ├── HarnessError             the bench, the test or this code is wrong: shown as ERROR
    │   ├── BenchError           bench.toml, an option or a marker has a value that cannot be used
    │   ├── SetupError           a package, a kernel module, a permission or a device is missing
    │   ├── AgentError           the privileged agent failed or went away
    │   │   └── AgentRefused     the allow list does not name what was asked for
    │   ├── VirtualBoardError    the virtual board's process failed or was asked for nonsense
    │   ├── BuildError           what is to be flashed cannot be: no build, no image, another chip, an overlap
    │   ├── FlashRefused         nothing was written: this build may not go to the chip that is there
    │   ├── BoardDead            the board stays dead whatever the bench can do; not a verdict on its firmware
    │   └── MisuseError          a test uses hil in a way that cannot be judged
    ├── BoardFailure             the product is wrong: shown as FAILED
    │   ├── ExpectationFailed    what was awaited did not happen, or something forbidden did
    │   ├── BoardVanished        the board left the bus while it was being used
    │   ├── FlashFailed          flashing began and did not end with what was to be written
    │   ├── LoaderFailure        the way into the chip's loader or out of it ended elsewhere, which has a name
    │   └── BoardMute            the board is there and does not answer within the deadline
    └── WireError                bytes that do not follow their format; the only exception of hil.wire

A message holds the value, the place and the choices.
"""


class HilError(Exception):
    """Base of every exception that hil raises.

    Args:
        text: for a person.
        reason: why, in a word that the timeline keeps where a finding is made of it; '' else.
    """

    reason = ""

    def __init__(self, text: str = "", reason: str = "") -> None:
        super().__init__(text)
        if reason:
            self.reason = reason


class HarnessError(HilError):
    """The bench, the test or hil itself is wrong; pytest shows ERROR."""


class BenchError(HarnessError):
    """A bench file, an option or a marker holds a value that cannot be used."""


class SetupError(HarnessError):
    """Something the run needs is missing; the message names the package, module or permission."""


class AgentError(HarnessError):
    """The privileged agent failed, answered nonsense or went away."""


class AgentRefused(AgentError):
    """The agent's allow list does not name what was asked for."""


class VirtualBoardError(HarnessError):
    """The virtual board's process failed or was asked for something it does not have."""


class BuildError(HarnessError):
    """What is to be flashed cannot be, whatever the board: the message names the file and the offset."""


class FlashRefused(HarnessError):
    """Nothing was written: the build and the chip that is there do not go together."""


class BoardDead(HarnessError):
    """The board stays dead whatever the bench can do about it: what was to be tested on it is not judged."""


class MisuseError(HarnessError):
    """A test uses hil in a way that cannot be judged."""


class BoardFailure(HilError):
    """The product is wrong; pytest shows FAILED."""


class ExpectationFailed(BoardFailure):
    """An expectation was not met; the message is the five-part explanation."""


class BoardVanished(BoardFailure):
    """The board left the bus while it was being used."""

    reason = "vanished"


class FlashFailed(BoardFailure):
    """Flashing began and did not end with what was to be written; the message names region and reason."""


class LoaderFailure(BoardFailure):
    """The way into the chip's loader, or out of it, ended elsewhere; ``name`` says where, and begins the message."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(f"{name}: {text}", name)
        self.name = name


class BoardMute(BoardFailure):
    """The board is on the bus and did not answer within the deadline."""


class WireError(HilError):
    """Bytes that do not follow their format."""
