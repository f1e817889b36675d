"""What the body of a board's ``/events`` shows: the second witness alone, without a host's."""

import re
from collections.abc import Iterable, Sequence

from hil.diagnosis.dhcp_signatures import DHCP_SIGNATURES
from hil.diagnosis.finding import Evidence, Finding, Quote
from hil.diagnosis.text.clue import Cause
from hil.diagnosis.text.line import TextLine, printable
from hil.diagnosis.text.reader import CAUSES, finding
from hil.errors import WireError
from hil.wire.board_status import FLAG, FLAGS_HEADER, KNOWN, MAX_BODY, EventLog, parse_events

SILENT = "dhcp-server-silent"
SHOWN = (SILENT, "no-carrier")
"""Names of what a body can show."""
ANSWERS = ("DHCP_OFFER_TX", "DHCP_ACK_TX", "DHCP_NAK_TX", "TX_FAILED")
HINT = "=== CRITICAL EVENTS"
HTTP_HEAD = re.compile(r"HTTP/[0-9.]+ [0-9]{3}\b|[A-Za-z-]+: ")
"""What ``curl -i`` saves before a body."""


class EventsBody:
    """Finds a body of ``/events`` in a text, alone or among other lines; of several the last."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._numbers: list[int] = []
        self._size = 0
        self._in_flags = False
        self._led = False
        """Other lines than a reply's head stand before it."""

    def hear(self, lines: Iterable[TextLine]) -> None:
        for line in lines:
            if self._lines or not self._led or HINT in line.text:
                self._hear(line.number, line.text.strip())

    def _hear(self, number: int, text: str) -> None:
        if KNOWN.header is not None and KNOWN.header.fullmatch(text):
            self._lines, self._numbers, self._size, self._in_flags = [], [], 0, False
        elif not self._lines:
            self._led = self._led or not HTTP_HEAD.match(text)
            return
        elif self._size > MAX_BODY or (self._in_flags and not FLAG.fullmatch(text)):
            return
        self._in_flags = self._in_flags or text == FLAGS_HEADER
        self._lines.append(text)
        self._numbers.append(number)
        self._size += len(text.encode()) + 1

    def findings(self, others: bool) -> list[Finding]:
        """What it shows; nothing without a body.

        Args:
            others: the text has findings of its own.

        Raises:
            WireError: the body is cut off or too long, stands alone, and nothing else was found.
        """
        if not self._lines:
            return []
        try:
            return diagnose_events("\n".join(self._lines).encode(), self._numbers)
        except WireError:
            if self._led or others:
                return []
            raise


def diagnose_events(body: bytes, numbers: Sequence[int] = ()) -> list[Finding]:
    """The findings of one body; flags count from the board's boot, entries are the first that its log had room for.

    Args:
        body: as the board sent it.
        numbers: of its lines, where it stands among others in a file.

    Raises:
        WireError: the body is no event log, or is cut off; a line of no known form is passed over.
    """
    log = parse_events(body)
    texts = body.decode("utf-8", "replace").split("\n")
    numbered = list(zip(numbers or range(1, len(texts) + 1), texts, strict=True))
    lines = {text.strip(): number for number, text in reversed(numbered)}  # of equal ones the first
    if _never_heard_the_host(log):
        wanted = ("USB_MOUNTED", "NCM_LINK_UP")
        return [finding(CAUSES["no-carrier"], (*_entries(lines, wanted), *_flags(lines, log, ("FIRST_RX",))))]
    if _never_answered(log):
        supports = (*_entries(lines, ("DHCP_DISCOVER_RX",)), *_flags(lines, log, ("DHCP_OFFER_TX",)))
        return [finding(cause_of(SILENT), supports)]
    return []


def _never_heard_the_host(log: EventLog) -> bool:
    """The board is mounted and has set its link up, and no frame of the host has come since its boot."""
    set_up = log.flags.get("NCM_LINK_UP", False) and log.flags.get("USB_MOUNTED", False)
    return set_up and log.flags.get("FIRST_RX") is False and log.flags.get("DHCP_DISCOVER_RX") is not True


def _never_answered(log: EventLog) -> bool:
    """The host has asked more than once, and the board has not even tried to answer."""
    asked = [entry for entry in log.entries if entry.name == "DHCP_DISCOVER_RX"]
    tried = any(entry.name in ANSWERS for entry in log.entries) or any(log.flags.get(name) for name in ANSWERS)
    return len(asked) >= 2 and log.flags.get("DHCP_OFFER_TX") is False and not tried


def _entries(lines: dict[str, int], names: tuple[str, ...]) -> list[Evidence]:
    """The first entry of each name."""
    found = []
    for name in names:
        text = next((text for text in sorted(lines, key=lines.__getitem__) if f" ms] {name}" in text), "")
        if text:
            found.append(Evidence("the board says", quote=Quote(lines[text], printable(text))))
    return found


def _flags(lines: dict[str, int], log: EventLog, names: tuple[str, ...]) -> list[Evidence]:
    """The flags of ``names`` that are not set."""
    shown = [f"{name}: NO" for name in names if log.flags.get(name) is False]
    return [Evidence("not once since its boot", quote=Quote(lines[text], text)) for text in shown if text in lines]


def cause_of(name: str) -> Cause:
    """The texts of a signature over the timeline, for a finding that rests on the board's word alone."""
    signature = next(each for each in DHCP_SIGNATURES if each.name == name)
    return Cause(signature.name, signature.title, signature.cause, signature.remedy, signature.source)
