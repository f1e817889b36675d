"""Names of control requests, as the USB 2.0, CDC 1.2, PSTN 1.2 and NCM 1.0 specifications write them."""

STANDARD = {
    0: "GET_STATUS",
    1: "CLEAR_FEATURE",
    3: "SET_FEATURE",
    5: "SET_ADDRESS",
    6: "GET_DESCRIPTOR",
    7: "SET_DESCRIPTOR",
    8: "GET_CONFIGURATION",
    9: "SET_CONFIGURATION",
    10: "GET_INTERFACE",
    11: "SET_INTERFACE",
    12: "SYNCH_FRAME",
}
"""USB 2.0 table 9-4."""

DESCRIPTORS = {
    1: "device",
    2: "configuration",
    3: "string",
    4: "interface",
    5: "endpoint",
    6: "device_qualifier",
    7: "other_speed_configuration",
    9: "otg",
    10: "debug",
    15: "bos",
    0x21: "hid",
    0x22: "hid_report",
}
"""USB 2.0 table 9-5, USB 3.2 for BOS, HID 1.11 for the last two."""

DEVICE_FEATURES = {1: "DEVICE_REMOTE_WAKEUP", 2: "TEST_MODE"}
ENDPOINT_FEATURES = {0: "ENDPOINT_HALT"}
INTERFACE_FEATURES = {0: "FUNCTION_SUSPEND"}
FEATURES = (DEVICE_FEATURES, INTERFACE_FEATURES, ENDPOINT_FEATURES)
"""USB 2.0 table 9-6, by the recipient in bmRequestType."""

CDC = {
    0x00: "SEND_ENCAPSULATED_COMMAND",
    0x01: "GET_ENCAPSULATED_RESPONSE",
    0x02: "SET_COMM_FEATURE",
    0x03: "GET_COMM_FEATURE",
    0x04: "CLEAR_COMM_FEATURE",
    0x20: "SET_LINE_CODING",
    0x21: "GET_LINE_CODING",
    0x22: "SET_CONTROL_LINE_STATE",
    0x23: "SEND_BREAK",
    0x40: "SET_ETHERNET_MULTICAST_FILTERS",
    0x41: "SET_ETHERNET_POWER_MANAGEMENT_PATTERN_FILTER",
    0x42: "GET_ETHERNET_POWER_MANAGEMENT_PATTERN_FILTER",
    0x43: "SET_ETHERNET_PACKET_FILTER",
    0x44: "GET_ETHERNET_STATISTIC",
    0x80: "GET_NTB_PARAMETERS",
    0x81: "GET_NET_ADDRESS",
    0x82: "SET_NET_ADDRESS",
    0x83: "GET_NTB_FORMAT",
    0x84: "SET_NTB_FORMAT",
    0x85: "GET_NTB_INPUT_SIZE",
    0x86: "SET_NTB_INPUT_SIZE",
    0x87: "GET_MAX_DATAGRAM_SIZE",
    0x88: "SET_MAX_DATAGRAM_SIZE",
    0x89: "GET_CRC_MODE",
    0x8A: "SET_CRC_MODE",
}
"""CDC 1.2 table 19 and the request tables of its subclasses."""

KIND_MASK = 0x60
CLASS_TO_INTERFACE = 0x21
RECIPIENT_MASK = 0x1F
STANDARD_ENDPOINT = 2


def request_name(request_type: int, request: int, value: int) -> str:
    """A name, with what is got or set in parentheses where wValue tells; ``'0xc0/0x01'`` where no table has one."""
    unknown = f"0x{request_type:02x}/0x{request:02x}"
    if request_type & KIND_MASK == 0:
        return _standard_name(request_type & RECIPIENT_MASK, request, value, unknown)
    if request_type & 0x7F == CLASS_TO_INTERFACE:
        return CDC.get(request, unknown)
    return unknown


def _standard_name(recipient: int, request: int, value: int, unknown: str) -> str:
    name = STANDARD.get(request, unknown)
    if name.endswith("_FEATURE") and recipient <= STANDARD_ENDPOINT:
        return f"{name}({FEATURES[recipient].get(value, value)})"
    if name.endswith("_DESCRIPTOR"):
        return f"{name}({DESCRIPTORS.get(value >> 8, f'0x{value >> 8:02x}')})"
    return name
