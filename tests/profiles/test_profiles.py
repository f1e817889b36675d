"""Firmware profiles."""

import re
from pathlib import Path

import pytest

from hil import profiles
from hil.errors import BenchError


def test_generic_claims_nothing() -> None:
    """With the generic profile every verdict rests on host witnesses."""
    generic = profiles.load("generic")
    assert generic.can_claim == frozenset()
    assert generic.http.events == ""


def test_reference_recognises_its_own_log_lines() -> None:
    """The literal state lines of the reference firmware become claims with their detail."""
    claims = {claim.name: re.compile(claim.pattern) for claim in profiles.load("reference").claims if claim.pattern}
    up = claims["NCM_LINK_UP"].search("*** USB NCM LINK UP *** (stack_ready_kick_up)")
    assert up is not None
    assert up["detail"] == "stack_ready_kick_up"
    assert claims["NCM_LINK_DOWN"].search("*** USB NCM LINK UP *** (x)") is None
    failed = claims["TX_FAILED"].search("TX FAILED: ESP_ERR_INVALID_STATE")
    assert failed is not None
    assert failed["detail"] == "ESP_ERR_INVALID_STATE"


def test_pool_ends_are_served() -> None:
    """The first and the last address of the pool lie in it, their neighbours do not."""
    network = profiles.load("reference").network
    assert [network.serves(f"192.168.7.{n}") for n in (1, 2, 10, 11)] == [False, True, True, False]


def test_an_unknown_profile_lists_the_shipped_ones() -> None:
    """A misspelt name is refused with the choices."""
    with pytest.raises(
        BenchError, match="profile 'referense' is not known; known: 'generic', 'reference', or the path"
    ):
        profiles.load("referense")


def test_a_users_own_profile_is_a_path(tmp_path: Path) -> None:
    """A .toml path is read like a shipped profile."""
    path = tmp_path / "mine.toml"
    path.write_text('name = "mine"\n[[claim]]\nname = "UP"\npattern = "is up"\n', encoding="utf-8")
    assert profiles.load(str(path)).can_claim == {"UP"}


def test_a_bad_pattern_names_its_place(tmp_path: Path) -> None:
    """A pattern that is no regular expression is named with file, claim and reason."""
    path = tmp_path / "mine.toml"
    path.write_text('name = "mine"\n[[claim]]\nname = "UP"\npattern = "("\n', encoding="utf-8")
    with pytest.raises(BenchError, match=r"mine\.toml: claim\.UP\.pattern is '\('; not a regular expression"):
        profiles.load(str(path))
