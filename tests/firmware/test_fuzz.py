"""Input that nobody meant to send: the core refuses and counts it, and never breaks."""

import os
from pathlib import Path

import pytest

from tests.firmware.fuzz import CORPUS, MAX_BYTES, TARGETS, build, fuzz
from tests.firmware.toolchain import need

SECONDS = 15 if os.environ.get("CI") else 2
"""A target: a minute for the four in CI."""
SOAK_SECONDS = 450
"""A target: half an hour for the four."""
LEAST_SHARE = {"dhcp": 0.35, "frames": 0.45, "http": 0.38, "serial": 0.35}
"""Of the core's branches: less, and the target has stopped reaching what it is for."""


@pytest.fixture(params=TARGETS)
def program(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    need("clang", "llvm-profdata", "llvm-cov")
    return build(request.param, tmp_path)


@pytest.mark.slow
def test_fuzzing_finds_nothing(program: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither a sanitizer nor a promise of the header is hurt by any input, and the inputs reach what they are for."""
    result = fuzz(program, SECONDS, tmp_path)
    with capsys.disabled():
        print(f"\n{result}")
    assert result.branches_taken >= LEAST_SHARE[result.target] * result.branches


@pytest.mark.soak
@pytest.mark.timeout(SOAK_SECONDS + 300)
def test_fuzzing_for_long_finds_nothing(program: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same for half an hour in all."""
    result = fuzz(program, SOAK_SECONDS, tmp_path)
    with capsys.disabled():
        print(f"\n{result}")


def test_corpus_is_small() -> None:
    """The fixtures hold at most a hundred inputs a target, none longer than the fuzzer would make."""
    assert sorted(path.name for path in CORPUS.iterdir()) == list(TARGETS)
    for target in TARGETS:
        inputs = list((CORPUS / target).iterdir())
        assert 0 < len(inputs) <= 100, target
        assert max(path.stat().st_size for path in inputs) <= MAX_BYTES, target
