"""Named namespaces, and doing things inside them."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from hil.agent.server import namespaces
from hil.agent.server.interfaces import set_address, set_link
from hil.agent.server.namespaces import Namespace
from hil.errors import AgentError

pytestmark = pytest.mark.root


@pytest.fixture
def namespace() -> Iterator[Namespace]:
    """A namespace of the test's own."""
    made = namespaces.create(f"hil-n{os.getpid()}")
    yield made
    made.close()
    namespaces.remove(made.name)


def test_a_name_is_taken_once(namespace: Namespace) -> None:
    """A second one of the same name is refused, and the first is unharmed."""
    with pytest.raises(FileExistsError):
        namespaces.create(namespace.name)
    again = namespaces.open_named(namespace.name)
    assert os.fstat(again.descriptor).st_ino == os.fstat(namespace.descriptor).st_ino
    again.close()


def test_a_deed_inside_leaves_the_process_outside(namespace: Namespace) -> None:
    """The calling thread stays where it was; what was opened inside stays inside."""
    before = os.stat("/proc/thread-self/ns/net").st_ino
    inside = namespace.run(lambda: os.stat("/proc/thread-self/ns/net").st_ino)
    assert inside == os.fstat(namespace.descriptor).st_ino != before
    assert os.stat("/proc/thread-self/ns/net").st_ino == before


def test_an_error_inside_comes_out(namespace: Namespace) -> None:
    """The caller gets the OSError that the deed raised."""
    with pytest.raises(OSError, match="No such device"):
        namespace.run(lambda: _bind_to("none"))


def test_an_error_of_any_kind_comes_out(namespace: Namespace) -> None:
    """It does not read as a thread that took too long."""
    with pytest.raises(AgentError, match=r"^the real reason$"):
        namespace.run(lambda: _refuse("the real reason"))


def _refuse(words: str) -> None:
    raise AgentError(words)


def _bind_to(name: str) -> None:
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as packets:
        packets.bind((name, 0))


def test_removing_twice_is_no_error(namespace: Namespace) -> None:
    """A namespace that somebody else removed does not stand in the way of undoing."""
    namespaces.remove(namespace.name)
    namespaces.remove(namespace.name)


def test_interfaces_are_made_and_configured(namespace: Namespace) -> None:
    """rtnetlink inside: links, addresses, routes, each error with its errno."""
    with namespace.route() as route:
        route.add_veth("v0", "v1")
        links = {link.name: link for link in route.links()}
        assert set(links) == {"lo", "v0", "v1"}
        assert (links["lo"].admin_up, links["v0"].admin_up) == (True, False)
        with pytest.raises(FileExistsError):
            route.add_veth("v0", "v2")
        with pytest.raises(OSError, match="No such device"):
            route.set_up(99, True)
        with pytest.raises(OSError, match="Network is unreachable"):
            route.add_default_route(links["v0"].index, "192.168.7.1")
        route.set_up(links["v0"].index, True)
        route.add_address(links["v0"].index, "192.168.7.2", 24)
        route.add_address(links["v0"].index, "192.168.7.2", 24)
        route.add_default_route(links["v0"].index, "192.168.7.1")
        route.add_default_route(links["v0"].index, "192.168.7.3")
        table = namespace.run(Path("/proc/thread-self/net/route").read_text)
        assert [line.split()[1:3] for line in table.splitlines() if line.split()[1] == "00000000"] == [
            ["00000000", "0307A8C0"]
        ]
        assert route.clear_addresses(links["v0"].index) == ["192.168.7.2"]
        assert route.clear_addresses(links["v0"].index) == []


def test_a_namespace_without_interface_says_so(namespace: Namespace) -> None:
    """What needs an interface names the namespace that has none."""
    for deed in (lambda: set_link(namespace, True), lambda: set_address(namespace, "192.168.7.2", 24, "")):
        with pytest.raises(AgentError, match=f"namespace {namespace.name} holds no interface"):
            deed()
