"""Two boards that a host cannot tell apart."""

from msgspec.structs import replace

from hil.diagnosis import diagnose
from hil.timeline.events import DhcpAck, DhcpRequest, Event, ProfileRead, UsbAttached, UsbSerialNumber

END_NS = 10_000_000_000


def board(name: str, serial: str, mac: str, t_s: float = 1.0, address: str = "192.168.7.1") -> list[Event]:
    """What one board shows when it is plugged in."""
    events = [
        (-5.0, ProfileRead("reference", address, 24, "", ""), "harness"),
        (t_s, UsbAttached(f"1-{name[-1]}", 0x303A, 0x4001), "uevent"),
        *([(t_s, UsbSerialNumber(f"1-{name[-1]}", serial), "uevent")] if serial else []),
        (t_s, UsbAttached(f"2-{name[-1]}", 0x10C4, 0xEA60), "uevent"),
        (t_s, UsbSerialNumber(f"2-{name[-1]}", "0001"), "uevent"),
        (t_s + 1, DhcpRequest("192.168.7.2", "192.168.7.1", 1, mac, "1,3", "host"), "packet"),
        (t_s + 2, DhcpAck("192.168.7.2", "192.168.7.1", 60, 1, mac, "board"), "packet"),
    ]
    return [replace(event, t_ns=round(t * 1e9), t_err_ns=0, board=name, source=source) for t, event, source in events]


def findings(*events: Event) -> list[str]:
    return [each.name for each in diagnose(events, "s3-1", 0, END_NS) if each.name == "boards-share-identity"]


TWINS = (*board("s3-1", "123456", "02:02:11:22:33:01"), *board("s3-2", "123456", "02:02:11:22:33:01", 1.5))


def test_two_boards_with_one_serial_number_and_one_address_are_named() -> None:
    """The finding names both boards and everything that they share, and why the harness is not confused."""
    (finding,) = (each for each in diagnose(TWINS, "s3-1", 0, END_NS) if each.name == "boards-share-identity")
    assert [evidence.text for evidence in finding.supports] == [
        "board s3-1 shows the serial number 123456",
        "board s3-2 shows the same serial number",
        "board s3-1 gives the host's interface the MAC address 02:02:11:22:33:01",
        "board s3-2 gives it the same MAC address",
        "the subnet of board s3-1, and of board s3-2, is 192.168.7.0/24",
    ]
    assert "topology paths" in finding.cause
    assert "namespace" in finding.cause
    assert "user's host" in finding.cause


def test_one_thing_shared_is_enough() -> None:
    """A serial number alone, or an address alone; the subnets may differ."""
    one = board("s3-1", "A", "02:00:00:00:00:01")
    assert findings(*one, *board("s3-2", "A", "02:00:00:00:00:03")) == ["boards-share-identity"]
    assert findings(*one, *board("s3-2", "B", "02:00:00:00:00:01", address="10.0.0.1")) == ["boards-share-identity"]


def test_boards_that_share_no_more_than_their_subnet_are_told_apart() -> None:
    """Every board with one firmware has one subnet; that is the firmware's and no defect of two boards."""
    assert findings(*board("s3-1", "A", "02:00:00:00:00:01"), *board("s3-2", "B", "02:00:00:00:00:03")) == []


def test_what_a_neighbour_showed_in_an_earlier_test_is_not_this_ones_business() -> None:
    """Both boards must have been plugged in while the test ran."""
    earlier = [replace(event, t_ns=event.t_ns - END_NS) for event in board("s3-2", "123456", "02:02:11:22:33:01")]
    assert findings(*board("s3-1", "123456", "02:02:11:22:33:01"), *earlier) == []


def test_boards_without_a_serial_number_share_none() -> None:
    """The timeline tells of none; what hangs at their bridges is theirs as little."""
    one = board("s3-1", "", "02:00:00:00:00:01")
    assert findings(*one, *board("s3-2", "", "02:00:00:00:00:03")) == []
