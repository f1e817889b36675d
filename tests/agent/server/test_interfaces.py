"""Moving interfaces that are renamed or vanish while they are moved."""

import asyncio
import errno
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from hil.agent.server import namespaces
from hil.agent.server.interfaces import FollowedBoard, InterfaceFollower, QuietIpv6, give_back
from hil.agent.server.namespaces import IPV6_DEFAULT, Namespace
from hil.agent.server.rtnetlink import RouteSocket
from hil.agent.server.undo import StateFile
from hil.agent.server.usbdevice import UsbDevice
from hil.testing.private_agent import rename
from hil.testing.usb_tree import UsbTree

pytestmark = pytest.mark.root


class Scene:
    """A namespace that plays the machine's own, one for the board, and a sysfs tree."""

    def __init__(self, directory: Path) -> None:
        self.tree = UsbTree(directory / "sys")
        self.tree.attach("1-1")
        self.home = namespaces.create(f"hil-h{os.getpid()}")
        self.inside = namespaces.create(f"hil-i{os.getpid()}")
        self.adopted: list[tuple[str, int]] = []
        device = UsbDevice("1-1", self.tree.root)
        self.board = FollowedBoard(device, self.inside, lambda name, index: self.adopted.append((name, index)))

    def add(self, number: int) -> int:
        with self.home.route() as route:
            route.add_veth(f"v{number}", f"far{number}")
            index = next(link.index for link in route.links() if link.name == f"v{number}")
        self.tree.add_interface("1-1", f"v{number}", index)
        return index

    def follow(self, home: Namespace | None = None) -> None:
        async def run() -> None:
            follower = InterfaceFollower(home or self.home)
            follower.look(self.board)
            follower.look(self.board)
            await follower.settle(self.board)

        asyncio.run(run())

    def close(self) -> None:
        for namespace in (self.home, self.inside):
            namespaces.remove(namespace.name)
            namespace.close()


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """Two namespaces and a device."""
    made = Scene(tmp_path)
    yield made
    made.close()


def test_interfaces_that_are_renamed_all_the_while_arrive(scene: Scene) -> None:
    """Renaming as udev does it, at any moment, keeps no interface from being moved, once each."""
    wanted = {scene.add(number) for number in range(6)}
    stop = threading.Event()
    renaming = threading.Thread(target=lambda: scene.home.run(lambda: _rename_until(stop, len(wanted))))
    renaming.start()
    scene.follow()
    stop.set()
    renaming.join(5.0)
    assert sorted(index for _, index in scene.adopted) == sorted(wanted)
    with scene.inside.route() as route:
        assert {link.index for link in route.links() if link.admin_up and link.name != "lo"} == wanted


def _rename_until(stop: threading.Event, count: int) -> None:
    names = {number: f"v{number}" for number in range(count)}
    while not stop.is_set():
        for number, old in names.items():
            new = f"x{number}" if old.startswith("v") else f"v{number}"
            try:
                rename(old, new)
                names[number] = new
            except OSError:
                continue


class BusyHome(Namespace):
    """A namespace whose rtnetlink refuses as often as it is told to."""

    def __init__(self, home: Namespace, refusals: int, number: int) -> None:
        super().__init__(home.name, home.descriptor)
        self.refusals = refusals
        self._number = number

    def route(self) -> RouteSocket:
        if self.refusals:
            self.refusals -= 1
            raise OSError(self._number, "refused by the test")
        return super().route()


@pytest.mark.parametrize("number", [errno.ENODEV, errno.EBUSY])
def test_a_passing_refusal_is_tried_again(scene: Scene, number: int) -> None:
    """What the kernel refuses for a moment is asked again, until it is done."""
    index = scene.add(0)
    busy = BusyHome(scene.home, 3, number)
    scene.follow(busy)
    assert (scene.adopted, busy.refusals) == ([("v0", index)], 0)


def test_a_lasting_refusal_is_logged_once(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    """An error that will not pass ends the attempt, and the interface can be looked for again."""
    index = scene.add(0)
    scene.follow(BusyHome(scene.home, 1, errno.EPERM))
    assert scene.adopted == []
    assert caplog.messages == [f"v0 (index {index}) could not be moved: [Errno 1] refused by the test"]
    scene.follow()
    assert scene.adopted == [("v0", index)]


def test_an_interface_that_vanished_is_not_adopted(scene: Scene) -> None:
    """sysfs may still show what rtnetlink no longer knows."""
    scene.tree.add_interface("1-1", "v9", 4242)
    scene.follow()
    assert scene.adopted == []


def test_interfaces_are_given_back_down(scene: Scene) -> None:
    """They return to where they came from, and loopback stays."""
    index = scene.add(0)
    scene.follow()
    give_back(scene.inside, scene.home)
    with scene.home.route() as home, scene.inside.route() as inside:
        assert [link.admin_up for link in home.links() if link.index == index] == [False]
        assert [link.name for link in inside.links()] == ["lo"]


def test_ipv6_comes_back_after_the_last_user(scene: Scene, tmp_path: Path) -> None:
    """Two boards share one switch; its former value is noted on disk while it is changed."""
    state = StateFile(tmp_path / "run")
    scene.home.run(lambda: IPV6_DEFAULT.write_text("0"))
    quiet = QuietIpv6(scene.home, state)
    quiet.acquire()
    quiet.acquire()
    quiet.release()
    assert _default(scene.home) == "1"
    assert state.adopt_orphans() == {"sysctl": {str(IPV6_DEFAULT): "0"}}
    quiet.release()
    assert _default(scene.home) == "0"
    assert state.adopt_orphans() == {"sysctl": {}}
    state.close()


def _default(namespace: Namespace) -> str:
    return namespace.run(IPV6_DEFAULT.read_text).strip()
