"""Everything that is known of one firmware."""

from dataclasses import dataclass, field

from hil.errors import MisuseError
from hil.profiles.claims import Claim, Sequence, read_claims, read_sequences
from hil.profiles.http import Http, read_http
from hil.profiles.loader import Loader, read_loader
from hil.profiles.network import Network, read_network
from hil.profiles.witnesses import EventLog, Flags, Log, read_event_log, read_flags, read_log
from hil.toml_table import Table

ROLES = ("dhcp-client", "dhcp-server", "static")
"""As in bench.toml."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What one firmware says of itself, what of it is to be believed, and what else is known of it."""

    name: str
    about: str = ""
    """One line: which firmware, and which version of it."""
    role: str = ""
    """What it is on its NCM interface, one of :data:`ROLES`; '' where that is not known."""
    claims: tuple[Claim, ...] = ()
    sequences: tuple[Sequence, ...] = ()
    log: Log = field(default_factory=Log)
    events: EventLog = field(default_factory=EventLog)
    flags: Flags = field(default_factory=Flags)
    http: Http = field(default_factory=Http)
    network: Network = field(default_factory=Network)
    loader: Loader = field(default_factory=Loader)

    @property
    def can_claim(self) -> frozenset[str]:
        """Names of all claims the firmware can make."""
        return frozenset(claim.name for claim in self.claims if not claim.never)

    def claim(self, name: str) -> Claim | None:
        """The claim called ``name``, one that is never made too; None where the firmware knows none."""
        return next((claim for claim in self.claims if claim.name == name), None)

    def sequence(self, name: str) -> Sequence | None:
        """The order called ``name``; None where the firmware is not known to keep one."""
        return next((sequence for sequence in self.sequences if sequence.name == name), None)

    def named(self, called: str) -> str:
        """The claim that the firmware calls ``called``; of one that the profile does not have, the firmware's word."""
        return next((claim.name for claim in self.claims if claim.called == called), called)

    def knows(self, what: str) -> bool:
        """Whether the profile has ``what``: 'http.status', 'network.address', 'claim.USB_MOUNTED', 'sequence.connect'.

        Raises:
            MisuseError: profiles have no such field.
        """
        table, _, name = what.partition(".")
        if table == "claim":
            return name in self.can_claim
        if table == "sequence":
            return self.sequence(name) is not None
        names = ("http", "network", "log", "events", "loader")
        tables = {name: getattr(self, name) for name in names}
        try:
            return bool(getattr(tables[table], name))
        except (KeyError, AttributeError) as error:
            known = ", ".join(f"{each}.…" for each in ("claim", "sequence", *tables))
            raise MisuseError(f"knows({what!r}): profiles have {known}, as docs/profiles.md says") from error


def read_profile(top: Table) -> Profile:
    """The whole file.

    Raises:
        BenchError: a key, a type, a pattern or a value in it is wrong.
    """
    top.string("extends", "")
    claims = read_claims(top.tables("claim"))
    http = read_http(top.table("http"))
    profile = Profile(
        name=top.string("name", pattern=r"[!-~]+", shape="a word"),
        about=top.string("about", ""),
        role=top.choice("role", ROLES) if "role" in top.names else "",
        claims=claims,
        sequences=read_sequences(top.tables("sequence"), claims),
        log=read_log(top.table("log")),
        events=read_event_log(top.table("events"), bool(http.events)),
        flags=read_flags(top.table("flags")),
        http=http,
        network=read_network(top.table("network")),
        loader=read_loader(top.table("loader")),
    )
    top.finish()
    _refuse_mute(top, profile)
    return profile


def _refuse_mute(top: Table, profile: Profile) -> None:
    """A claim that no channel can carry is a slip of the pen."""
    if profile.http.events or profile.log.line:
        return
    flags = profile.flags.names if profile.http.status else ()
    for claim in profile.claims:
        if not (claim.never or claim.pattern or claim.called in flags):
            ways = "its pattern, log.line, http.events, or http.status with its flag"
            raise top.wrong("claim", f"nothing says {claim.name}: wanted {ways}")
