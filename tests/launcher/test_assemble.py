"""Which kernel, which parts, which cache."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from hil.errors import SetupError
from hil.launcher.assemble import UNUSED, cache_directory, kernel_packages, ready
from hil.launcher.packages import Apt

UBUNTU = {
    "linux-image-generic": "linux-image-6.8.0-40-generic, linux-modules-extra-6.8.0-40-generic, linux-firmware",
    "linux-image-6.8.0-40-generic": "kmod, linux-modules-6.8.0-40-generic",
    "linux-modules-6.8.0-40-generic": "",
    "linux-modules-extra-6.8.0-40-generic": "linux-image-6.8.0-40-generic",
}


def apt_knowing(known: dict[str, str], tmp_path: Path) -> Apt:
    """An apt whose packages depend as the table says."""

    def answer(command: Sequence[str], directory: Path) -> str:
        name = command[-1]
        if name not in known:
            raise SetupError("E: No packages found")
        return f"Package: {name}\nVersion: 1\n" + (f"Depends: {known[name]}\n" if known[name] else "")

    return Apt(tmp_path, lambda name: False, answer)


def test_debian_has_its_kernel_in_one_package(tmp_path: Path) -> None:
    """The meta package names it."""
    apt = apt_knowing({"linux-image-amd64": "linux-image-6.1.0-1-amd64", "linux-image-6.1.0-1-amd64": "kmod"}, tmp_path)
    assert [package.name for package in kernel_packages(apt, "x86_64")] == ["linux-image-6.1.0-1-amd64"]


def test_ubuntu_spreads_it_over_three(tmp_path: Path) -> None:
    """Modules and extra modules belong to it; firmware does not."""
    names = sorted(package.name for package in kernel_packages(apt_knowing(UBUNTU, tmp_path), "x86_64"))
    assert names == sorted(set(UBUNTU) - {"linux-image-generic"})


def test_what_was_looked_for_is_named(tmp_path: Path) -> None:
    """Without any kernel package, and on a machine type that none is known for."""
    with pytest.raises(SetupError, match="looked for linux-image-amd64, linux-image-generic"):
        kernel_packages(apt_knowing({}, tmp_path), "x86_64")
    with pytest.raises(SetupError, match="machine type 'riscv64'; known: aarch64, x86_64"):
        kernel_packages(apt_knowing({}, tmp_path), "riscv64")


def test_the_cache_is_where_the_environment_says() -> None:
    """HIL_CACHE before XDG_CACHE_HOME before HOME."""
    env = {"HIL_CACHE": "/c", "XDG_CACHE_HOME": "/x", "HOME": "/h"}
    assert cache_directory(env) == Path("/c")
    assert cache_directory({"XDG_CACHE_HOME": "/x", "HOME": "/h"}) == Path("/x/hil")
    assert cache_directory({"HOME": "/h"}) == Path("/h/.cache/hil")


def test_an_empty_cache_holds_no_pieces(tmp_path: Path) -> None:
    """Nothing is downloaded by looking."""
    assert ready(tmp_path) is None


@pytest.mark.parametrize(
    ("path", "unused"),
    [
        ("drivers/usb/usbip/vhci-hcd.ko", False),
        ("drivers/net/usb/cdc_ncm.ko", False),
        ("drivers/net/veth.ko", False),
        ("fs/9p/9p.ko", False),
        ("drivers/gpu/drm/drm.ko", True),
        ("drivers/net/wireless/ath/ath.ko", True),
        ("fs/btrfs/btrfs.ko", True),
    ],
)
def test_drivers_of_other_hardware_stay_out(path: str, unused: bool) -> None:
    """What a USB bench may ask for is kept."""
    assert bool(UNUSED.search(f"/lib/modules/6.1.0/kernel/{path}/")) is unused
