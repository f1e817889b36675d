"""What should have happened: patterns, sentences, verdicts and their explanation. Pure; the waiting lives elsewhere."""

from hil.expect.engine import Expectation
from hil.expect.explain import explain
from hil.expect.ledger import Ledger
from hil.expect.outcome import Failed, Met, Outcome, Pending
from hil.expect.pattern import closeness, matches, mismatches
from hil.expect.predicates import at_least, between, contains, not_, one_of, regex
from hil.expect.steps import Step, never, optional, repeated, unordered, within

__all__ = [
    "Expectation",
    "Failed",
    "Ledger",
    "Met",
    "Outcome",
    "Pending",
    "Step",
    "at_least",
    "between",
    "closeness",
    "contains",
    "explain",
    "matches",
    "mismatches",
    "never",
    "not_",
    "one_of",
    "optional",
    "regex",
    "repeated",
    "unordered",
    "within",
]
