"""Addresses of a firmware."""

import tomllib

import pytest

from hil.errors import BenchError
from hil.profiles.network import Network, read_network
from hil.toml_table import Table

POOL = 'address = "192.168.7.1"\npool_first = "192.168.7.2"\npool_last = "192.168.7.10"\n'


def network(text: str) -> Network:
    """The [network] table of a file."""
    return read_network(Table(tomllib.loads(text), "mine.toml: network."))


def test_pool_ends_are_served() -> None:
    """The first and the last address of the pool lie in it, their neighbours do not."""
    pool = network(POOL)
    assert [pool.serves(f"192.168.7.{n}") for n in (1, 2, 10, 11)] == [False, True, True, False]


def test_without_a_pool_nothing_is_served() -> None:
    """A firmware that asks for an address gives none."""
    assert not network("").serves("192.168.7.2")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('address = "192.168.7"', r"address is '192\.168\.7'; wanted an IPv4 address"),
        ('dns = "fe80::1"', r"dns is 'fe80::1'; wanted an IPv4 address"),
        (POOL.replace("7.10", "7.1"), r"pool_last is '192\.168\.7\.1'; wanted an address from pool_first on"),
        (POOL.replace("7.10", "8.10"), r"pool_last is '192\.168\.8\.10'; wanted an address of the board's network"),
        (POOL.replace("pool_last", "router"), r"pool_last is missing; wanted both ends of the pool"),
        (POOL.replace("address", "router"), r"address is missing; wanted beside a pool: the board's own address"),
        ("prefix = 33", r"prefix is 33; wanted 1 to 30"),
        ("lease_s = -1", r"lease_s is -1; wanted seconds, 0 to 4294967295"),
        ('mask = "255.255.255.0"', r"mask is not a known key; known: address, dns, lease_s"),
    ],
)
def test_a_slip_of_the_pen_is_named(text: str, message: str) -> None:
    """File, key, value and what would be right."""
    with pytest.raises(BenchError, match=r"^mine\.toml: network\." + message):
        network(text)
