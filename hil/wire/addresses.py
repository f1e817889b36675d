"""Text of MAC and IPv4 addresses to bytes and back."""

from hil.errors import WireError

MAC_LENGTH = 6
IPV4_LENGTH = 4
HEX_DIGITS = frozenset("0123456789abcdefABCDEF")
DECIMAL_DIGITS = frozenset("0123456789")


def mac_bytes(text: str) -> bytes:
    """``'02:02:11:22:33:02'`` (or with ``-``) as six bytes."""
    parts = text.replace("-", ":").split(":")
    if len(parts) != MAC_LENGTH or any(len(part) != 2 or not HEX_DIGITS.issuperset(part) for part in parts):
        raise WireError(f"MAC address {text!r}: expected six pairs of hex digits such as '02:02:11:22:33:02'")
    return bytes.fromhex("".join(parts))


def mac_text(data: bytes) -> str:
    """Six bytes as ``'02:02:11:22:33:02'``, lower case."""
    if len(data) != MAC_LENGTH:
        raise WireError(f"MAC address: {len(data)} bytes, expected {MAC_LENGTH}")
    return data.hex(":")


def ipv4_bytes(text: str) -> bytes:
    """``'192.168.7.2'`` as four bytes."""
    parts = text.split(".")
    if len(parts) != IPV4_LENGTH or not all(_is_octet(part) for part in parts):
        raise WireError(f"IPv4 address {text!r}: expected four numbers up to 255 such as '192.168.7.2'")
    return bytes(int(part) for part in parts)


def _is_octet(part: str) -> bool:
    if not 1 <= len(part) <= 3 or not DECIMAL_DIGITS.issuperset(part):
        return False
    return int(part) <= 255 and (part == "0" or part[0] != "0")


def ipv4_text(data: bytes) -> str:
    """Four bytes as ``'192.168.7.2'``."""
    if len(data) != IPV4_LENGTH:
        raise WireError(f"IPv4 address: {len(data)} bytes, expected {IPV4_LENGTH}")
    return f"{data[0]}.{data[1]}.{data[2]}.{data[3]}"
