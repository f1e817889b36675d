"""What a board claims that makes one of the mistakes, and what it would claim without it."""

from hil.virtual.builtin.claims import (
    LATE_MS,
    DhcpToldByPort,
    DiscardedFramesClaimed,
    DropsUntold,
    FirstsLatched,
    StaleFlags,
)
from hil.virtual.faults import Fault
from hil.virtual.firmware import Firmware, FirmwareConfig
from hil.wire import dhcp
from hil.wire.dhcp import DhcpMessage

HOST, BOARD = "02:02:11:22:33:01", "02:02:11:22:33:02"


def of_host(message_type: int) -> bytes:
    message = DhcpMessage(dhcp.BOOTREQUEST, 1, HOST, options=((dhcp.OPTION_MESSAGE_TYPE, bytes((message_type,))),))
    return dhcp.frame(message, HOST, "ff:ff:ff:ff:ff:ff", "0.0.0.0", "255.255.255.255")


def up(fault: Fault | None, ready: bool = True, until_ms: int = 3000) -> Firmware:
    """A board that was mounted at 600 ms of its life."""
    firmware = Firmware(config=fault.configure(FirmwareConfig()) if fault else FirmwareConfig())
    firmware.boot("POWERON", 0)
    if ready:
        firmware.netif_started(0)
    wake_until(firmware, 600)
    firmware.mounted(600)
    wake_until(firmware, until_ms)
    return firmware


def wake_until(firmware: Firmware, end_ms: int) -> list[object]:
    done: list[object] = []
    while (due_ms := firmware.deadline_ms) is not None and due_ms <= end_ms:
        done += firmware.wake(due_ms)
    return done


def log_of(firmware: Firmware, now_ms: int = 9000) -> bytes:
    return firmware.http("GET", "/events", now_ms).body


def test_the_log_of_an_earlier_boot_is_still_there() -> None:
    """Two starts and the mount between them stand in one log, where the right firmware has the last start alone."""
    for config, starts, mounts in ((StaleFlags({}).configure(FirmwareConfig()), 2, 1), (FirmwareConfig(), 1, 0)):
        firmware = Firmware(config=config)
        firmware.boot("POWERON", 0)
        firmware.mounted(600)
        firmware.boot("POWERON", 5000)
        log = firmware.http("GET", "/events", 6000).body
        assert (log.count(b"] BOOT"), log.count(b"] USB_MOUNTED")) == (starts, mounts)


def test_a_request_is_told_as_what_its_port_says() -> None:
    """Two DISCOVERs are told of a DISCOVER and a REQUEST, where the right firmware tells one of each."""
    for fault, counts in ((DhcpToldByPort({}), (2, 0)), (None, (1, 1))):
        firmware = up(fault)
        firmware.frame_received(of_host(dhcp.DISCOVER), 3001)
        firmware.frame_received(of_host(dhcp.REQUEST), 3002)
        log = log_of(firmware)
        assert (log.count(b"] DHCP_DISCOVER_RX"), log.count(b"] DHCP_REQUEST_RX")) == counts


def test_first_frames_are_told_of_one_mount_alone() -> None:
    """The second mount has no first frame where they are latched."""
    for fault, count in ((FirstsLatched({}), 1), (None, 2)):
        firmware = up(fault)
        firmware.frame_received(of_host(dhcp.DISCOVER), 3001)
        firmware.mounted(4000)
        wake_until(firmware, 5000)
        firmware.frame_received(of_host(dhcp.DISCOVER), 5001)
        assert log_of(firmware).count(b"] FIRST_RX") == count


def test_a_frame_that_nobody_takes_is_told_as_heard() -> None:
    """The link is up, the stack is not; the frame is refused all the same."""
    firmware = up(DiscardedFramesClaimed({}), ready=False, until_ms=2000)
    assert LATE_MS > 2000
    taken, _ = firmware.frame_received(of_host(dhcp.DISCOVER), 2001)
    assert not taken
    assert log_of(firmware, 2002).count(b"] DHCP_DISCOVER_RX") == 1
    assert b"] NETIF_READY" not in log_of(firmware, 2002)


def test_a_frame_that_cannot_be_sent_is_not_counted() -> None:
    """Without a mount nothing is sent; the right firmware counts it."""
    for fault, count in ((DropsUntold({}), b'"tx_dropped":0'), (None, b'"tx_dropped":1')):
        firmware = up(fault)
        firmware.unmounted(3500)
        firmware.send_frame(of_host(dhcp.DISCOVER), 3600)
        assert count in firmware.http("GET", "/version", 3700).body.replace(b" ", b"")
