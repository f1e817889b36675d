"""The tests of hil itself.

tests/<room>/   mirror hil/<room>/: plain pytest, no root, no bench
tests/hil/      the scenarios: `pytest -m hil`, on whatever bench there is
tests/bench/    what hil costs: `make bench`; no tests, as no wall time is a test's business
fixtures/       recordings, named for what they show

Markers say what a test needs beyond that: root (namespaces of this kernel), vm (the QEMU machine), slow (over 0.25 s).
"""

import builtins
from collections.abc import Iterator
from typing import Any

import pytest

pytest_plugins = ["pytester"]

_DEVICES = ("/dev/tty", "/dev/bus/usb", "/dev/usbmon", "/dev/kmsg", "/dev/net/tun")
_ALLOWED = ("root", "vm", "hil")


@pytest.fixture(autouse=True)
def _no_device_without_marker(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fail a test that opens a device and does not say so by a marker."""
    if any(request.node.get_closest_marker(name) for name in _ALLOWED):
        yield
        return
    opened: list[str] = []
    plain = builtins.open

    def watched(file: Any, *args: Any, **kwargs: Any) -> Any:
        if str(file).startswith(_DEVICES):
            opened.append(str(file))
        return plain(file, *args, **kwargs)

    monkeypatch.setattr(builtins, "open", watched)
    yield
    if opened:
        pytest.fail(f"{request.node.nodeid} opened {', '.join(opened)}; mark it {' or '.join(_ALLOWED)}")
