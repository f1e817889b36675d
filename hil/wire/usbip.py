"""USB/IP URB messages between vhci_hcd and a device (kernel Documentation/usb/usbip_protocol.rst), big-endian.

A stream of commands from the host is a 48-byte header each; :func:`parse_command` reads it and ``payload_length`` says
how many bytes follow. Isochronous packet descriptors (16 bytes each) follow the data and count as payload.
"""

from dataclasses import dataclass
from typing import Self

from hil.errors import WireError
from hil.wire.layout import Layout, exactly

HEADER_LENGTH = 48
OUT = 0
IN = 1
MAX_TRANSFER = 1 << 24
"""Bytes; a transfer longer than this is a lost stream, not a transfer."""
ISO_DESCRIPTOR_LENGTH = 16
MAX_ISO_PACKETS = 1024
"""USBIP_MAX_ISO_PACKETS of drivers/usb/usbip/usbip_common.h."""

CODE_CMD_SUBMIT, CODE_CMD_UNLINK, CODE_RET_SUBMIT, CODE_RET_UNLINK = 1, 2, 3, 4
BASIC = Layout("USB/IP header", ">5I")
SUBMIT_BODY = Layout("USBIP_CMD_SUBMIT", ">Iiiii8s")
RET_SUBMIT_BODY = Layout("USBIP_RET_SUBMIT", ">iiiii8x")
UNLINK_BODY = Layout("USBIP_CMD_UNLINK", ">I24x")
RET_UNLINK_BODY = Layout("USBIP_RET_UNLINK", ">i24x")


@dataclass(frozen=True, slots=True)
class CmdSubmit:
    """The host submits a URB."""

    seqnum: int
    devid: int
    direction: int
    """:data:`OUT` or :data:`IN`."""
    endpoint: int
    """Number without the direction bit."""
    flags: int
    length: int
    """Size of the transfer buffer, in bytes."""
    start_frame: int = 0
    number_of_packets: int = 0
    """Isochronous packets; 0 or -1 where the transfer is of another type."""
    interval: int = 0
    setup: bytes = bytes(8)
    """SETUP packet of a control transfer, else zeros."""

    @property
    def payload_length(self) -> int:
        """Bytes that follow the header."""
        data = self.length if self.direction == OUT else 0
        return data + ISO_DESCRIPTOR_LENGTH * max(self.number_of_packets, 0)

    def pack(self) -> bytes:
        """The header; the payload, if any, is sent after it."""
        exactly("SETUP packet", self.setup, 8)
        timing = (self.start_frame, self.number_of_packets, self.interval)
        basic = BASIC.pack(CODE_CMD_SUBMIT, self.seqnum, self.devid, self.direction, self.endpoint)
        return basic + SUBMIT_BODY.pack(self.flags, self.length, *timing, self.setup)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        seqnum, devid, direction, endpoint = _basic(data, CODE_CMD_SUBMIT)
        made = cls(seqnum, devid, direction, endpoint, *SUBMIT_BODY.unpack(data, BASIC.size))
        if direction not in (OUT, IN) or endpoint > 15:
            raise WireError(f"USBIP_CMD_SUBMIT: direction {direction} endpoint {endpoint}, expected 0..1 and 0..15")
        if not 0 <= made.length <= MAX_TRANSFER or not -1 <= made.number_of_packets <= MAX_ISO_PACKETS:
            found = f"length {made.length} number_of_packets {made.number_of_packets}"
            raise WireError(f"USBIP_CMD_SUBMIT: {found}, expected 0..{MAX_TRANSFER} and -1..{MAX_ISO_PACKETS}")
        return made


@dataclass(frozen=True, slots=True)
class RetSubmit:
    """The device gives a URB back."""

    seqnum: int
    status: int
    """0, or a negative errno: -32 (EPIPE) is a stall."""
    actual_length: int
    """Bytes moved; of an OUT transfer the bytes taken."""
    data: bytes = b""
    """What an IN transfer brought; empty for OUT."""
    start_frame: int = 0
    number_of_packets: int = 0
    error_count: int = 0

    def pack(self) -> bytes:
        """Header and data; devid, direction and endpoint are 0 in a reply (usbip_protocol.rst)."""
        if self.data and len(self.data) != self.actual_length:
            raise WireError(f"USBIP_RET_SUBMIT: actual_length {self.actual_length}, but {len(self.data)} bytes of data")
        timing = (self.start_frame, self.number_of_packets, self.error_count)
        basic = BASIC.pack(CODE_RET_SUBMIT, self.seqnum, 0, 0, 0)
        return basic + RET_SUBMIT_BODY.pack(self.status, self.actual_length, *timing) + self.data

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Header and, for an IN transfer, its data; which it is only the sender of the command knows."""
        seqnum, *_ = _basic(data[:HEADER_LENGTH], CODE_RET_SUBMIT)
        status, actual, *timing = RET_SUBMIT_BODY.unpack(data, BASIC.size)
        payload = data[HEADER_LENGTH:]
        if not 0 <= actual <= MAX_TRANSFER or (payload and len(payload) != actual):
            raise WireError(f"USBIP_RET_SUBMIT: actual_length {actual}, with {len(payload)} bytes of data")
        return cls(seqnum, status, actual, payload, *timing)


@dataclass(frozen=True, slots=True)
class CmdUnlink:
    """The host wants a URB back."""

    seqnum: int
    unlink_seqnum: int
    """The :class:`CmdSubmit` it means."""
    devid: int = 0

    @property
    def payload_length(self) -> int:
        """0: nothing follows the header."""
        return 0

    def pack(self) -> bytes:
        return BASIC.pack(CODE_CMD_UNLINK, self.seqnum, self.devid, 0, 0) + UNLINK_BODY.pack(self.unlink_seqnum)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        seqnum, devid, _, _ = _basic(data, CODE_CMD_UNLINK)
        (unlink_seqnum,) = UNLINK_BODY.unpack(data, BASIC.size)
        return cls(seqnum, unlink_seqnum, devid)


@dataclass(frozen=True, slots=True)
class RetUnlink:
    """The answer to :class:`CmdUnlink`."""

    seqnum: int
    """Of the unlink command."""
    status: int
    """-104 (ECONNRESET) where the URB was taken back, 0 where it had been given back already."""

    def pack(self) -> bytes:
        return BASIC.pack(CODE_RET_UNLINK, self.seqnum, 0, 0, 0) + RET_UNLINK_BODY.pack(self.status)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        seqnum, *_ = _basic(data, CODE_RET_UNLINK)
        return cls(seqnum, *RET_UNLINK_BODY.unpack(data, BASIC.size))


def parse_command(header: bytes) -> CmdSubmit | CmdUnlink:
    """What the host sends: 48 bytes to a command."""
    code = int.from_bytes(exactly("USB/IP header", header, HEADER_LENGTH)[:4], "big")
    if code == CODE_CMD_SUBMIT:
        return CmdSubmit.parse(header)
    if code == CODE_CMD_UNLINK:
        return CmdUnlink.parse(header)
    raise WireError(f"USB/IP header: command {code}, expected {CODE_CMD_SUBMIT} or {CODE_CMD_UNLINK}")


def _basic(header: bytes, wanted: int) -> tuple[int, int, int, int]:
    code, seqnum, devid, direction, endpoint = BASIC.unpack(exactly("USB/IP header", header, HEADER_LENGTH))
    if code != wanted:
        raise WireError(f"USB/IP header: command {code}, expected {wanted}")
    return seqnum, devid, direction, endpoint
