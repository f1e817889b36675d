"""What a firmware starts on its IP stack."""

from hil.testing.fake_stack import FakeStack
from hil.virtual import firmware as fw
from hil.virtual.services import Services


def test_each_service_is_started_with_what_the_firmware_said() -> None:
    """The server's pool has the address and prefix of the interface."""
    stack, backend, started = FakeStack(), object(), []
    services = Services(stack, backend, lambda: started.append(True))  # type: ignore[arg-type]
    services.start(fw.StartNetif("192.168.7.1", 24), "02:00:00:00:00:01")
    services.start(fw.StartDhcpServer("192.168.7.2", "192.168.7.9", 60, "0.0.0.0", "192.168.7.1"), "")
    services.start(fw.StartHttp(), "")
    assert (stack.address, stack.mac) == ("192.168.7.1/24", "02:00:00:00:00:01")
    assert stack.pool is not None
    assert (stack.pool.server, stack.pool.lease_s, started) == ("192.168.7.1", 60, [True])
    assert stack.http is backend
