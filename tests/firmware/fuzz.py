"""Fuzzing of the core with libFuzzer under the sanitizers.

``python -m tests.firmware.fuzz SECONDS`` fuzzes each target for so long, and leaves in fixtures/fuzz the least part
of the corpus and of what was found that reaches as much.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.firmware.toolchain import CORE, FIRMWARE, SANITIZERS, SOURCES, WARNINGS, run

FUZZ = FIRMWARE / "fuzz"
CORPUS = FIRMWARE.parent / "fixtures" / "fuzz"
TARGETS = tuple(sorted(path.stem.removeprefix("fuzz_") for path in FUZZ.glob("fuzz_*.c")))
MAX_BYTES = 2048
"""Of one input: longer ones only repeat what a sequence of inputs does."""
COVERED = ("-fprofile-instr-generate", "-fcoverage-mapping")


@dataclass(frozen=True, slots=True)
class Fuzzed:
    """What a run came to."""

    target: str
    inputs: int
    """Tried by the fuzzer."""
    branches_taken: int
    """Of the core's sources, by all that the corpus and the run have found."""
    branches: int

    def __str__(self) -> str:
        share = 100 * self.branches_taken / self.branches
        reached = f"{self.branches_taken} of {self.branches} branches ({share:.0f} %)"
        return f"fuzz {self.target}: {self.inputs} inputs, {reached}"


def build(target: str, directory: Path) -> Path:
    """The fuzzer of a target."""
    program = directory / target
    flags = ("-std=c11", "-g", "-O1", *WARNINGS, "-fsanitize=fuzzer", *SANITIZERS, *COVERED, "-I", CORE / "src")
    run("clang", *flags, "-o", program, FUZZ / f"fuzz_{target}.c", *SOURCES, directory=directory)
    return program


def fuzz(program: Path, seconds: int, directory: Path) -> Fuzzed:
    """Fuzz for so long, from the corpus of the fixtures; what is new goes to `directory`/found.

    Raises:
        AssertionError: an input broke a promise of the core; it lies in `directory`, and the text names it.
    """
    found = directory / "found"
    found.mkdir(exist_ok=True)
    limits = (f"-max_total_time={seconds}", f"-max_len={MAX_BYTES}", "-timeout=5", "-print_final_stats=1")
    words = [program, *limits, *_dictionary(program.name), found, *_corpora(program.name)]
    done = subprocess.run(
        list(map(str, words)), check=False, capture_output=True, text=True, cwd=directory, timeout=seconds + 60
    )
    assert done.returncode == 0, done.stderr[-6000:]
    inputs = done.stderr.partition("stat::number_of_executed_units:")[2].split()[0]
    taken, branches = _branches(program, [found, *_corpora(program.name)], directory)
    return Fuzzed(program.name, int(inputs), taken, branches)


def together(results: list[Fuzzed], directory: Path) -> Fuzzed:
    """What the targets reached among them; each has left its program and its profile in `directory`/its name."""
    profile = directory / "profile"
    places = [directory / result.target for result in results]
    run("llvm-profdata", "merge", "-o", profile, *(place / "profile" for place in places), directory=directory)
    programs = [place / place.name for place in places]
    return Fuzzed("in all", sum(result.inputs for result in results), *_covered(profile, programs, directory))


def keep(target: str, seconds: int) -> Fuzzed:
    """Fuzz, and put the least part of all inputs that reaches every edge into the fixtures."""
    with tempfile.TemporaryDirectory() as scratch:
        directory = Path(scratch)
        program = build(target, directory)
        result = fuzz(program, seconds, directory)
        least = directory / "least"
        least.mkdir()
        run(
            program,
            "-merge=1",
            "-use_counters=0",
            least,
            directory / "found",
            *_corpora(target),
            directory=directory,
            within_s=600,
        )
        shutil.rmtree(CORPUS / target, ignore_errors=True)
        shutil.copytree(least, CORPUS / target)
    return result


def _corpora(target: str) -> list[Path]:
    return [CORPUS / target] if (CORPUS / target).is_dir() else []


def _dictionary(target: str) -> list[str]:
    path = FUZZ / f"{target}.dict"
    return [f"-dict={path}"] if path.is_file() else []


def _branches(program: Path, corpora: list[Path], directory: Path) -> tuple[int, int]:
    """Branches of the core taken by these inputs, and all that there are: one for true and one for false."""
    profile = directory / "profile"
    run(
        program,
        "-runs=0",
        *corpora,
        directory=directory,
        environment={"LLVM_PROFILE_FILE": f"{profile}.raw"},
        within_s=300,
    )
    run("llvm-profdata", "merge", "-o", profile, f"{profile}.raw", directory=directory)
    return _covered(profile, [program], directory)


def _covered(profile: Path, programs: list[Path], directory: Path) -> tuple[int, int]:
    only_core = "-ignore-filename-regex=.*/firmware/fuzz/.*"
    objects = [word for program in programs[1:] for word in ("-object", program)]
    words = ["export", "-summary-only", only_core, f"-instr-profile={profile}", programs[0], *objects]
    counts = json.loads(run("llvm-cov", *words, directory=directory))["data"][0]["totals"]["branches"]
    return int(counts["covered"]), int(counts["count"])


if __name__ == "__main__":
    for name in TARGETS:
        print(keep(name, int(sys.argv[1])))
