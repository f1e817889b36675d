"""The fault port: who is asked, when, and what happens to a broken fault."""

from dataclasses import replace

import pytest

from hil.errors import VirtualBoardError
from hil.virtual.builtin.dhcp import DhcpServerNotStarted
from hil.virtual.builtin.send import SendsRejectedWhileSuspended
from hil.virtual.faults import ArmedFault, Arming, Fault, FaultPort
from hil.virtual.firmware import Command, FirmwareConfig, HttpResponse, Led, RemoteWakeup, StartDhcpServer
from hil.virtual.points import Injection, Later, Mount, Point
from hil.virtual.soc import Reset
from hil.wire.usb import SetupPacket

DHCP = StartDhcpServer("192.168.7.2", "192.168.7.10", 60, "0.0.0.0", "0.0.0.0")
ANSWER = HttpResponse(200, "application/json", b"{}", (), stream=False)
SETUP = SetupPacket(0x80, 6, 0x0100, 0, 18)


def port_of(*faults: Fault, arming: Arming | None = None) -> tuple[FaultPort, list[VirtualBoardError]]:
    broken: list[VirtualBoardError] = []
    armed = [ArmedFault(fault, f"fault-{number}", arming or Arming()) for number, fault in enumerate(faults)]
    return FaultPort(armed, broken.append), broken


class Doubling(Fault):
    def frame_to_host(self, frame: bytes) -> list[bytes]:
        return [frame, frame]

    def urb_in(self, endpoint: int, data: bytes) -> bytes | None:
        return data * 2

    def boot(self, reset: Reset) -> Reset:
        return Reset.BROWNOUT


class Swallowing(Fault):
    def frame_to_host(self, frame: bytes) -> list[bytes]:
        return []

    def urb_in(self, endpoint: int, data: bytes) -> bytes | None:
        return None

    def control(self, setup: SetupPacket, answer: bytes | None) -> bytes | None:
        return None

    def command(self, command: Command) -> Command | None:
        return None


class Raising(Fault):
    name = "raising"

    def console(self, data: bytes) -> bytes:
        raise KeyError("missing")


class Forgetful(Fault):
    name = "forgetful"

    def frame_to_host(self, frame: bytes) -> list[bytes]:
        return None  # type: ignore[return-value]


def test_without_faults_everything_passes_unchanged() -> None:
    """Every tap of an empty port returns what it was given."""
    port, _ = port_of()
    assert port.control(SETUP, b"a") == b"a"
    assert (port.urb_in(0x84, b"a"), port.urb_out(4, b"b"), port.notification(b"c")) == (b"a", b"b", b"c")
    assert (port.frame_to_host(b"d"), port.frame_from_host(b"e")) == ([b"d"], [b"e"])
    assert (port.serial_to_host(b"f"), port.console(b"g")) == (b"f", b"g")
    assert (port.boot(Reset.EN), port.command(Led(True)), port.may_send(True)) == (Reset.EN, Led(True), None)
    assert port.http("GET", "/status", ANSWER) == ANSWER


def test_a_fault_sees_what_the_one_before_it_left() -> None:
    """Two doubling faults make four; a swallowing one ends the chain."""
    port, _ = port_of(Doubling({}), Doubling({}))
    assert (port.frame_to_host(b"x"), port.urb_in(0x84, b"y")) == ([b"x"] * 4, b"yyyy")
    port, _ = port_of(Swallowing({}), Doubling({}))
    assert (port.frame_to_host(b"x"), port.urb_in(0x84, b"y"), port.command(Led(True))) == ([], None, None)
    assert (port.control(SETUP, b"x"), port.boot(Reset.EN)) == (None, Reset.BROWNOUT)


class Meddling(Fault):
    name = "meddling"

    def configure(self, config: FirmwareConfig) -> FirmwareConfig:
        return replace(config, max_attempts=config.max_attempts + 1)

    def at_point(self, point: Point, now_ms: int) -> list[Injection]:
        return [Mount(), Led(True)] if point is Point.LINK_KICK_BEGIN else []


class Confused(Fault):
    name = "confused"

    def at_point(self, point: Point, now_ms: int) -> list[Injection]:
        return [Later(1.0, "soon")]  # type: ignore[arg-type]


def test_faults_change_the_config_one_after_the_other() -> None:
    """Each gets what the one before it left."""
    port, _ = port_of(Meddling({}), Meddling({}))
    assert port.configure(FirmwareConfig()).max_attempts == FirmwareConfig().max_attempts + 2


def test_what_faults_put_in_at_a_point_adds_up() -> None:
    """Inputs and commands come in the order of the faults; only a fault that asks for points makes the port watch."""
    port, _ = port_of(Meddling({}), Fault({}), Meddling({}))
    assert port.watches_points
    assert port.at_point(Point.LINK_KICK_BEGIN, 0) == [Mount(), Led(True), Mount(), Led(True)]
    assert port.at_point(Point.LINK_OFF, 0) == []
    assert not port_of(Doubling({}))[0].watches_points


def test_what_is_no_injection_is_told() -> None:
    """A text in place of an input is named with its method."""
    port, broken = port_of(Confused({}))
    assert port.at_point(Point.LINK_OFF, 0) == []
    assert "fault confused: at_point() returned [Later(after_s=1.0, injection='soon')]" in str(broken[0])


def test_a_fault_becomes_active_with_the_mount_that_it_names() -> None:
    """from_mount=2: the first mount is sound, the second and all later ones are not."""
    port, _ = port_of(Swallowing({}), arming=Arming(from_mount=2))
    port.mounts = 1
    assert port.frame_to_host(b"x") == [b"x"]
    port.mounts = 2
    assert port.frame_to_host(b"x") == []
    assert port.described == {"fault-0": True}


def test_a_delay_counts_from_the_instant_at_which_the_counts_are_reached() -> None:
    """after_s runs only once boots and mounts suffice."""
    armed = ArmedFault(Fault({}), "f", Arming(from_boot=1, after_s=1.5))
    second = 1_000_000_000
    assert not armed.is_active(boots=0, mounts=0, at_ns=10 * second)
    assert not armed.is_active(boots=1, mounts=0, at_ns=20 * second)
    assert not armed.is_active(boots=1, mounts=0, at_ns=21 * second)
    assert armed.is_active(boots=1, mounts=0, at_ns=22 * second)


def test_a_fault_that_raises_is_told_once_with_its_line_and_asked_no_more() -> None:
    """What it should have changed passes unchanged."""
    port, broken = port_of(Raising({}), Doubling({}))
    assert [port.console(b"a"), port.console(b"b")] == [b"a", b"b"]
    assert port.frame_to_host(b"x") == [b"x"]
    assert len(broken) == 1
    line = Raising.console.__code__.co_firstlineno + 1
    assert str(broken[0]) == f"fault raising: {__file__}:{line}: KeyError: 'missing'"


def test_a_fault_that_returns_nonsense_is_told_what_was_expected() -> None:
    """A forgotten return is named with its method."""
    port, broken = port_of(Forgetful({}))
    assert port.frame_to_host(b"x") == [b"x"]
    assert str(broken[0]) == "fault forgetful: frame_to_host() returned None, expected a list of bytes"


def test_sends_are_rejected_while_suspended_and_the_host_is_not_woken() -> None:
    """Awake, the same fault lets everything pass."""
    port, _ = port_of(SendsRejectedWhileSuspended({}))
    assert (port.may_send(True), port.may_send(False)) == ("ESP_ERR_INVALID_STATE", None)
    assert port.command(RemoteWakeup()) is None


@pytest.mark.parametrize(("command", "passed"), [(DHCP, None), (Led(True), Led(True))])
def test_the_dhcp_server_is_not_started(command: Command, passed: Command | None) -> None:
    """Only that command is swallowed."""
    port, _ = port_of(DhcpServerNotStarted({}))
    assert port.command(command) == passed
