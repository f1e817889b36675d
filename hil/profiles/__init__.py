"""What a given firmware says of itself, as data: log patterns, HTTP paths, addresses, and what of it is to be believed.

A profile is a TOML file of this package, or the user's own, named by its path. ``generic`` claims nothing: with it
scenarios rest on host witnesses alone.
"""

import ipaddress
import re
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from hil.errors import BenchError
from hil.toml_table import Table, read


@dataclass(frozen=True)
class Claim:
    """One thing a firmware can say of itself, and how it says it in its log."""

    name: str
    """USB_MOUNTED, NCM_LINK_UP …"""
    pattern: str
    """Searched in a log line; its group ``detail`` becomes the event's. '' where the log is silent."""


@dataclass(frozen=True)
class Http:
    """Paths of the board's own witnesses; '' where the firmware has none."""

    events: str
    status: str
    version: str
    reset: str
    port: int = 80


@dataclass(frozen=True)
class Network:
    """Addresses that the firmware uses on its NCM interface; '' where it has none of its own."""

    address: str
    prefix: int
    pool_first: str
    pool_last: str
    lease_s: int

    def serves(self, address: str) -> bool:
        """Whether ``address`` lies in the pool."""
        if not self.pool_first:
            return False
        low, high, asked = (int(ipaddress.IPv4Address(a)) for a in (self.pool_first, self.pool_last, address))
        return low <= asked <= high


@dataclass(frozen=True)
class Profile:
    """What one firmware says of itself."""

    name: str
    claims: tuple[Claim, ...]
    http: Http
    network: Network
    misleading: dict[str, str]
    """Claims that are not to be believed, with the reason."""

    @property
    def can_claim(self) -> frozenset[str]:
        """Names of all claims the firmware can make."""
        return frozenset(claim.name for claim in self.claims)


def shipped() -> tuple[str, ...]:
    """Names of the profiles that come with hil."""
    files = resources.files(__name__).iterdir()
    return tuple(sorted(f.name.removesuffix(".toml") for f in files if f.name.endswith(".toml")))


def load(name: str) -> Profile:
    """The shipped profile called ``name``, or the file that ``name`` is the path of.

    Raises:
        BenchError: there is no such profile, or a key, a type or a pattern in it is wrong.
    """
    if name.endswith(".toml"):
        return _profile(read(Path(name)))
    if name not in shipped():
        known = ", ".join(map(repr, shipped()))
        raise BenchError(f"profile {name!r} is not known; known: {known}, or the path of a .toml file")
    with resources.as_file(resources.files(__name__) / f"{name}.toml") as path:
        return _profile(read(path))


def _profile(top: Table) -> Profile:
    profile = Profile(
        name=top.string("name"),
        claims=tuple(_claim(row) for row in top.tables("claim")),
        http=_http(top.table("http")),
        network=_network(top.table("network")),
        misleading=_misleading(top.tables("misleading")),
    )
    top.finish()
    return profile


def _claim(row: Table) -> Claim:
    claim = Claim(name=row.string("name", pattern=r"[A-Z][A-Z0-9_]*"), pattern=row.string("pattern", ""))
    row.finish()
    try:
        re.compile(claim.pattern)
    except re.error as error:
        raise BenchError(f"{row.key('pattern')} is {claim.pattern!r}; not a regular expression: {error}") from error
    return claim


def _http(table: Table) -> Http:
    paths = {key: table.string(key, "") for key in ("events", "status", "version", "reset")}
    http = Http(**paths, port=table.integer("port", 80))
    table.finish()
    return http


def _network(table: Table) -> Network:
    texts = {key: table.string(key, "") for key in ("address", "pool_first", "pool_last")}
    for key, value in texts.items():
        try:
            ipaddress.IPv4Address(value or "0.0.0.0")
        except ValueError as error:
            raise table.wrong(key, "wanted an IPv4 address") from error
    network = Network(**texts, prefix=table.integer("prefix", 24), lease_s=table.integer("lease_s", 0))
    table.finish()
    return network


def _misleading(rows: list[Table]) -> dict[str, str]:
    reasons = {}
    for row in rows:
        reasons[row.string("name")] = row.string("because")
        row.finish()
    return reasons
