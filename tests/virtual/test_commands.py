"""hil.virtual.commands: every command of the core has its class."""

import ctypes
from typing import get_args

import pytest

from hil.virtual import core_abi
from hil.virtual.commands import CdcWrite, Command, SetAddress, decode

KINDS = range(core_abi.START_USB, core_abi.STOP_DHCP_CLIENT + 1)


def command_of(kind: int, data: bytes = b"") -> core_abi.Command:
    buffer = ctypes.create_string_buffer(data, max(1, len(data)))
    return core_abi.Command(kind=kind, length=len(data), bytes=ctypes.addressof(buffer), text=b"mounted")


def test_each_kind_is_a_class_of_its_own() -> None:
    """Every number of the core's enumeration is decoded, no two to one class, and no class is left over."""
    assert {type(decode(command_of(kind))) for kind in KINDS} == set(get_args(Command))
    assert len(KINDS) == len(get_args(Command))


def test_fields_are_those_of_the_core() -> None:
    """Bytes are copied by their length, addresses are text."""
    assert decode(command_of(core_abi.CDC_WRITE, b"a\0b")) == CdcWrite(b"a\0b")
    command = command_of(core_abi.SET_ADDRESS)
    command.address[:], command.router[:], command.prefix = (10, 0, 0, 7), (10, 0, 0, 1), 24
    assert decode(command) == SetAddress("10.0.0.7", 24, "10.0.0.1")


def test_unknown_kind_is_refused() -> None:
    """A number that the core does not have is a mistake of the binding."""
    with pytest.raises(KeyError):
        decode(command_of(core_abi.STOP_DHCP_CLIENT + 1))
