"""An address in a board's own network, for a while."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from hil.device.usb_network import UsbNetwork, spare_address
from hil.profiles import load
from hil.profiles.network import Network
from hil.testing.faked_bench import FakedBench
from hil.timeline.events import Acted, AddressRemoved, AddressSet

ADOPTED = Acted("interface_adopted", "nothing", board="s3-a", source="agent")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[FakedBench]:
    made = FakedBench(tmp_path).known()
    yield made
    made.close()


@pytest.fixture
def network(bench: FakedBench) -> UsbNetwork:
    return UsbNetwork(bench.board.spec, load("reference"), bench.agent, bench.witness)


def calls(bench: FakedBench) -> list[str]:
    return [call[0] for call in bench.agent.calls if "address" in call[0]]


@pytest.mark.parametrize(
    ("network", "address"),
    [
        (Network(), ""),
        (Network("192.168.7.1"), "192.168.7.254"),
        (Network("192.168.7.1", router="192.168.7.254", dns="192.168.7.253"), "192.168.7.252"),
        (Network("192.168.7.1", 30, "192.168.7.2", "192.168.7.2"), ""),
        (Network("192.168.7.1", 29, "192.168.7.3", "192.168.7.6"), "192.168.7.2"),
        (Network("10.1.2.3", 8), "10.255.255.254"),
    ],
)
def test_an_address_is_one_that_nobody_uses(network: Network, address: str) -> None:
    """Of the board's network, and none that it may give away."""
    assert spare_address(network) == address


def test_the_address_lasts_as_long_as_the_block(bench: FakedBench, network: UsbNetwork) -> None:
    """However that ends."""
    bench.capture.record_after(1.0, ADOPTED)
    with suppress(ZeroDivisionError), network.joined(0, 5.0) as joined:
        assert joined
        assert calls(bench) == ["set_address"]
        raise ZeroDivisionError
    assert calls(bench) == ["set_address", "clear_address"]


def test_a_network_that_does_not_come_is_not_joined(bench: FakedBench, network: UsbNetwork) -> None:
    """An interface of another board, or of before, is none."""
    bench.capture.record_after(0.1, ADOPTED)
    bench.clock.advance(0.2)
    bench.capture.catch_up()
    bench.clock.advance(0.1)
    bench.capture.record_after(0.1, Acted("interface_adopted", "nothing", board="s3-b", source="agent"))
    with network.joined(bench.clock.now_ns(), 2.0) as joined:
        assert not joined
    assert calls(bench) == []


@pytest.mark.parametrize("left", [False, True])
def test_a_personas_address_is_used_as_it_is(bench: FakedBench, network: UsbNetwork, left: bool) -> None:
    """And not taken away; once it is gone it counts no more."""
    stamp = {"interface": "usb0", "board": "s3-a", "source": "netlink"}
    bench.capture.record_after(0.1, ADOPTED)
    bench.capture.record_after(0.2, AddressSet("192.168.7.2", 24, **stamp))
    if left:
        bench.capture.record_after(0.3, AddressRemoved("192.168.7.2", **stamp))
    bench.clock.advance(0.5)
    bench.capture.catch_up()
    with network.joined(0, 2.0) as joined:
        assert joined
    assert calls(bench) == (["set_address", "clear_address"] if left else [])


def test_a_board_that_goes_meanwhile_is_not_joined(bench: FakedBench, network: UsbNetwork) -> None:
    """Its interface goes with it."""
    bench.capture.record_after(0.1, ADOPTED)
    bench.agent.refuses = ("set_address", "s3-a", "192.168.7.253/24", "")
    with network.joined(0, 2.0) as joined:
        assert not joined
