"""The Internet checksum of RFC 1071."""


def internet_checksum(data: bytes) -> int:
    """Ones' complement of the ones' complement sum of the 16-bit words; 0 over data that holds its own checksum.

    Works on the whole run as one big-endian number: 2**16 is 1 modulo 65535, so the sum of its words is the number
    modulo 65535 (RFC 1071 section 2, deferred carries).
    """
    padded = data if len(data) % 2 == 0 else data + b"\0"
    number = int.from_bytes(padded, "big")
    folded = number % 0xFFFF
    if folded == 0 and number != 0:
        folded = 0xFFFF
    return folded ^ 0xFFFF


def pseudo_header(src: bytes, dst: bytes, protocol: int, length: int) -> bytes:
    """What UDP and TCP checksums cover besides the segment (RFC 768, RFC 9293 section 3.1)."""
    return src + dst + bytes((0, protocol)) + length.to_bytes(2, "big")
