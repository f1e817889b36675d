"""What the agent does in the kernel, in namespaces that the test makes for itself."""

import contextlib
import os
import pty
import select
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from hil.agent.replies import ConnectFailed, PortHeld, PortWatched
from hil.agent.server import namespaces, uevents
from hil.agent.server.namespaces import IPV6_DEFAULT, Namespace
from hil.agent.server.usbdevice import UsbDevice
from hil.clock import Deadline
from hil.errors import AgentError, AgentRefused, VirtualBoardError
from hil.testing.private_agent import PrivateAgent, rename
from hil.wire.uevent import KernelUevent

pytestmark = pytest.mark.root
NOBODY = 65534
GOOD_BOARD = (
    "import json, os, socket, sys\n"
    "control = socket.socket(fileno=int(sys.argv[1]))\n"
    "lines = control.makefile('rb')\n"
    "lines.readline()\n"
    "answer = {'id': 1, 'ok': True, 'usb': '1-4', 'console': '', 'lan': '', 'address': '', 't_ns': 77}\n"
    "control.send((json.dumps(answer) + '\\n').encode())\n"
    "lines.readline()\n"
)


class Bench:
    """A private agent, one client of it, and the namespace that the agent takes for the machine's own."""

    def __init__(self, private: PrivateAgent) -> None:
        self.private = private
        self.board = private.board
        self.tree = private.tree
        self.tree.attach("1-1.2")
        self.agent = private.client()
        self.home = Namespace("home", os.open(f"/proc/{self.agent.hello.pid}/ns/net", os.O_RDONLY))

    def inside(self) -> Namespace:
        return namespaces.open_named(f"hil-{self.board}")

    def make_interface(self, name: str) -> int:
        """A veth that sysfs shows below the board. Returns its index; its peer is called far."""
        with self.home.route() as route:
            route.add_veth(name, "far")
            route.set_up(self.index("far"), True)
        self.tree.add_interface("1-1.2", name, self.index(name))
        return self.index(name)

    def index(self, name: str) -> int:
        return {link.name: link.index for link in _links(self.home)}[name]

    def adopted(self) -> dict[str, Any]:
        """The next notification, which must be that an interface was adopted."""
        (message, descriptors), *more = self.agent.notifications(5.0)
        assert (message["notify"], descriptors, more) == ("interface_adopted", [], [])
        return message

    def inject(self, event: KernelUevent) -> None:
        """Have the kernel announce something in the agent's namespace (uevent_net_rcv, lib/kobject_uevent.c)."""
        with self.home.run(uevents.open_socket) as events:
            data = event.pack()
            header = struct.pack("=IHHII", 16 + len(data), 0x10, 1, 0, 0)  # NLMSG_MIN_TYPE, NLM_F_REQUEST
            events.sendto(header + data, (0, 0))

    def close(self) -> None:
        os.close(self.home.descriptor)


def _links(namespace: Namespace) -> list[Any]:
    with namespace.route() as route:
        return route.links()


@pytest.fixture
def bench(private_agent: Callable[..., PrivateAgent]) -> Iterator[Bench]:
    """An agent that may touch one board, at 1-1.2."""
    made = Bench(private_agent())
    yield made
    made.close()


@pytest.fixture
def wired(bench: Bench) -> Bench:
    """The board's interface is in its namespace with 192.168.7.2, its far end has 192.168.7.1."""
    bench.make_interface("v0")
    bench.agent.follow(bench.board)
    bench.adopted()
    bench.agent.set_address(bench.board, "192.168.7.2", 24, "192.168.7.1")
    with bench.home.route() as route:
        route.add_address(bench.index("far"), "192.168.7.1", 24)
    return bench


def test_a_namespace_is_quiet_and_has_a_loopback(bench: Bench) -> None:
    """IPv6 is off for what will come, loopback is up, asking twice gives the same one."""
    name = bench.agent.open_namespace(bench.board)
    assert bench.agent.open_namespace(bench.board) == name == f"hil-{bench.board}"
    inside = bench.inside()
    assert inside.run(IPV6_DEFAULT.read_text) == "1\n"
    assert [(link.name, link.admin_up) for link in _links(inside)] == [("lo", True)]
    inside.close()


def test_an_interface_that_is_there_is_adopted(bench: Bench) -> None:
    """It arrives in the board's namespace, up, without IPv6, and the client is told."""
    index = bench.make_interface("v0")
    bench.agent.follow(bench.board)
    told = bench.adopted()
    assert (told["board"], told["interface"], told["ifindex"]) == (bench.board, "v0", index)
    inside = bench.inside()
    assert [(link.name, link.admin_up) for link in _links(inside)] == [("lo", True), ("v0", True)]
    assert inside.run(lambda: IPV6_DEFAULT.parent.parent.joinpath("v0/disable_ipv6").read_text()) == "1\n"
    inside.close()


def test_an_interface_that_appears_is_adopted_under_whatever_name(bench: Bench) -> None:
    """A uevent is enough, and a rename before, while or after it is moved does no harm."""
    bench.agent.follow(bench.board)
    assert bench.agent.notifications(0.0) == []
    index = bench.make_interface("v0")
    with contextlib.suppress(OSError):  # it may have been moved already
        bench.home.run(lambda: rename("v0", "enx02"))
    told = bench.adopted()
    assert told["interface"] in ("v0", "enx02")
    assert told["ifindex"] == index


def test_an_interface_of_another_device_stays(bench: Bench) -> None:
    """Only what hangs below the board's USB device is moved."""
    bench.tree.attach("1-1.3")
    bench.agent.follow(bench.board)
    with bench.home.route() as route:
        route.add_veth("v0", "far")
    bench.tree.add_interface("1-1.3", "v0", bench.index("v0"))
    bench.home.run(lambda: rename("v0", "v1"))
    assert bench.agent.boards_known() == [bench.board]
    assert bench.agent.notifications(0.1) == []
    assert bench.index("v1")


def test_ipv6_is_off_for_new_interfaces_while_a_board_is_followed(bench: Bench) -> None:
    """The former value comes back with the client's end, and the interface too, set down."""
    assert bench.home.run(IPV6_DEFAULT.read_text) == "0\n"
    bench.make_interface("v0")
    bench.agent.follow(bench.board)
    bench.adopted()
    assert bench.home.run(IPV6_DEFAULT.read_text) == "1\n"
    bench.agent.close()
    assert bench.home.run(IPV6_DEFAULT.read_text) == "0\n"
    assert [(link.name, link.admin_up) for link in _links(bench.home) if link.name == "v0"] == [("v0", False)]
    assert not (namespaces.DIRECTORY / f"hil-{bench.board}").exists()


def test_an_ordinary_user_sends_and_receives_frames(wired: Bench) -> None:
    """A process without any privilege uses the packet socket that was handed over."""
    frame = bytes.fromhex("ffffffffffff 020000000001 88b5") + b"from nobody".ljust(46, b"\0")
    peer = wired.home.run(lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x88B5)))
    packets = wired.agent.open_packet_socket(wired.board)
    with packets, peer:
        peer.settimeout(5.0)
        packets.settimeout(5.0)

        peer.sendto(frame, ("far", 0))

        def as_nobody() -> bool:
            packets.sendto(frame, ("v0", 0))
            return frame in iter(lambda: packets.recv(2000), None)

        assert _as_nobody(as_nobody)
        assert peer.recv(2000) == frame


def test_an_ordinary_user_hears_of_links(wired: Bench) -> None:
    """The route socket tells a process without privilege what happens in the namespace."""
    with wired.agent.open_route_socket(wired.board) as route:
        wired.agent.set_link(wired.board, False)
        route.settimeout(5.0)
        assert _as_nobody(lambda: b"v0\0" in route.recv(65536))


def test_uevents_of_the_namespace_are_handed_over(bench: Bench) -> None:
    """The arrival of the interface is seen from inside."""
    bench.make_interface("v0")
    with bench.agent.open_uevent_socket(bench.board, False) as events:
        bench.agent.follow(bench.board)
        bench.adopted()
        assert select.select([events], [], [], 5.0)[0]
        seen = uevents.receive(events)
    assert seen is not None
    assert ("add", "v0") in [(event.action, event.properties.get("INTERFACE")) for event in seen]


def test_a_tcp_socket_is_connected_inside(wired: Bench) -> None:
    """The connection leaves through the board's interface, from the address that was set."""
    server = wired.home.run(lambda: socket.create_server(("192.168.7.1", 8080)))
    with server, wired.agent.open_tcp_socket(wired.board, "192.168.7.1", 8080, 5.0) as near:
        server.settimeout(5.0)
        far, address = server.accept()
        with far:
            far.send(b"hello")
            assert near.recv(5) == b"hello"
    assert address[0] == "192.168.7.2"


def test_a_refused_connection_is_told_apart(wired: Bench) -> None:
    """A closed port answers at once, as kind 'refused'."""
    with pytest.raises(ConnectFailed, match=r"192\.168\.7\.1:81 from .*: Connection refused") as failed:
        wired.agent.open_tcp_socket(wired.board, "192.168.7.1", 81, 5.0)
    assert failed.value.kind == "refused"


def test_a_silent_address_times_out_in_time(wired: Bench) -> None:
    """The deadline is the caller's; other calls go on meanwhile."""
    failed: list[str] = []

    def connect() -> None:
        try:
            wired.agent.open_tcp_socket(wired.board, "192.168.7.77", 80, 0.2)
        except ConnectFailed as error:
            failed.append(error.kind)

    thread = threading.Thread(target=connect)
    thread.start()
    assert wired.agent.boards_known() == [wired.board]
    assert failed == []
    thread.join(5.0)
    assert failed == ["timeout"]


def test_an_address_without_route_is_unreachable(bench: Bench) -> None:
    """A namespace without interface reaches nothing, and says so at once."""
    bench.agent.open_namespace(bench.board)
    with pytest.raises(ConnectFailed) as failed:
        bench.agent.open_tcp_socket(bench.board, "192.168.7.1", 80, 5.0)
    assert failed.value.kind == "unreachable"


@pytest.mark.parametrize(("board", "address"), [("", "10.0.0.1"), ("", "127.0.0.1"), ("lan", "192.0.2.7")])
def test_other_addresses_are_refused(bench: Bench, board: str, address: str) -> None:
    """A board's network, link-local and a virtual board's fallback: nothing else is reached."""
    bench.agent.open_namespace(bench.board)
    with pytest.raises(AgentRefused, match=f"{address} (may not be reached|is no fallback address)"):
        bench.agent.open_tcp_socket(board or bench.board, address, 80, 1.0)


def test_addresses_are_set_and_taken_off(wired: Bench) -> None:
    """One address at a time, and none after clearing."""
    wired.agent.set_address(wired.board, "192.168.7.9", 24, "")
    inside = wired.inside()
    with inside.route() as route:
        index = next(link.index for link in route.links() if link.name == "v0")
        wired.agent.clear_address(wired.board)
        assert route.clear_addresses(index) == []
    inside.close()


def test_without_interface_there_is_no_address(bench: Bench) -> None:
    """Setting an address before the interface has appeared is an error that says so."""
    bench.agent.open_namespace(bench.board)
    with pytest.raises(AgentError, match=f"namespace hil-{bench.board} holds no interface"):
        bench.agent.set_address(bench.board, "192.168.7.2", 24, "")
    bench.agent.clear_address(bench.board)


def test_attributes_come_back(bench: Bench) -> None:
    """The value from before the first write is there again when the client has gone."""
    bench.agent.write_attribute(bench.board, "control", "auto")
    bench.agent.write_attribute(bench.board, "autosuspend_delay_ms", "0")
    bench.agent.write_attribute(bench.board, "autosuspend_delay_ms", "500")
    assert bench.agent.read_attribute(bench.board, "control") == "auto"
    assert bench.agent.read_attribute(bench.board, "runtime_status") == "active"
    bench.agent.close()
    assert bench.tree.attribute("1-1.2", "power/control") == "on"
    assert bench.tree.attribute("1-1.2", "power/autosuspend_delay_ms") == "2000"


def test_an_attribute_that_takes_its_time_holds_up_nobody_else(bench: Bench) -> None:
    """A hub's port says whether it is disabled when the kernel has enumerated what hangs on the hub."""
    place = UsbDevice("1-1.2", bench.tree.root).attribute("port_disable")
    place.unlink()
    os.mkfifo(place)
    with ThreadPoolExecutor(1) as caller:
        told = caller.submit(bench.agent.read_attribute, bench.board, "port_disable")
        assert _answered_while(place, bench.agent.boards_known)
        assert told.result() == "0"
        done = caller.submit(bench.agent.write_attribute, bench.board, "port_disable", "1")
        assert _answered_while(place, bench.agent.boards_known)
        assert place.read_text() == "1"
        done.result()
    place.unlink()
    place.write_text("0")


@pytest.mark.timeout(60)
def test_boards_that_do_not_answer_leave_room_for_others(bench: Bench) -> None:
    """Every call that waits in the kernel has a worker of its own, however few processors there are."""
    place = UsbDevice("1-1.2", bench.tree.root).attribute("port_disable")
    place.unlink()
    os.mkfifo(place)
    with ThreadPoolExecutor(40) as callers:
        asked = [callers.submit(bench.agent.read_attribute, bench.board, "port_disable") for _ in range(40)]
        kernel = _once_read(place)
        try:
            assert bench.agent.read_attribute(bench.board, "control") == "on"
            assert not any(each.done() for each in asked)
        finally:
            pipe = place.rename(bench.private.directory / "pipe")
            place.write_text("0")
            os.close(kernel)
            while not all(each.done() for each in asked):  # those that came to the pipe when nobody wrote any more
                with contextlib.suppress(OSError):
                    os.close(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))
                time.sleep(0.01)


def _answered_while(pipe: Path, call: Callable[[], object]) -> bool:
    """Whether ``call`` returns while somebody reads the pipe, who reads '0' after that, or after 2 s."""
    kernel = _once_read(pipe)
    too_late = threading.Timer(2.0, os.write, (kernel, b"0\n"))
    too_late.start()
    call()
    in_time = not too_late.finished.is_set()
    too_late.cancel()
    if in_time:
        os.write(kernel, b"0\n")
    os.close(kernel)
    return in_time


def _once_read(pipe: Path) -> int:
    """Its writing end, as soon as somebody reads it (fifo(7))."""
    deadline = Deadline(5.0)
    while True:
        try:
            return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:
            assert not deadline.passed
        time.sleep(0.001)


def test_an_instant_lies_within_the_call(bench: Bench) -> None:
    """The agent's instant, with its error, is no wider than the call itself."""
    done = bench.agent.write_attribute(bench.board, "control", "auto")
    assert 0 < done.t_err_ns < 1_000_000_000


def test_an_unlisted_board_is_refused_by_every_call(bench: Bench) -> None:
    """Whatever is asked of a board that the list does not name, the answer names the list."""
    agent, other = bench.agent, "s3-z"
    calls: list[Callable[[], object]] = [
        lambda: agent.open_namespace(other),
        lambda: agent.follow(other),
        lambda: agent.open_packet_socket(other),
        lambda: agent.open_route_socket(other),
        lambda: agent.open_uevent_socket(other, False),
        lambda: agent.open_tcp_socket(other, "192.168.7.1", 80, 1.0),
        lambda: agent.open_usbmon(other),
        lambda: agent.watch_tty(other, "usb"),
        lambda: agent.unwatch_tty(other, "usb"),
        lambda: agent.find_tty(other, "usb"),
        lambda: agent.open_tty(other, "usb"),
        lambda: agent.reset_by_lines(other, download=True),
        lambda: agent.set_address(other, "192.168.7.2", 24, ""),
        lambda: agent.clear_address(other),
        lambda: agent.set_link(other, True),
        lambda: agent.write_attribute(other, "control", "on"),
        lambda: agent.read_attribute(other, "control"),
        lambda: agent.reset_device(other),
        lambda: agent.start_virtual(
            {"board": other, "supply": "bus", "faults": [], "tinyusb": "0.21", "role": "dhcp-server"}
        ),
        lambda: agent.load_module("usbmon"),
    ]
    for call in calls:
        with pytest.raises(AgentRefused, match="the test's allow list"):
            call()


def test_a_tty_is_opened_and_handed_over(bench: Bench) -> None:
    """The descriptor comes with the notification, again after the port came back, until it is no longer watched."""
    far, near = pty.openpty()
    status = os.fstat(near)
    bench.tree.add_tty("1-1.2", "ttyACM0", (os.major(status.st_rdev), os.minor(status.st_rdev)))
    (bench.private.dev / "ttyACM0").symlink_to(os.ttyname(near))
    bench.agent.watch_tty(bench.board, "usb")
    ((message, (descriptor,)),) = bench.agent.notifications(5.0)
    node = str(bench.private.dev / "ttyACM0")
    assert (message["notify"], message["port"], message["node"]) == ("tty_opened", "usb", node)
    assert message["dtr"] is False, "a pty has no modem lines"
    os.write(far, b"boot\n")
    assert os.read(descriptor, 10) == b"boot\n"
    os.close(descriptor)
    devpath = "/devices/platform/vhci_hcd.0/usb1/1-1/1-1.2/1-1.2:1.2/tty/ttyACM0"
    bench.inject(KernelUevent("remove", devpath, {"SUBSYSTEM": "tty"}))
    bench.inject(KernelUevent("add", devpath, {"SUBSYSTEM": "tty"}))
    told: list[tuple[dict[str, Any], list[int]]] = []
    deadline = Deadline(5.0)
    while len(told) < 2 and not deadline.passed:
        told += bench.agent.notifications(deadline.left_s)
    assert [message["notify"] for message, _ in told] == ["tty_gone", "tty_opened"]
    bench.agent.unwatch_tty(bench.board, "usb")
    bench.inject(KernelUevent("remove", devpath, {"SUBSYSTEM": "tty"}))
    assert bench.agent.notifications(0.1) == []
    for descriptor in (far, near, *told[1][1]):
        os.close(descriptor)


def test_a_tty_is_lent_to_one_user(bench: Bench) -> None:
    """Not while it is watched, nor while a process holds it, which is named; then under the name that it has."""
    far, near = pty.openpty()
    status = os.fstat(near)
    bench.tree.add_tty("1-1.2", "ttyACM4", (os.major(status.st_rdev), os.minor(status.st_rdev)))
    (bench.private.dev / "ttyACM4").symlink_to(os.ttyname(near))
    node = str(bench.private.dev / "ttyACM4")
    assert bench.agent.find_tty(bench.board, "usb") == node
    bench.agent.watch_tty(bench.board, "usb")
    ((_, (watched,)),) = bench.agent.notifications(5.0)
    with pytest.raises(PortWatched, match=f"port usb of {bench.board} is being watched; unwatch_tty ends that"):
        bench.agent.open_tty(bench.board, "usb")
    bench.agent.unwatch_tty(bench.board, "usb")
    os.close(watched)
    with pytest.raises(PortHeld, match=rf"ttyACM4 of 1-1\.2 is held by .+ \(process {os.getpid()}\)"):
        bench.agent.open_tty(bench.board, "usb")
    os.close(near)
    lent, descriptor = bench.agent.open_tty(bench.board, "usb")
    assert lent == node
    os.write(far, b"waiting for download\n")
    select.select([descriptor], [], [], 5.0)
    assert os.read(descriptor, 100) == b"waiting for download\n"
    os.close(far)
    os.close(descriptor)


def test_a_loaders_tty_is_lent_while_it_is_watched(bench: Bench) -> None:
    """The watch leaves it alone; nobody has to let go of it first."""
    far, near = pty.openpty()
    status = os.fstat(near)
    bench.tree.attach("1-1.2", vid="303a", pid="1001")
    bench.tree.add_tty("1-1.2", "ttyACM4", (os.major(status.st_rdev), os.minor(status.st_rdev)))
    (bench.private.dev / "ttyACM4").symlink_to(os.ttyname(near))
    os.close(near)
    bench.agent.watch_tty(bench.board, "usb")
    lent, descriptor = bench.agent.open_tty(bench.board, "usb")
    assert lent == str(bench.private.dev / "ttyACM4")
    os.write(descriptor, b"sync")
    assert os.read(far, 100) == b"sync"
    os.close(descriptor)
    os.close(far)


def test_a_port_that_the_board_has_not_is_refused(bench: Bench) -> None:
    """A board without a second path has no console."""
    with pytest.raises(AgentRefused, match=f"board {bench.board} has no port 'console'; it has: usb"):
        bench.agent.watch_tty(bench.board, "console")


def test_a_virtual_board_is_started_and_ended(private_agent: Callable[..., PrivateAgent]) -> None:
    """Its paths are usable at once, and its process ends with the client."""
    private = private_agent(virtual=True, virtual_command=[sys.executable, "-c", GOOD_BOARD])
    private.tree.attach("1-4")
    agent = private.client()
    handle = agent.start_virtual(
        {"board": "v", "supply": "bus", "faults": [], "tinyusb": "0.21", "role": "dhcp-server"}
    )
    with handle.socket:
        assert (handle.usb, handle.t_ns) == ("1-4", 77)
        assert agent.read_attribute("v", "control") == "on"
        assert "v" in agent.boards_known()
        watch = os.pidfd_open(handle.pid)
        agent.close()
    assert select.select([watch], [], [], 5.0)[0]
    os.close(watch)


def test_a_virtual_boards_second_network_is_reached(private_agent: Callable[..., PrivateAgent]) -> None:
    """'lan' stands for the namespace that the board named, and only its own address is reached there."""
    name = f"hil-l{os.getpid()}"
    script = GOOD_BOARD.replace("'lan': '', 'address': ''", f"'lan': '{name}', 'address': '127.0.0.1'")
    private = private_agent(virtual=True, virtual_command=[sys.executable, "-c", script])
    private.tree.attach("1-4")
    lan = namespaces.create(name)
    server = lan.run(lambda: socket.create_server(("127.0.0.1", 80)))
    try:
        agent = private.client()
        handle = agent.start_virtual(
            {"board": "v", "supply": "bus", "faults": [], "tinyusb": "0.21", "role": "dhcp-server"}
        )
        with server, handle.socket, agent.open_tcp_socket("lan", "127.0.0.1", 80, 5.0) as near:
            server.settimeout(5.0)
            far, _ = server.accept()
            with far:
                far.send(b"x")
                assert near.recv(1) == b"x"
        with pytest.raises(AgentRefused, match="known: 127"):
            agent.open_tcp_socket("lan", "127.0.0.2", 80, 5.0)
    finally:
        lan.close()
        namespaces.remove(name)


def test_a_virtual_board_can_be_replaced(private_agent: Callable[..., PrivateAgent]) -> None:
    """Ending one undoes all that was done to it, and another of the same name starts afresh."""
    private = private_agent(virtual=True, virtual_command=[sys.executable, "-c", GOOD_BOARD])
    private.tree.attach("1-4")
    agent, name = private.client(), f"v{os.getpid()}"
    for _ in range(2):
        handle = agent.start_virtual(
            {"board": name, "supply": "own", "faults": [], "tinyusb": "0.19", "role": "dhcp-server"}
        )
        handle.socket.close()
        assert agent.open_namespace(name) == f"hil-{name}"
        agent.follow(name)
        agent.write_attribute(name, "control", "auto")
        agent.end_virtual(name)
        assert private.tree.attribute("1-4", "power/control") == "on"
        assert not (namespaces.DIRECTORY / f"hil-{name}").exists()
    with pytest.raises(AgentRefused, match=f"'{name}' is no virtual board of this client; known: none"):
        agent.end_virtual(name)


def test_a_virtual_board_on_a_real_bus_is_refused(private_agent: Callable[..., PrivateAgent]) -> None:
    """A process that claims a path of a real controller gets nothing, and is ended."""
    private = private_agent(virtual=True, virtual_command=[sys.executable, "-c", GOOD_BOARD])
    agent = private.client()
    (private.tree.root / "bus/usb/devices/usb1").symlink_to(private.tree.root / "devices/pci0000:00/usb1")
    with pytest.raises(AgentRefused, match="1-4 hangs under pci0000:00, not under a vhci_hcd device"):
        agent.start_virtual({"board": "v", "supply": "bus", "faults": [], "tinyusb": "0.21", "role": "dhcp-server"})
    assert agent.boards_known() == [private.board]
    with pytest.raises(AgentRefused, match="board 'v' may not be touched"):
        agent.read_attribute("v", "control")


def test_a_virtual_board_that_fails_can_be_started_again(private_agent: Callable[..., PrivateAgent]) -> None:
    """A failed start leaves nothing behind that a second one would stumble over."""
    private = private_agent(virtual=True, virtual_command=[sys.executable, "-c", "import os; os._exit(9)"])
    agent = private.client()
    for _ in range(2):
        with pytest.raises(VirtualBoardError, match="process ended with status 9"):
            agent.start_virtual({"board": "v", "supply": "bus", "faults": [], "tinyusb": "0.21", "role": "dhcp-server"})


def test_a_virtual_board_cannot_take_a_real_ones_name(private_agent: Callable[..., PrivateAgent]) -> None:
    """One name means one board."""
    private = private_agent(virtual=True)
    with pytest.raises(AgentRefused, match="a virtual board cannot be called"):
        private.client().start_virtual(
            {"board": private.board, "supply": "bus", "faults": [], "tinyusb": "0.21", "role": "dhcp-server"}
        )


def _as_nobody(deed: Callable[[], bool]) -> bool:
    """What ``deed`` returns in a child process without privileges."""
    child = os.fork()
    if child == 0:
        status = 2
        try:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            status = 0 if deed() else 1
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
