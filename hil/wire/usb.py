"""USB 2.0 chapter 9: SETUP packets, and descriptors as nested values that count and measure themselves.

A configuration reads as it nests::

    Configuration(functions=(
        InterfaceAssociation(2, 13, 0, (
            Interface(0, 2, 13, functional=(ClassSpecific(0, b"\\x10\\x01"),), endpoints=(Endpoint(0x81, 3, 64, 50),)),
            Interface(1, 10, 0, 1),
        )),
    ))

``pack`` fills in wTotalLength, bNumInterfaces, bNumEndpoints, bFirstInterface and bInterfaceCount; ``parse`` checks
them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from hil.errors import WireError
from hil.wire.layout import Layout, exactly
from hil.wire.usb_requests import request_name

DEVICE, CONFIGURATION, STRING, INTERFACE, ENDPOINT = range(1, 6)
INTERFACE_ASSOCIATION = 11
CS_INTERFACE = 0x24
CS_ENDPOINT = 0x25
LANGUAGE_US_ENGLISH = 0x0409
MAX_DESCRIPTOR = 255

SETUP = Layout("SETUP packet", "<BBHHH")
DEVICE_BODY = Layout("device descriptor", "<BBHBBBBHHHBBBB")
CONFIGURATION_BODY = Layout("configuration descriptor", "<BBHBBBBB")
INTERFACE_BODY = Layout("interface descriptor", "<9B")
ENDPOINT_BODY = Layout("endpoint descriptor", "<BBBBHB")
ASSOCIATION_BODY = Layout("interface association descriptor", "<8B")


@dataclass(frozen=True, slots=True)
class SetupPacket:
    """The eight bytes that open a control transfer (USB 2.0 section 9.3)."""

    request_type: int
    request: int
    value: int
    index: int
    length: int

    @property
    def name(self) -> str:
        """``'GET_DESCRIPTOR(device)'``, ``'SET_NTB_INPUT_SIZE'``, or ``'0xc0/0x01'`` for an unknown request."""
        return request_name(self.request_type, self.request, self.value)

    @property
    def is_in(self) -> bool:
        """The data stage, if any, goes from the device to the host."""
        return bool(self.request_type & 0x80)

    def pack(self) -> bytes:
        return SETUP.pack(self.request_type, self.request, self.value, self.index, self.length)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        return cls(*SETUP.unpack(exactly(SETUP.name, data, SETUP.size)))


@dataclass(frozen=True, slots=True)
class DeviceDescriptor:
    """USB 2.0 table 9-8; the defaults are those of a composite device with an interface association."""

    vendor: int
    product: int
    release: int = 0x0100
    usb: int = 0x0200
    device_class: int = 0xEF
    subclass: int = 2
    protocol: int = 1
    max_packet: int = 64
    manufacturer_string: int = 1
    product_string: int = 2
    serial_string: int = 3
    configurations: int = 1

    def pack(self) -> bytes:
        classes = (self.device_class, self.subclass, self.protocol)
        strings = (self.manufacturer_string, self.product_string, self.serial_string)
        front = (DEVICE_BODY.size, DEVICE, self.usb, *classes, self.max_packet)
        return DEVICE_BODY.pack(*front, self.vendor, self.product, self.release, *strings, self.configurations)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        values = DEVICE_BODY.unpack(exactly(DEVICE_BODY.name, data, DEVICE_BODY.size))
        length, kind, usb, device_class, subclass, protocol, max_packet, vendor, product, release, *rest = values
        if (length, kind) != (DEVICE_BODY.size, DEVICE):
            raise WireError(f"device descriptor: length {length} type {kind}, expected {DEVICE_BODY.size} and {DEVICE}")
        return cls(vendor, product, release, usb, device_class, subclass, protocol, max_packet, *rest)


@dataclass(frozen=True, slots=True)
class ClassSpecific:
    """A descriptor of a class, or any that this module does not know: length, type, subtype, payload."""

    subtype: int
    payload: bytes = b""
    descriptor_type: int = CS_INTERFACE

    def pack(self) -> bytes:
        length = 3 + len(self.payload)
        if length > MAX_DESCRIPTOR or not (0 <= self.subtype <= 255 and 0 <= self.descriptor_type <= 255):
            raise WireError(f"class-specific descriptor: {self} does not fit 255 bytes with types up to 255")
        return bytes((length, self.descriptor_type, self.subtype)) + self.payload

    @classmethod
    def parse(cls, data: bytes) -> Self:
        if len(data) < 3 or data[0] != len(data):
            raise WireError(f"descriptor {data.hex()}: expected a length byte of {len(data)} and at least 3 bytes")
        return cls(data[2], data[3:], data[1])


@dataclass(frozen=True, slots=True)
class Endpoint:
    """USB 2.0 table 9-13."""

    address: int
    """With the direction bit 0x80 for IN."""
    attributes: int
    """1 isochronous, 2 bulk, 3 interrupt."""
    max_packet: int
    interval: int = 0
    functional: tuple[ClassSpecific, ...] = ()
    """Descriptors that follow it, such as CS_ENDPOINT."""
    extra: bytes = b""
    """Bytes after bInterval: audio and MIDI endpoints are 9 bytes long (USB Audio 1.0 section 4.6.1.1)."""

    def pack(self) -> bytes:
        length = ENDPOINT_BODY.size + len(self.extra)
        own = ENDPOINT_BODY.pack(length, ENDPOINT, self.address, self.attributes, self.max_packet, self.interval)
        return own + self.extra + b"".join(part.pack() for part in self.functional)


@dataclass(frozen=True, slots=True)
class Interface:
    """USB 2.0 table 9-12: one alternate setting of one interface."""

    number: int
    interface_class: int
    subclass: int = 0
    protocol: int = 0
    alternate: int = 0
    string: int = 0
    functional: tuple[ClassSpecific, ...] = ()
    """Between the interface descriptor and its endpoints."""
    endpoints: tuple[Endpoint, ...] = ()

    def pack(self) -> bytes:
        classes = (self.interface_class, self.subclass, self.protocol)
        front = (
            INTERFACE_BODY.size,
            INTERFACE,
            self.number,
            self.alternate,
            len(self.endpoints),
            *classes,
            self.string,
        )
        functional = b"".join(part.pack() for part in self.functional)
        return INTERFACE_BODY.pack(*front) + functional + b"".join(part.pack() for part in self.endpoints)


@dataclass(frozen=True, slots=True)
class InterfaceAssociation:
    """Interfaces of one function (Interface Association Descriptor ECN)."""

    function_class: int
    subclass: int
    protocol: int
    interfaces: tuple[Interface, ...]
    string: int = 0

    def pack(self) -> bytes:
        numbers = {interface.number for interface in self.interfaces}
        if not numbers or max(numbers) - min(numbers) + 1 != len(numbers):
            raise WireError(f"interface association: interfaces {sorted(numbers)}, expected one contiguous run")
        classes = (self.function_class, self.subclass, self.protocol)
        front = (ASSOCIATION_BODY.size, INTERFACE_ASSOCIATION, min(numbers), len(numbers), *classes, self.string)
        return ASSOCIATION_BODY.pack(*front) + b"".join(interface.pack() for interface in self.interfaces)


@dataclass(frozen=True, slots=True)
class Configuration:
    """USB 2.0 table 9-10, with everything below it."""

    functions: tuple[InterfaceAssociation | Interface, ...]
    value: int = 1
    string: int = 0
    attributes: int = 0xA0
    """0x80 always, 0x40 self-powered, 0x20 remote wakeup."""
    max_power_ma: int = 100
    """In steps of 2 mA."""
    functional: tuple[ClassSpecific, ...] = ()
    """Right after the configuration descriptor, such as OTG."""

    @property
    def interfaces(self) -> tuple[Interface, ...]:
        """Every alternate setting of every interface, in wire order."""
        return tuple(part for part in self.walk() if isinstance(part, Interface))

    def pack(self) -> bytes:
        body = b"".join(part.pack() for part in (*self.functional, *self.functions))
        count = len({interface.number for interface in self.interfaces})
        front = (CONFIGURATION_BODY.size, CONFIGURATION, CONFIGURATION_BODY.size + len(body), count)
        return CONFIGURATION_BODY.pack(*front, self.value, self.string, self.attributes, self.max_power_ma // 2) + body

    def walk(self) -> "Iterator[Descriptor]":
        """This descriptor and all below it, in wire order."""
        yield self
        yield from self.functional
        for function in self.functions:
            if isinstance(function, InterfaceAssociation):
                yield function
            for interface in function.interfaces if isinstance(function, InterfaceAssociation) else (function,):
                yield interface
                yield from interface.functional
                for endpoint in interface.endpoints:
                    yield endpoint
                    yield from endpoint.functional

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """The tree; WireError where a length, a count or the nesting is wrong."""
        length, kind, total, count, value, string, attributes, power = CONFIGURATION_BODY.unpack(data)
        if (length, kind, total) != (CONFIGURATION_BODY.size, CONFIGURATION, len(data)):
            found = f"length {length} type {kind} wTotalLength {total}"
            raise WireError(f"configuration descriptor: {found}, expected 9, {CONFIGURATION} and {len(data)}")
        reader = _TreeReader(data)
        functional = reader.functional()
        functions = tuple(reader.functions())
        made = cls(functions, value, string, attributes, power * 2, functional)
        _check_interfaces(made.interfaces, count)
        return made


Descriptor = Configuration | InterfaceAssociation | Interface | Endpoint | ClassSpecific


def walk(config: bytes) -> Iterator[Descriptor]:
    """Every descriptor of a configuration in wire order, each holding those nested in it.

    Raises:
        WireError: a length, a count or the nesting is wrong; before anything is yielded.
    """
    return Configuration.parse(config).walk()


def _check_interfaces(interfaces: tuple[Interface, ...], count: int) -> None:
    settings = [(interface.number, interface.alternate) for interface in interfaces]
    if len(set(settings)) != len(settings):
        raise WireError(f"configuration descriptor: an alternate setting comes twice: {sorted(settings)}")
    numbers = {number for number, _ in settings}
    if len(numbers) != count:
        raise WireError(f"configuration descriptor: bNumInterfaces {count}, but interfaces {sorted(numbers)}")


class _TreeReader:
    """Reads the descriptors after the configuration's own, one nesting level a method."""

    def __init__(self, config: bytes) -> None:
        self._parts = _split(config, CONFIGURATION_BODY.size)
        self._at = 0

    def _kind(self) -> int:
        return self._parts[self._at][1] if self._at < len(self._parts) else 0

    def _take(self) -> bytes:
        self._at += 1
        return self._parts[self._at - 1]

    def functional(self) -> tuple[ClassSpecific, ...]:
        found = []
        while self._kind() not in (0, DEVICE, CONFIGURATION, STRING, INTERFACE, ENDPOINT, INTERFACE_ASSOCIATION):
            found.append(ClassSpecific.parse(self._take()))
        return tuple(found)

    def functions(self) -> Iterator[InterfaceAssociation | Interface]:
        while self._at < len(self._parts):
            kind = self._kind()
            if kind == INTERFACE_ASSOCIATION:
                yield self._association()
            elif kind == INTERFACE:
                yield self._interface()
            else:
                raise WireError(
                    f"configuration descriptor: descriptor {self._take().hex()} of type {kind} out of place"
                )

    def _association(self) -> InterfaceAssociation:
        own = self._take()
        _, _, first, count, function_class, subclass, protocol, string = ASSOCIATION_BODY.unpack(
            exactly(ASSOCIATION_BODY.name, own, ASSOCIATION_BODY.size)
        )
        interfaces = []
        while self._kind() == INTERFACE and first <= self._number() < first + count:
            interfaces.append(self._interface())
        if len({interface.number for interface in interfaces}) != count or not count:
            raise WireError(f"interface association {own.hex()}: {count} interfaces from {first} do not follow it")
        return InterfaceAssociation(function_class, subclass, protocol, tuple(interfaces), string)

    def _number(self) -> int:
        own = self._parts[self._at]
        return own[2] if len(own) > 2 else -1

    def _interface(self) -> Interface:
        own = exactly(INTERFACE_BODY.name, self._take(), INTERFACE_BODY.size)
        _, _, number, alternate, count, interface_class, subclass, protocol, string = INTERFACE_BODY.unpack(own)
        functional = self.functional()
        endpoints = []
        while self._kind() == ENDPOINT:
            endpoints.append(self._endpoint())
        if len({endpoint.address for endpoint in endpoints}) != count or len(endpoints) != count:
            found = [f"0x{endpoint.address:02x}" for endpoint in endpoints]
            raise WireError(f"interface {number}.{alternate}: bNumEndpoints {count}, but endpoints {found}")
        classes = (interface_class, subclass, protocol)
        return Interface(number, *classes, alternate, string, functional, tuple(endpoints))

    def _endpoint(self) -> Endpoint:
        own = self._take()
        _, _, address, attributes, max_packet, interval = ENDPOINT_BODY.unpack(own)
        return Endpoint(address, attributes, max_packet, interval, self.functional(), own[ENDPOINT_BODY.size :])


def _split(config: bytes, offset: int) -> list[bytes]:
    parts = []
    while offset < len(config):
        length = config[offset]
        if length < 2 or offset + length > len(config):
            raise WireError(
                f"configuration descriptor: descriptor at byte {offset} has length {length} of {len(config)}"
            )
        if config[offset + 1] == 0:
            raise WireError(f"configuration descriptor: descriptor at byte {offset} has type 0")
        parts.append(config[offset : offset + length])
        offset += length
    return parts


def string_descriptor(text: str) -> bytes:
    """A string descriptor (USB 2.0 section 9.6.7); WireError where it is over 126 UTF-16 units."""
    try:
        body = text.encode("utf-16-le")
    except UnicodeEncodeError as error:
        raise WireError(f"string descriptor: {text!r} has no UTF-16 form") from error
    return _string(body)


def language_descriptor(*languages: int) -> bytes:
    """String descriptor 0: the languages of the others."""
    if not all(0 <= language <= 0xFFFF for language in languages):
        raise WireError(f"string descriptor 0: languages {languages}, expected 16-bit numbers")
    return _string(b"".join(language.to_bytes(2, "little") for language in languages or (LANGUAGE_US_ENGLISH,)))


def _string(body: bytes) -> bytes:
    if len(body) + 2 > MAX_DESCRIPTOR:
        raise WireError(f"string descriptor: {len(body)} bytes of UTF-16, at most {MAX_DESCRIPTOR - 2}")
    return bytes((len(body) + 2, STRING)) + body


def parse_string_descriptor(data: bytes) -> str:
    """The text of a string descriptor, unpaired surrogates replaced."""
    if len(data) < 2 or data[0] != len(data) or data[1] != STRING or len(data) % 2:
        raise WireError(f"string descriptor {data.hex()}: expected an even length byte of {len(data)} and type 3")
    return data[2:].decode("utf-16-le", errors="replace")
