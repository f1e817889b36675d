"""Requests to rtnetlink over one socket, answered within a second by the kernel itself."""

import os
import socket
from collections.abc import Callable

from hil.wire import rtnetlink_requests as requests
from hil.wire.rtnetlink import NLMSG_DONE, NLMSG_ERROR, Address, Link, Message, item, messages

RTMGRP_LINK = 0x1
RTMGRP_IPV4_IFADDR = 0x10
_TIMEOUT_S = 5.0
_DATAGRAM = 1 << 17


class RouteSocket:
    """rtnetlink in the network namespace in which ``connection`` was opened."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._socket.settimeout(_TIMEOUT_S)
        self._sequence = 0

    def close(self) -> None:
        self._socket.close()

    def __enter__(self) -> "RouteSocket":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def links(self) -> list[Link]:
        """All interfaces, loopback included."""
        return [found for found in map(item, self._ask(requests.dump_links)) if isinstance(found, Link)]

    def set_up(self, index: int, up: bool) -> None:
        """Set or clear IFF_UP.

        Raises:
            OSError: the kernel refused; ENODEV: the interface is gone.
        """
        self._ask(lambda sequence: requests.set_up(index, up, sequence))

    def move(self, index: int, namespace_fd: int) -> None:
        """Move an interface into another namespace; it arrives there down, with the index it had where that is free.

        Raises:
            OSError: the kernel refused; ENODEV: the interface is gone.
        """
        self._ask(lambda sequence: requests.move(index, namespace_fd, sequence))

    def add_address(self, index: int, address: str, prefix: int) -> None:
        """Give the interface an IPv4 address, or leave it where it has it.

        Raises:
            OSError: the kernel refused.
        """
        self._ask(lambda sequence: requests.new_address(index, address, prefix, sequence))

    def clear_addresses(self, index: int) -> list[str]:
        """Take every IPv4 address off the interface; routes through it go with them. Returns what was taken."""
        found = [each for each in map(item, self._ask(requests.dump_addresses)) if isinstance(each, Address)]
        mine = [each for each in found if each.index == index]
        for each in mine:
            self._remove(each)
        return [each.address for each in mine]

    def _remove(self, address: Address) -> None:
        self._ask(lambda sequence: requests.delete_address(address.index, address.address, address.prefix, sequence))

    def add_default_route(self, index: int, router: str) -> None:
        """Route 0.0.0.0/0 through ``router``, in place of a default route that is there.

        Raises:
            OSError: the kernel refused; ENETUNREACH: no address of the interface is in the router's network.
        """
        self._ask(lambda sequence: requests.new_default_route(index, router, sequence))

    def add_veth(self, name: str, peer: str) -> None:
        """Make a pair of interfaces.

        Raises:
            OSError: the kernel refused; EEXIST: a name is taken.
        """
        self._ask(lambda sequence: requests.new_veth(name, peer, None, sequence))

    def _ask(self, request: Callable[[int], bytes]) -> list[Message]:
        """Send what ``request`` makes of a sequence number; returns the answers but the last, which only ends them."""
        self._sequence += 1
        self._socket.send(request(self._sequence))
        answers: list[Message] = []
        while True:
            for message in messages(self._socket.recv(_DATAGRAM)):
                if message.sequence != self._sequence:
                    continue
                if message.kind == NLMSG_ERROR and message.error:
                    raise OSError(message.error, f"rtnetlink: {os.strerror(message.error)}")
                if message.kind in (NLMSG_DONE, NLMSG_ERROR):
                    return answers
                answers.append(message)
