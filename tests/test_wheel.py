"""The wheel, built from this tree without network, installed beside nothing but its dependencies."""

import importlib.util
import os
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
REPOSITORY = Path(__file__).parents[1]
LIMIT_S = 100.0
OURS = ("hil", "pytest_hil", "_editable_impl_pytest_hil")
"""What an installation of this tree itself has put beside its dependencies."""


@dataclass(frozen=True, slots=True)
class Installed:
    """A directory with the unpacked wheel, and one with what it depends on."""

    target: Path
    dependencies: Path

    def run(self, *arguments: str) -> str:
        """What Python says, with these two directories and its own library on its path, and no site-packages."""
        env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "PYTHON", "HIL_"))}
        env["PYTHONPATH"] = f"{self.target}:{self.dependencies}"
        return output([sys.executable, "-S", *arguments], self.target.parent, env)


def output(command: list[str], cwd: Path, env: dict[str, str] | None = None) -> str:
    """What a program says that ends well."""
    ended = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert ended.returncode == 0, f"{' '.join(command)}\n{ended.stdout}{ended.stderr}"
    return ended.stdout


def files(root: Path) -> set[str]:
    """Every file below it, by its path from there."""
    found = (path.relative_to(root) for path in root.rglob("*") if path.is_file())
    return {str(path) for path in found if "__pycache__" not in path.parts}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Skips by name where the locked build backend, or pip, is not installed."""
    for module, cure in (("hatchling", "pip install -r requirements-build.lock"), ("pip", "python -m ensurepip")):
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"{module} is not installed: {cure}")
    place = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-cache-dir"]
    output([*pip, "wheel", "-q", "--no-index", "--no-deps", "--no-build-isolation", "-w", ".", str(REPOSITORY)], place)
    (wheel,) = place.glob("*.whl")
    output([*pip, "install", "-q", "--no-index", "--no-deps", "--target", "target", wheel.name], place)
    (place / "dependencies").mkdir()
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        if entry.name.partition("-")[0].partition(".")[0] not in OURS:
            (place / "dependencies" / entry.name).symlink_to(entry)
    return Installed(place / "target", place / "dependencies")


def test_the_package_is_the_wheels_alone(installed: Installed) -> None:
    """Without that, every other test here would be about the source tree."""
    said = installed.run("-c", "import sys, hil; print(hil.__file__, *sys.path, sep='\\n')").split("\n")
    assert said[0] == str(installed.target / "hil/__init__.py")
    assert str(REPOSITORY) not in said


def test_every_file_of_the_package_is_in_it(installed: Installed) -> None:
    """Modules, py.typed, profiles and the scripts of the machine, and nothing else but the firmware core."""
    packed = files(installed.target / "hil")
    wanted = {"py.typed", "profiles/reference.toml", "launcher/guest_init.sh", "launcher/guest_main.sh"}
    assert wanted - packed == set()
    assert files(REPOSITORY / "hil") - packed == set()
    assert {name for name in packed - files(REPOSITORY / "hil") if not name.startswith("virtual/_core/")} == set()


def test_the_firmware_core_is_in_it(installed: Installed) -> None:
    """Its sources with their licence, and the virtual board takes them from there."""
    core = installed.target / "hil/virtual/_core"
    assert files(core) == files(REPOSITORY / "firmware/core/src") | {"LICENSE"}
    found = installed.run("-c", "from hil.virtual.build import find_sources; print(find_sources())")
    assert found.strip() == str(core)


def test_its_profiles_are_read(installed: Installed) -> None:
    """By name, as a bench file says them."""
    said = installed.run("-c", "from hil import profiles; print(profiles.load('reference').name)")
    assert said == "reference\n"


def test_pytest_finds_its_plugin(installed: Installed) -> None:
    """By the entry point: the options are there without a conftest."""
    assert "--hil-bench" in installed.run("-m", "pytest", "-p", "no:hypothesispytest", "--help")


def test_its_command_answers(installed: Installed) -> None:
    """``hil`` is a program of it."""
    assert "usage: hil" in installed.run(str(installed.target / "bin/hil"), "--help")
