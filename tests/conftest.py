"""The emulated machines of the proofs work while all other tests run."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.proofs.ahead import Machines


def _is_proof(item: pytest.Item) -> bool:
    """Whether its module says what a machine has to find out before the test can judge it."""
    return isinstance(item, pytest.Function) and hasattr(item.module, "in_machine")


def _turn(item: pytest.Item) -> int:
    if _is_proof(item):
        return 1
    return 2 if item.get_closest_marker("vm") else 0


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those that wait for a machine come late, and last those that boot one themselves and want the processors."""
    items.sort(key=_turn)


@pytest.fixture(scope="session", autouse=True)
def _machines_begin(request: pytest.FixtureRequest) -> None:
    """Before the first test, whichever it is."""
    if any(map(_is_proof, request.session.items)):
        request.getfixturevalue("machines")


@pytest.fixture(scope="session")
def machines(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Machines]":
    """One for each module of proofs that this run is about."""
    from tests.proofs.ahead import Machines

    items: dict[str, list[pytest.Function]] = {}
    for item in request.session.items:
        if isinstance(item, pytest.Function) and _is_proof(item):
            items.setdefault(item.module.__name__, []).append(item)
    jobs = {
        name: (tmp_path_factory.mktemp(name.rpartition("_")[2]), each[0].module.in_machine(each))
        for name, each in items.items()
    }
    with Machines(jobs) as working:
        yield working
