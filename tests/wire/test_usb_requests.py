"""Names of control requests."""

import pytest

from hil.wire.usb_requests import request_name


@pytest.mark.parametrize(
    ("request_type", "request_code", "value", "name"),
    [
        (0x80, 6, 0x0100, "GET_DESCRIPTOR(device)"),
        (0x80, 6, 0x0200, "GET_DESCRIPTOR(configuration)"),
        (0x80, 6, 0x0302, "GET_DESCRIPTOR(string)"),
        (0x80, 6, 0x0F00, "GET_DESCRIPTOR(bos)"),
        (0x80, 6, 0x7700, "GET_DESCRIPTOR(0x77)"),
        (0x00, 5, 3, "SET_ADDRESS"),
        (0x00, 9, 1, "SET_CONFIGURATION"),
        (0x01, 11, 1, "SET_INTERFACE"),
        (0x00, 3, 1, "SET_FEATURE(DEVICE_REMOTE_WAKEUP)"),
        (0x00, 1, 1, "CLEAR_FEATURE(DEVICE_REMOTE_WAKEUP)"),
        (0x02, 1, 0, "CLEAR_FEATURE(ENDPOINT_HALT)"),
        (0x01, 3, 0, "SET_FEATURE(FUNCTION_SUSPEND)"),
        (0x00, 3, 9, "SET_FEATURE(9)"),
        (0x03, 3, 1, "SET_FEATURE"),
        (0x80, 0, 0, "GET_STATUS"),
        (0xA1, 0x80, 0, "GET_NTB_PARAMETERS"),
        (0x21, 0x86, 0, "SET_NTB_INPUT_SIZE"),
        (0x21, 0x43, 0x0E, "SET_ETHERNET_PACKET_FILTER"),
        (0x21, 0x20, 0, "SET_LINE_CODING"),
        (0xA1, 0x21, 0, "GET_LINE_CODING"),
        (0x21, 0x22, 3, "SET_CONTROL_LINE_STATE"),
        (0x21, 0x23, 0xFFFF, "SEND_BREAK"),
        (0xC0, 0x01, 0, "0xc0/0x01"),
        (0x21, 0x7F, 0, "0x21/0x7f"),
        (0x22, 0x20, 0, "0x22/0x20"),
        (0x00, 0x33, 0, "0x00/0x33"),
    ],
)
def test_a_request_has_the_name_of_its_specification(
    request_type: int, request_code: int, value: int, name: str
) -> None:
    """What is got or set stands in parentheses where wValue tells; the rest is hex."""
    assert request_name(request_type, request_code, value) == name
