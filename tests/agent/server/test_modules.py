"""Kernel modules and the nodes that come with them."""

import asyncio
import os
from pathlib import Path

import pytest

from hil.agent.server import modules
from hil.errors import SetupError


def test_a_module_that_is_loaded_costs_nothing(tmp_path: Path) -> None:
    """What sysfs shows needs no modprobe; dash and underscore are alike, as for the kernel."""
    (tmp_path / "module/vhci_hcd").mkdir(parents=True)
    asyncio.run(modules.load("vhci-hcd", tmp_path))


def test_a_module_that_is_not_there_is_a_matter_of_setup(tmp_path: Path) -> None:
    """Without kmod, or without the module, the message names the module."""
    with pytest.raises(SetupError, match="module hil_no_such_module cannot be loaded: "):
        asyncio.run(modules.load("hil_no_such_module", tmp_path))


def test_a_missing_usbmon_node_names_the_remedy(tmp_path: Path) -> None:
    """The node and the module are in the message."""
    with pytest.raises(
        SetupError, match=r"usbmon3 cannot be opened: No such file or directory; load the module usbmon"
    ):
        modules.open_usbmon(3, tmp_path)


def test_the_bus_chooses_the_usbmon_node(tmp_path: Path) -> None:
    """Bus 3 is usbmon3, opened for reading and not blocking."""
    os.mkfifo(tmp_path / "usbmon3")
    descriptor = modules.open_usbmon(3, tmp_path)
    assert not os.get_blocking(descriptor)
    os.close(descriptor)


def test_the_kernel_log_is_read_from_its_end(tmp_path: Path) -> None:
    """Records from before are not handed over."""
    (tmp_path / "kmsg").write_text("old\n")
    descriptor = modules.open_kmsg(tmp_path)
    assert os.read(descriptor, 10) == b""
    os.close(descriptor)
