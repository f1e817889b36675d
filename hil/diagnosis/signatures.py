"""The table of known failures.

A signature looks at one board's window and returns its evidence, or None where its picture is not there. Each states
what speaks for it and what would speak against it; a signature that has evidence against it does not match.
"""

from collections.abc import Iterable

from hil.diagnosis.acd_probing import ACD_PROBING_SIGNATURES
from hil.diagnosis.acd_signatures import ACD_SIGNATURES
from hil.diagnosis.boot_signatures import BOOT_SIGNATURES
from hil.diagnosis.claim_signatures import CLAIM_SIGNATURES
from hil.diagnosis.client_signatures import CLIENT_SIGNATURES
from hil.diagnosis.dhcp_signatures import DHCP_SIGNATURES
from hil.diagnosis.finding import Finding
from hil.diagnosis.flash_signatures import FLASH_SIGNATURES
from hil.diagnosis.http_signatures import HTTP_SIGNATURES
from hil.diagnosis.identity_signatures import IDENTITY_SIGNATURES
from hil.diagnosis.link_signatures import LINK_SIGNATURES
from hil.diagnosis.loader_signatures import LOADER_SIGNATURES
from hil.diagnosis.recovery_signatures import RECOVERY_SIGNATURES
from hil.diagnosis.restart_signatures import RESTART_SIGNATURES
from hil.diagnosis.serial_signatures import SERIAL_SIGNATURES
from hil.diagnosis.signature import Sides, Signature
from hil.diagnosis.sleep_signatures import SLEEP_SIGNATURES
from hil.diagnosis.usb_signatures import USB_SIGNATURES
from hil.diagnosis.window import Window
from hil.timeline.events import Event

SIGNATURES: tuple[Signature, ...] = (
    *BOOT_SIGNATURES,
    *LOADER_SIGNATURES,
    *RESTART_SIGNATURES,
    *FLASH_SIGNATURES,
    *USB_SIGNATURES,
    *LINK_SIGNATURES,
    *RECOVERY_SIGNATURES,
    *DHCP_SIGNATURES,
    *CLIENT_SIGNATURES,
    *IDENTITY_SIGNATURES,
    *ACD_SIGNATURES,
    *ACD_PROBING_SIGNATURES,
    *SLEEP_SIGNATURES,
    *SERIAL_SIGNATURES,
    *HTTP_SIGNATURES,
    *CLAIM_SIGNATURES,
)
"""Every known failure; a finding's name is the signature's."""


def diagnose(events: Iterable[Event], board: str, since_ns: int, until_ns: int) -> list[Finding]:
    """Every signature that the window of ``board`` matches, in the order of the table, and no other explains."""
    window = Window(events, board, since_ns, until_ns)
    found: list[tuple[Signature, Finding]] = []
    for signature in SIGNATURES:
        sides = signature.evidence(window)
        if sides is not None and not sides[1]:
            found.append((signature, _finding(signature, board, sides)))
    return [finding for its, finding in found if not any(s.explains(finding) for s, _ in found if s is not its)]


def _finding(signature: Signature, board: str, sides: Sides) -> Finding:
    return Finding(
        name=signature.name,
        title=signature.title,
        board=board,
        supports=tuple(sides[0]),
        contradicts=tuple(sides[1]),
        cause=signature.cause,
        remedy=signature.remedy,
        source=signature.source,
    )
