"""Addresses that a firmware uses on its NCM interface."""

import ipaddress
from dataclasses import dataclass

from hil.toml_table import Table

ADDRESSES = ("address", "pool_first", "pool_last", "router", "dns")


@dataclass(frozen=True, slots=True)
class Network:
    """'' and 0 where the firmware has none of its own."""

    address: str = ""
    prefix: int = 24
    pool_first: str = ""
    """The addresses that its DHCP server gives away."""
    pool_last: str = ""
    lease_s: int = 0
    router: str = ""
    """Option 3, which need not be an address that answers."""
    dns: str = ""
    """Option 6, likewise."""

    def serves(self, address: str) -> bool:
        """Whether ``address`` lies in the pool."""
        if not self.pool_first:
            return False
        low, high, asked = (int(ipaddress.IPv4Address(a)) for a in (self.pool_first, self.pool_last, address))
        return low <= asked <= high


def read_network(table: Table) -> Network:
    """The ``[network]`` table.

    Raises:
        BenchError: a value is no address, or the pool is not one within the board's own network.
    """
    texts = {key: _address(table, key) for key in ADDRESSES}
    network = Network(**texts, prefix=table.integer("prefix", 24), lease_s=table.integer("lease_s", 0))
    table.finish()
    if not 1 <= network.prefix <= 30:
        raise table.wrong("prefix", "wanted 1 to 30")
    if not 0 <= network.lease_s <= 0xFFFF_FFFF:
        raise table.wrong("lease_s", "wanted seconds, 0 to 4294967295")
    _check_pool(table, network)
    return network


def _check_pool(table: Table, network: Network) -> None:
    if bool(network.pool_first) != bool(network.pool_last):
        missing = "pool_last" if network.pool_first else "pool_first"
        raise table.wrong(missing, "wanted both ends of the pool")
    if not network.pool_first:
        return
    if not network.address:
        raise table.wrong("address", "wanted beside a pool: the board's own address")
    if ipaddress.IPv4Address(network.pool_first) > ipaddress.IPv4Address(network.pool_last):
        raise table.wrong("pool_last", f"wanted an address from pool_first on, {network.pool_first}")
    own = ipaddress.IPv4Interface(f"{network.address}/{network.prefix}").network
    for key in ("pool_first", "pool_last"):
        if ipaddress.IPv4Address(getattr(network, key)) not in own:
            raise table.wrong(key, f"wanted an address of the board's network, {own}")


def _address(table: Table, key: str) -> str:
    value = table.string(key, "")
    try:
        ipaddress.IPv4Address(value or "0.0.0.0")
    except ValueError as error:
        raise table.wrong(key, "wanted an IPv4 address") from error
    return value
