"""A host on an interface of its own, without a kernel."""

from collections.abc import Iterator

import pytest

from hil.net.host import Host
from hil.testing.fake_net import FakeNet


@pytest.fixture
def net() -> Iterator[FakeNet]:
    """The interface usb0 of s3-a."""
    made = FakeNet()
    yield made
    made.close()


@pytest.fixture
def host(net: FakeNet) -> Iterator[Host]:
    """A host on it; its personas and peers end with the test."""
    made = Host(net, net.record)
    yield made
    made.stop()
