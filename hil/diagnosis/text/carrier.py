"""Whether the host's side of a log shows the board's interface up and without carrier."""

import re

from hil.diagnosis.finding import Evidence
from hil.diagnosis.text.line import TextLine

_NAME = r"(?P<name>usb[0-9]+|enx[0-9a-f]{12}|en\w*u[0-9]+\w*)"
"""Interfaces of USB devices: the kernel's name, and udev's; a built-in port that hangs free is nobody's fault."""
IP_LINK = re.compile(rf"[0-9]+: {_NAME}(?:@\w+)?: <(?P<flags>[A-Z_,-]+)>")
"""``5: usb0: <NO-CARRIER,BROADCAST,MULTICAST,UP> mtu 1500 …`` (iproute2)"""
WAITS = re.compile(rf"\b{_NAME}: (?:waiting for carrier|no carrier)\b")
"""dhcpcd"""
GONE = re.compile(
    rf"\b{_NAME}: (?:unregister '|Gained carrier|carrier acquired|network connection: connected\b|link becomes ready)"
)
"""Kernel usbnet, cdc_ncm and IPv6; systemd-networkd and dhcpcd."""
HINTS = ("CARRIER", "LOWER_UP", "carrier", "unregister '", "MULTICAST", "network connection", "becomes ready")


class Carrier:
    """The latest that was said of each interface."""

    def __init__(self) -> None:
        self._without: dict[str, Evidence] = {}

    def hear(self, line: TextLine) -> None:
        if not any(hint in line.text for hint in HINTS):
            return
        if found := IP_LINK.search(line.text):
            self._shown(found["name"], frozenset(found["flags"].split(",")), line)
        elif found := WAITS.search(line.text):
            self._without[found["name"]] = line.evidence("the DHCP client waits for it")
        elif found := GONE.search(line.text):
            self._without.pop(found["name"], None)

    def _shown(self, name: str, flags: frozenset[str], line: TextLine) -> None:
        if "NO-CARRIER" in flags and "UP" in flags:
            self._without[name] = line.evidence(f"{name} is up, and has no carrier")
        else:
            self._without.pop(name, None)

    def evidence(self) -> tuple[Evidence, ...]:
        """Interfaces that had no carrier when the log ended."""
        return tuple(self._without.values())
