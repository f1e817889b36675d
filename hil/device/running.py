"""Which firmware runs on a board, in its own words: esptool's exit status says what was written, not what came of it.

An application of ESP-IDF prints its description when it starts (``esp_system``, ``startup_funcs.c``, tag ``app_init``;
older ones ``cpu_start``), as many digits of its ELF file's hash as CONFIG_APP_RETRIEVE_LEN_ELF_SHA says. A firmware
with HTTP may tell the same at its profile's version path: over its fallback address where it has one, else over its
own USB network, on which the host then has an address for as long.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from hil.bench import Board
from hil.clock import Clock, Deadline
from hil.device.readings import Reading, Readings
from hil.device.usb_network import UsbNetwork
from hil.device.witness import Witness
from hil.errors import WireError
from hil.profiles import Profile
from hil.timeline.events import HttpReply, SerialLine
from hil.wire import board_status
from hil.wire.esp_image import AppDescription

CONSOLE_S = 5.0
"""From a reset to ``app_init``: the boot loader verifies the image, which takes 0.1 s a megabyte."""
ANSWER_S = 10.0
"""From a reset to a server that answers."""
AGAIN_S = 0.25
"""A server that starts shows nobody that it does."""
_LINE = re.compile(r"(?:app_init|cpu_start): (Project name|App version|ELF file SHA256): +(\S.*?)\s*$")
_FIELDS = {"Project name": "project", "App version": "version", "ELF file SHA256": "elf_sha256"}


@dataclass(frozen=True, slots=True)
class Running:
    """What a board says of its application; '' where it says nothing."""

    by: str
    """How it said so: 'console', 'serial', or the path that was asked."""
    project: str = ""
    version: str = ""
    elf_sha256: str = ""
    """Or its first digits."""

    def is_app(self, app: AppDescription) -> bool:
        """Whether nothing of it speaks against ``app``."""
        return (
            self.project in ("", app.project)
            and self.version in ("", app.version)
            and app.elf_sha256.startswith(self.elf_sha256)
        )

    def __str__(self) -> str:
        elf = f", ELF {self.elf_sha256[:9]}" if self.elf_sha256 else ""
        return f"{self.project or 'a firmware'} {self.version}{elf} (by its {self.by})"


def described(by: str, lines: Iterable[str]) -> Running | None:
    """The last description that the lines hold, complete with its hash; None where they hold none.

    The hash ends it: what an application leaves out (CONFIG_APP_EXCLUDE_PROJECT_NAME_VAR) is not the one's before it.
    """
    found, current = None, Running(by)
    for line in lines:
        match = _LINE.search(line)
        if match is None:
            continue
        name = _FIELDS[match[1]]
        current = replace(Running(by) if name == "project" else current, **{name: match[2].rstrip(".")})
        if name == "elf_sha256":
            found, current = current, Running(by)
    return found


class Teller:
    """Finds out what runs on one board."""

    def __init__(
        self,
        spec: Board,
        profile: Profile,
        *,
        witness: Witness,
        readings: Readings,
        network: UsbNetwork,
        clock: Clock,
    ) -> None:
        self._spec = spec
        self._profile = profile
        self._witness = witness
        self._readings = readings
        self._network = network
        self._clock = clock

    def since(self, reset_ns: int) -> Running | None:
        """What the board has said of itself since it was reset, or says when it is asked; None where it has no way."""
        if self._spec.console:
            said = self._witness.until(lambda: self.heard(reset_ns), CONSOLE_S)
        else:
            self._witness.catch_up()
            said = self.heard(reset_ns)
        return said or self.asked(ANSWER_S) or self._asked_over_usb(reset_ns)

    def heard(self, since_ns: int = 0) -> Running | None:
        """What its serial ports have told."""
        lines = [event for event in self._witness.timeline.since(since_ns) if isinstance(event, SerialLine)]
        ours = [event for event in lines if event.board == self._spec.name]
        by_port = (described(port, (e.text for e in ours if e.source == port)) for port in ("console", "serial"))
        return next((each for each in by_port if each is not None), None)

    def asked(self, within_s: float = 0.0) -> Running | None:
        """What it answers at its version path, over the network that its USB has no part in."""
        path = self._profile.http.version
        if not path or not self._spec.fallback:
            return None
        return self._answer(path, "fallback", within_s)

    def _asked_over_usb(self, reset_ns: int) -> Running | None:
        """The same over the network that came with its restart, where nothing else tells."""
        path = self._profile.http.version
        if not path or self._spec.fallback:
            return None
        with self._network.joined(reset_ns, ANSWER_S) as joined:
            return self._answer(path, "usb", ANSWER_S) if joined else None

    def _answer(self, path: str, over: str, within_s: float) -> Running | None:
        deadline = Deadline(within_s, self._clock)
        while True:
            reading = self._readings.get(path, over)
            if reading.answered or deadline.passed:
                return _answered(path, reading)
            self._clock.sleep(AGAIN_S)


def _answered(path: str, reading: Reading) -> Running | None:
    if not isinstance(reading.reply, HttpReply) or reading.reply.status != 200:
        return None
    try:
        told = board_status.parse_version(reading.body)
    except WireError:
        return None
    texts = {name: str(told[name]) for name in _FIELDS.values() if isinstance(told.get(name), str)}
    return Running(path, **texts) if any(texts.values()) else None
