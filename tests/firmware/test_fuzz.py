"""Input that nobody meant to send: the core refuses and counts it, and never breaks."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.firmware.fuzz import CORPUS, MAX_BYTES, TARGETS, Fuzzed, build, fuzz, together
from tests.firmware.toolchain import need

SECONDS = 15 if os.environ.get("CI") else 2
"""A target: a minute for the four in CI."""
SOAK_SECONDS = 450
"""A target: half an hour for the four."""
LEAST_SHARE = {"dhcp": 0.35, "frames": 0.45, "http": 0.38, "serial": 0.35}
"""Of the core's branches: less, and the target has stopped reaching what it is for."""


def fuzz_all(seconds: int, directory: Path, capsys: pytest.CaptureFixture[str]) -> list[Fuzzed]:
    """Every target for so long, two at a time, and a line of each on the terminal."""

    def fuzz_one(name: str) -> Fuzzed:
        place = directory / name
        place.mkdir()
        return fuzz(build(name, place), seconds, place)

    need("clang", "llvm-profdata", "llvm-cov")
    with ThreadPoolExecutor(max_workers=2) as pool:
        results = list(pool.map(fuzz_one, TARGETS))
    with capsys.disabled():
        print("", *results, together(results, directory), sep="\n")
    return results


@pytest.mark.slow
def test_fuzzing_finds_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither a sanitizer nor a promise of the header is hurt by any input, and the inputs reach what they are for."""
    results = fuzz_all(SECONDS, tmp_path, capsys)
    shares = {result.target: result.branches_taken / result.branches for result in results}
    assert {name: share for name, share in shares.items() if share < LEAST_SHARE[name]} == {}


@pytest.mark.soak
@pytest.mark.timeout(len(TARGETS) * (SOAK_SECONDS + 120))
def test_fuzzing_for_long_finds_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same for half an hour in all."""
    fuzz_all(SOAK_SECONDS, tmp_path, capsys)


def test_corpus_is_small() -> None:
    """The fixtures hold at most a hundred inputs a target, none longer than the fuzzer would make."""
    assert sorted(path.name for path in CORPUS.iterdir()) == list(TARGETS)
    for target in TARGETS:
        inputs = list((CORPUS / target).iterdir())
        assert 0 < len(inputs) <= 100, target
        assert max(path.stat().st_size for path in inputs) <= MAX_BYTES, target
