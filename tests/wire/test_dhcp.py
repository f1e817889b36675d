"""DHCP messages."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.errors import WireError
from hil.wire import dhcp
from hil.wire.addresses import ipv4_text, mac_text
from hil.wire.dhcp import DhcpMessage
from hil.wire.ethernet import BROADCAST, ETHERTYPE_IPV4, EthernetFrame
from hil.wire.ipv4 import PROTOCOL_TCP, PROTOCOL_UDP, Ipv4Packet
from hil.wire.udp import UdpDatagram

PURE = settings(deadline=None, derandomize=True, database=None, max_examples=80)
IPS = st.binary(min_size=4, max_size=4).map(ipv4_text)
CHECKED = {*dhcp.OPTION_LENGTHS, *dhcp.ADDRESS_LISTS, dhcp.OPTION_OVERLOAD}
FREE_CODES = st.sampled_from(sorted(set(range(1, 255)) - CHECKED))
OPTIONS = st.dictionaries(
    FREE_CODES, st.one_of(st.binary(max_size=20), st.binary(min_size=250, max_size=600)), max_size=4
)
MESSAGES = st.builds(
    DhcpMessage,
    op=st.sampled_from([dhcp.BOOTREQUEST, dhcp.BOOTREPLY]),
    xid=st.integers(0, 0xFFFF_FFFF),
    chaddr=st.binary(min_size=6, max_size=6).map(mac_text),
    ciaddr=IPS,
    yiaddr=IPS,
    siaddr=IPS,
    giaddr=IPS,
    secs=st.integers(0, 0xFFFF),
    flags=st.integers(0, 0xFFFF),
    options=OPTIONS.map(lambda made: ((dhcp.OPTION_MESSAGE_TYPE, b"\x01"), *made.items())),
    sname=st.binary(max_size=64).map(lambda name: name.rstrip(b"\0")),
    file=st.binary(max_size=128).map(lambda name: name.rstrip(b"\0")),
    hops=st.integers(0, 255),
)
CLIENT, SERVER = "02:02:11:22:33:01", "02:02:11:22:33:02"
DISCOVER = DhcpMessage(1, 0x12345678, CLIENT, options=((53, b"\x01"), (55, bytes([1, 121, 3, 6]))))
DISCOVER_FRAME = dhcp.frame(DISCOVER, CLIENT, BROADCAST, "0.0.0.0", "255.255.255.255")
OPTIONS_AT = 240
FILE_AT, SNAME_AT = 108, 44


def raw(options: bytes, file: bytes = b"", sname: bytes = b"") -> bytes:
    """A message with these very bytes in its three option fields."""
    data = bytearray(DhcpMessage(1, 1, CLIENT).pack()[:OPTIONS_AT])
    data[FILE_AT : FILE_AT + len(file)] = file
    data[SNAME_AT : SNAME_AT + len(sname)] = sname
    return bytes(data) + options


@PURE
@given(MESSAGES)
def test_a_message_survives_the_round_trip(message: DhcpMessage) -> None:
    """Options over 255 bytes included, which are split and joined again."""
    assert DhcpMessage.parse(message.pack()) == message


@PURE
@given(st.binary(max_size=60), st.binary(max_size=128), st.binary(max_size=64), st.sampled_from([b"", b"\x34\x01\x03"]))
def test_any_options_are_read_or_a_wire_error(options: bytes, file: bytes, sname: bytes, overload: bytes) -> None:
    """Random bytes in all option fields raise nothing but WireError, and what was read can be asked for."""
    try:
        message = DhcpMessage.parse(raw(overload + options, file, sname))
    except WireError:
        return
    assert 0 <= message.message_type <= 255
    for code in dhcp.OPTION_LENGTHS:
        assert (
            dhcp.OPTION_LENGTHS[code] != 4
            or message.address_option(code) is None
            or message.u32_option(code) is not None
        )
    assert message.address_option(dhcp.OPTION_ROUTER) is None or message.option(dhcp.OPTION_ROUTER)


@PURE
@given(st.one_of(st.binary(max_size=400), st.just(DISCOVER_FRAME)), st.integers(0, 400), st.integers(0, 255))
def test_any_frame_is_a_message_or_none_or_a_wire_error(frame: bytes, at: int, value: int) -> None:
    """Random frames and a DISCOVER with one byte changed."""
    damaged = bytearray(frame)
    if at < len(damaged):
        damaged[at] = value
    try:
        dhcp.from_frame(bytes(damaged))
    except WireError:
        return


@PURE
@given(st.integers(0, len(DISCOVER_FRAME) - 1))
def test_no_prefix_of_a_frame_is_a_message(length: int) -> None:
    """A frame that was cut is refused."""
    with pytest.raises(WireError):
        dhcp.from_frame(DISCOVER_FRAME[:length])


def test_a_frame_holds_at_least_300_bytes_of_bootp() -> None:
    """RFC 1542 section 2.1; 14, 20 and 8 bytes of headers before it."""
    assert len(DISCOVER_FRAME) == 14 + 20 + 8 + 300
    assert dhcp.from_frame(DISCOVER_FRAME) == DISCOVER


def test_a_reply_goes_from_port_67_to_68() -> None:
    """The direction follows op."""
    offer = DhcpMessage(2, 1, CLIENT, yiaddr="192.168.7.2", options=((53, b"\x02"),))
    frame = dhcp.frame(offer, SERVER, CLIENT, "192.168.7.1", "192.168.7.2")
    datagram = UdpDatagram.parse(Ipv4Packet.parse(EthernetFrame.parse(frame).payload).payload)
    assert (datagram.sport, datagram.dport) == (67, 68)
    assert dhcp.from_frame(frame) == offer


def test_options_of_the_esp_idf_server_are_read_in_its_order() -> None:
    """53, 1, 51, 54, 6, 28, 26, 31, 43, as its offers carry them."""
    options = bytes.fromhex("350102 0104ffffff00 33040000003c 3604c0a80701 0604c0a80701 1c04c0a807ff 1a0205dc 1f0100")
    message = DhcpMessage.parse(raw(options + bytes.fromhex("2b06010400000002 ff")))
    assert [code for code, _ in message.options] == [53, 1, 51, 54, 6, 28, 26, 31, 43]
    assert message.message_type == dhcp.OFFER
    assert message.u32_option(dhcp.OPTION_LEASE_TIME) == 60
    assert message.address_option(dhcp.OPTION_SERVER_ID) == "192.168.7.1"
    assert message.address_option(dhcp.OPTION_ROUTER) is None


def test_overloaded_fields_are_read_file_first() -> None:
    """RFC 3396 section 5: options, then file, then sname; the fields themselves then hold nothing."""
    message = DhcpMessage.parse(
        raw(b"\x34\x01\x03\x3c\x01a\xff", file=b"\x3c\x01b\x35\x01\x05\xff", sname=b"\0\x3c\x01c\xff")
    )
    assert message.options == ((60, b"abc"), (53, b"\x05"))
    assert (message.file, message.sname) == (b"", b"")


@pytest.mark.parametrize(("overload", "wanted"), [(1, b"ab"), (2, b"ac")])
def test_only_the_overloaded_field_is_read(overload: int, wanted: bytes) -> None:
    """Value 1 is file, value 2 is sname; the other one stays a name."""
    message = DhcpMessage.parse(raw(bytes((52, 1, overload)) + b"\x3c\x01a\xff", b"\x3c\x01b\xff", b"\x3c\x01c\xff"))
    assert message.option(60) == wanted
    assert (message.file, message.sname) == ((b"", b"\x3c\x01c\xff") if overload == 1 else (b"\x3c\x01b\xff", b""))


def test_options_of_one_code_are_joined_where_the_first_stands() -> None:
    """RFC 3396 section 7."""
    message = DhcpMessage.parse(raw(b"\x0c\x02ab\x3c\x01x\x00\x00\x0c\x01c\xff\x0c\x01z"))
    assert message.options == ((12, b"abc"), (60, b"x"))


def test_an_option_over_255_bytes_is_split() -> None:
    """In pieces of 255, in order."""
    packed = DhcpMessage(1, 1, CLIENT, options=((61, bytes(300)),)).pack()
    assert packed[OPTIONS_AT : OPTIONS_AT + 2] == bytes((61, 255))
    assert packed[OPTIONS_AT + 257 : OPTIONS_AT + 259] == bytes((61, 45))


@pytest.mark.parametrize("options", [b"", b"\0\0", b"\x35\x01\x01", b"\x35\x01\x01\0\0"])
def test_a_missing_end_option_is_accepted(options: bytes) -> None:
    """The field's end ends it."""
    assert DhcpMessage.parse(raw(options)).message_type == (1 if options.startswith(b"\x35") else 0)


@pytest.mark.parametrize("options", [b"\x35", b"\x35\x01", b"\x35\x02\x01", b"\x0c\xff" + bytes(254)])
def test_an_option_past_the_end_is_refused(options: bytes) -> None:
    """Also where only its length byte is missing."""
    with pytest.raises(WireError, match="runs past the end of the options field at byte 0"):
        DhcpMessage.parse(raw(options))


def test_an_option_past_the_end_of_an_overloaded_field_is_refused() -> None:
    """Options may not continue from file into sname (RFC 2132 section 9.3)."""
    with pytest.raises(WireError, match="runs past the end of the file field"):
        DhcpMessage.parse(raw(b"\x34\x01\x01\xff", file=bytes(126) + b"\x0c\x09"))


@pytest.mark.parametrize(
    "option", ["340100", "340104", "34020101", "3500", "35020101", "3303000001", "3605c0a8070101", "0300", "03020102"]
)
def test_an_option_of_impossible_length_is_refused(option: str) -> None:
    """Those that clients act on, and the value of option 52."""
    with pytest.raises(WireError, match=rf"DHCP option {int(option[:2], 16)}: "):
        DhcpMessage.parse(raw(bytes.fromhex(option)))


@pytest.mark.parametrize(("at", "message"), [(236, "magic cookie"), (0, "op 255"), (1, "htype 255"), (2, "hlen 255")])
def test_a_wrong_fixed_field_is_refused(at: int, message: str) -> None:
    """Cookie, op, hardware type and address length."""
    data = bytearray(DISCOVER.pack())
    data[at] = 0xFF
    with pytest.raises(WireError, match=message):
        DhcpMessage.parse(bytes(data))


@pytest.mark.parametrize("code", [0, 255, 256, -1])
def test_pad_and_end_are_no_options_to_pack(code: int) -> None:
    """They have no length and no value."""
    with pytest.raises(WireError, match=r"expected 1\.\.254"):
        DhcpMessage(1, 1, CLIENT, options=((code, b""),)).pack()


def test_names_that_do_not_fit_are_refused() -> None:
    """sname has 64 bytes, file 128."""
    with pytest.raises(WireError, match="sname has 65 bytes of 64, file 0 of 128"):
        DhcpMessage(1, 1, CLIENT, sname=bytes(65)).pack()


def test_asking_a_value_of_another_length_is_refused() -> None:
    """A message made by hand may hold what parse would refuse."""
    message = DhcpMessage(1, 1, CLIENT, options=((51, b"\x01"), (54, b"")))
    with pytest.raises(WireError, match="DHCP option 51"):
        message.u32_option(51)
    with pytest.raises(WireError, match="DHCP option 54"):
        message.address_option(54)


def test_frames_of_others_are_none() -> None:
    """Another ethertype, TCP, other ports, and fragments, whose ports are not all there."""

    def framed(packet: Ipv4Packet) -> bytes:
        return EthernetFrame(BROADCAST, CLIENT, ETHERTYPE_IPV4, packet.pack()).pack()

    udp = UdpDatagram(68, 67, b"").pack("0.0.0.0", "255.255.255.255")
    dns = UdpDatagram(68, 53, b"").pack("0.0.0.0", "255.255.255.255")
    base = ("0.0.0.0", "255.255.255.255")
    assert dhcp.from_frame(EthernetFrame(BROADCAST, CLIENT, 0x86DD, b"").pack()) is None
    assert dhcp.from_frame(framed(Ipv4Packet(*base, PROTOCOL_TCP, udp))) is None
    assert dhcp.from_frame(framed(Ipv4Packet(*base, PROTOCOL_UDP, dns))) is None
    assert dhcp.from_frame(framed(Ipv4Packet(*base, PROTOCOL_UDP, udp, more_fragments=True))) is None


def test_a_frame_with_a_wrong_udp_checksum_is_refused() -> None:
    """A board that corrupts a payload is told by it."""
    data = bytearray(DISCOVER_FRAME)
    data[-1] ^= 1
    with pytest.raises(WireError, match="UDP checksum"):
        dhcp.from_frame(bytes(data))


@pytest.mark.slow
def test_scapy_reads_what_is_packed() -> None:
    """The independent reader finds the layers, the fields, the options and right checksums."""
    from scapy.layers.dhcp import BOOTP, DHCP
    from scapy.layers.inet import IP, UDP
    from scapy.layers.l2 import Ether

    seen = Ether(DISCOVER_FRAME)
    assert (seen[BOOTP].xid, seen[BOOTP].chaddr[:6].hex(":")) == (DISCOVER.xid, CLIENT)
    assert seen[DHCP].options[:2] == [("message-type", 1), ("param_req_list", [1, 121, 3, 6])]
    sums = (seen[IP].chksum, seen[UDP].chksum)
    del seen[IP].chksum, seen[UDP].chksum
    again = Ether(bytes(seen))
    assert (again[IP].chksum, again[UDP].chksum) == sums


@pytest.mark.slow
def test_a_message_of_scapy_is_read() -> None:
    """Options that the independent writer makes come back as raw bytes."""
    from scapy.layers.dhcp import BOOTP, DHCP
    from scapy.layers.inet import IP, UDP
    from scapy.layers.l2 import Ether

    options = [("message-type", "ack"), ("server_id", "192.168.7.1"), ("lease_time", 60), "end"]
    bootp = BOOTP(op=2, xid=7, chaddr=bytes.fromhex(CLIENT.replace(":", "")), yiaddr="192.168.7.2") / DHCP(
        options=options
    )
    frame = Ether(src=SERVER, dst=CLIENT) / IP(src="192.168.7.1", dst="192.168.7.2") / UDP(sport=67, dport=68) / bootp
    message = dhcp.from_frame(bytes(frame))
    assert message is not None
    assert (message.message_type, message.yiaddr, message.chaddr) == (dhcp.ACK, "192.168.7.2", CLIENT)
    assert (message.address_option(54), message.u32_option(51)) == ("192.168.7.1", 60)
