"""The tests of this kernel's vhci_hcd run as root where it is there; tests/proofs/test_on_kernel.py boots one."""

import os

import pytest

from hil.virtual.usb.vhci import PLATFORM


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what is marked ``vhci`` on any other machine."""
    if item.get_closest_marker("vhci") and (os.geteuid() != 0 or not (PLATFORM / "vhci_hcd.0").is_dir()):
        pytest.skip("needs root and the kernel module vhci_hcd: python -m hil.launcher -- pytest -m vhci tests/virtual")
