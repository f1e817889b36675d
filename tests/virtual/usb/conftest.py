"""Markers of the tests that attach to the kernel."""

import pytest


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "root: needs root")
    config.addinivalue_line("markers", "vm: needs vhci_hcd, as the QEMU machine has it")
    config.addinivalue_line("markers", "slow: takes over 0.25 s")
