"""hil.virtual.build: the firmware core becomes a shared library, once, in a place that is ours."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from hil.errors import SetupError
from hil.virtual import build


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A core of one function."""
    directory = tmp_path / "sources"
    directory.mkdir()
    (directory / "core.c").write_text('#include "fw_core.h"\nint fw_answer(void) { return ANSWER; }\n')
    (directory / "fw_core.h").write_text("#define ANSWER 42\n")
    return directory


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return build.find_cache({"HIL_CACHE": str(tmp_path / "cache")})


@pytest.fixture
def compiler() -> Path:
    if shutil.which("gcc") is None:
        pytest.skip("needs gcc")
    return build.find_compiler(os.environ)


def test_sources_are_those_of_the_repository() -> None:
    """In a checkout the sources are firmware/core/src."""
    assert build.find_sources() == Path(build.__file__).parents[2] / "firmware" / "core" / "src"


def test_copy_in_the_wheel_comes_first(tmp_path: Path, sources: Path) -> None:
    """The first place that has a core.c wins."""
    (tmp_path / "empty").mkdir()
    assert build.find_sources((tmp_path / "empty", sources, build.SOURCE_PLACES[1])) == sources


def test_missing_sources_name_the_places(tmp_path: Path) -> None:
    """Without sources the error tells where they were looked for."""
    with pytest.raises(SetupError, match=f"no core.c in {tmp_path}; install pytest-hil"):
        build.find_sources((tmp_path,))


def test_missing_compiler_names_gcc(tmp_path: Path) -> None:
    """Without a compiler the error names what to install."""
    with pytest.raises(SetupError, match="install gcc"):
        build.find_compiler({"PATH": str(tmp_path)})


def test_library_is_built_once(sources: Path, compiler: Path, cache: Path) -> None:
    """The second build of the same sources returns the same file, untouched, and leaves no scratch behind."""
    first = build.build(sources, compiler, cache)
    stamp = first.stat().st_mtime_ns
    assert build.build(sources, compiler, cache) == first
    assert first.stat().st_mtime_ns == stamp
    assert list(cache.iterdir()) == [first]
    assert sorted(path.name for path in sources.iterdir()) == ["core.c", "fw_core.h"]


def test_change_of_a_header_changes_the_key(sources: Path, compiler: Path) -> None:
    """A header's content is part of the library's name."""
    before = build.cache_key(sources, compiler)
    (sources / "fw_core.h").write_text("#define ANSWER 43\n")
    assert build.cache_key(sources, compiler) != before


def test_change_of_the_compiler_changes_the_key(sources: Path, compiler: Path, tmp_path: Path) -> None:
    """Which file the compiler is, is part of the library's name; a newer one builds anew."""
    other = tmp_path / "othercc"
    other.write_text("#!/bin/sh\n")
    before = build.cache_key(sources, other)
    assert before != build.cache_key(sources, compiler)
    os.utime(other, ns=(1, 1))
    assert build.cache_key(sources, other) != before


def test_what_the_compiler_refuses_is_told(sources: Path, compiler: Path, cache: Path) -> None:
    """A compile error ends in SetupError with the compiler's own words, and nothing is cached."""
    (sources / "core.c").write_text("#error no such board\n")
    with pytest.raises(SetupError, match="no such board"):
        build.build(sources, compiler, cache)
    assert list(cache.iterdir()) == []


def test_broken_compiler_is_told(sources: Path, cache: Path, tmp_path: Path) -> None:
    """A compiler that fails without a word is named, with its exit status."""
    broken = tmp_path / "gcc"
    broken.write_text("#!/bin/sh\nexit 3\n")
    broken.chmod(0o755)
    with pytest.raises(SetupError, match=f"{broken} failed \\(3\\)"):
        build.build(sources, broken, cache)


def test_a_compiler_that_is_gone_is_told(sources: Path, cache: Path, tmp_path: Path) -> None:
    """A compiler removed since it was found is named."""
    with pytest.raises(SetupError, match="othercc: No such file or directory; install gcc"):
        build.build(sources, tmp_path / "othercc", cache)


def test_the_command_prints_the_path_of_the_library(tmp_path: Path, compiler: Path) -> None:
    """`python -m hil.virtual.build` builds the project's own core ahead of need."""
    environment = {**os.environ, "HIL_CACHE": str(tmp_path / "cache")}
    argv = [sys.executable, "-m", "hil.virtual.build"]
    done = subprocess.run(argv, capture_output=True, text=True, check=True, env=environment)
    library = Path(done.stdout.strip())
    assert library.is_file()
    assert library.parent == tmp_path / "cache"


def test_cache_is_the_named_directory(tmp_path: Path) -> None:
    """HIL_CACHE goes before XDG_CACHE_HOME, which gets a directory of ours inside."""
    named = {"HIL_CACHE": str(tmp_path / "a"), "XDG_CACHE_HOME": str(tmp_path / "b")}
    assert build.find_cache(named) == tmp_path / "a"
    assert build.find_cache({"XDG_CACHE_HOME": str(tmp_path / "b")}) == tmp_path / "b" / "hil"
    assert build.find_cache({"HOME": str(tmp_path)}) == tmp_path / ".cache" / "hil"


def test_root_without_a_home_uses_the_systems_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The virtual board is started without a home; what the launcher has built lies where it looks then."""
    monkeypatch.setattr(build, "SYSTEM_CACHE", tmp_path / "system")
    monkeypatch.setattr(os, "geteuid", lambda: tmp_path.stat().st_uid)
    expected = tmp_path / "system" if tmp_path.stat().st_uid == 0 else Path(tempfile.gettempdir())
    assert build.find_cache({}).is_relative_to(expected)


def test_cache_that_others_may_write_is_passed_over(tmp_path: Path) -> None:
    """A library that anybody could have put there is never loaded."""
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    assert build.find_cache({"HIL_CACHE": str(shared), "HOME": str(tmp_path)}) == tmp_path / ".cache" / "hil"


def test_cache_that_is_a_link_is_passed_over(tmp_path: Path) -> None:
    """A symbolic link in the cache's place is not followed."""
    (tmp_path / "link").symlink_to(tmp_path)
    assert build.find_cache({"HIL_CACHE": str(tmp_path / "link"), "HOME": str(tmp_path)}) == tmp_path / ".cache" / "hil"


def test_cache_that_cannot_be_made_falls_back_to_the_temporary_directory(tmp_path: Path) -> None:
    """Where nothing named is usable, a directory of this user's below the temporary one is."""
    (tmp_path / "file").write_text("")
    place = build.find_cache({"HIL_CACHE": str(tmp_path / "file" / "x"), "HOME": str(tmp_path / "file")})
    assert place.is_relative_to(tempfile.gettempdir())
    assert place.stat().st_uid == os.geteuid()
