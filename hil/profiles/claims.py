"""What a firmware can say of itself, how it spells it, and what of it is to be believed."""

from dataclasses import dataclass

from hil.profiles.patterns import read_pattern
from hil.toml_table import Table

CLAIM_NAME = r"[A-Z][A-Z0-9_]{0,63}"
BOOT = "boot"
"""``Claim.once_per`` of what is said once in each boot."""
LOG_GROUPS = ("detail", "ms")


@dataclass(frozen=True, slots=True)
class Claim:
    """One thing a firmware can say of itself."""

    name: str
    """As scenarios know it: USB_MOUNTED, NCM_LINK_UP …"""
    called: str
    """As the firmware spells it in its event log and its flags."""
    pattern: str = ""
    """Searched in a log line; its groups ``detail`` and ``ms`` become the event's. '' where the log is silent."""
    log_only: bool = False
    """The log says it and the event log never does."""
    never: str = ""
    """Why the firmware cannot say it although it declares it, or ''."""
    says: str = ""
    """What is true when it is said, where that is not what its name suggests."""
    misleads: str = ""
    """How it misleads, or ''."""
    silence: str = ""
    """Why its absence proves nothing, or ''."""
    once_per: str = ""
    """BOOT, or the claim that arms it anew; until then it is not said again. '' where it is said each time."""
    source: str = ""
    """Where that is known from."""


def read_claims(rows: list[Table]) -> tuple[Claim, ...]:
    """The ``[[claim]]`` tables.

    Raises:
        BenchError: a key, a type, a pattern is wrong, or two keys contradict each other.
    """
    claims: list[Claim] = []
    for row in rows:
        claim = _claim(row)
        if any(claim.name == other.name for other in claims):
            raise row.wrong("name", "two [[claim]] tables have that name")
        if any(claim.called == other.called for other in claims):
            raise row.wrong("called", f"the firmware cannot call two claims {claim.called!r}")
        claims.append(claim)
    known = [BOOT, *(claim.name for claim in claims if not claim.never)]
    for row, claim in zip(rows, claims, strict=True):
        if claim.once_per:
            row.choice("once_per", known)
    return tuple(claims)


def _claim(row: Table) -> Claim:
    name = row.string("name", pattern=CLAIM_NAME, shape="capitals, digits and underscores, such as 'USB_MOUNTED'")
    texts = {key: row.string(key, "") for key in ("never", "says", "misleads", "silence", "once_per", "source")}
    claim = Claim(
        name=name,
        called=row.string("called", name),
        pattern=read_pattern(row, "pattern", LOG_GROUPS),
        log_only=row.boolean("log_only", False),
        **texts,
    )
    row.finish()
    _refuse_contradiction(row, claim)
    return claim


def _refuse_contradiction(row: Table, claim: Claim) -> None:
    if not claim.called:
        raise row.wrong("called", "wanted the firmware's own word for it")
    if claim.never and (claim.pattern or claim.log_only):
        raise row.wrong("never", "what is never said has neither pattern nor log_only")
    if claim.log_only and not claim.pattern:
        raise row.wrong("log_only", "wanted a pattern beside it; without one nothing can say it")
    if claim.misleads and not claim.says:
        raise row.wrong("misleads", "wanted beside it: says, what is true when it is said")
    for key in ("never", "misleads", "silence"):
        if getattr(claim, key) and not claim.source:
            raise row.wrong(key, "wanted beside it: source, where that is known from")


@dataclass(frozen=True, slots=True)
class Sequence:
    """An order in which a firmware says things, whatever its tasks do."""

    name: str
    """connect …: what the host does meanwhile."""
    chains: tuple[tuple[str, ...], ...]
    """Claims, the earlier one first; between two chains nothing is said of the order."""
    source: str
    """Where that is known from."""

    @property
    def claims(self) -> tuple[str, ...]:
        """All claims of all chains, once each."""
        return tuple(dict.fromkeys(name for chain in self.chains for name in chain))


def read_sequences(rows: list[Table], claims: tuple[Claim, ...]) -> tuple[Sequence, ...]:
    """The ``[[sequence]]`` tables.

    Raises:
        BenchError: a key or a type is wrong, or a chain names what is not claimed.
    """
    made: list[Sequence] = []
    known = [claim.name for claim in claims if not claim.never]
    for row in rows:
        chains = tuple(tuple(part.strip() for part in text.split("<")) for text in row.strings("order"))
        sequence = Sequence(row.string("name"), chains, row.string("source"))
        row.finish()
        if any(sequence.name == other.name for other in made):
            raise row.wrong("name", "two [[sequence]] tables have that name")
        if not chains or any(len(chain) < 2 for chain in chains):
            raise row.wrong("order", "wanted chains such as 'NETIF_READY < NCM_LINK_UP'")
        for name in sequence.claims:
            if name not in known:
                raise row.wrong("order", f"{name!r} is no claim that can be made; known: {', '.join(known) or 'none'}")
        made.append(sequence)
    return tuple(made)
