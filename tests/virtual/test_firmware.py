"""hil.virtual.firmware: the reference firmware's core, driven from Python as a board drives it."""

import json
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hil.errors import VirtualBoardError
from hil.virtual.firmware import (
    CdcWrite,
    Command,
    ConsoleWrite,
    Firmware,
    FirmwareConfig,
    ForceDownload,
    Led,
    LinkState,
    PhyToSerialJtag,
    RemoteWakeup,
    Restart,
    StartDhcpServer,
    StartHttp,
    StartNetif,
    StartUsb,
    TransmitFrame,
    UsbConnect,
    UsbDisconnect,
)
from hil.virtual.points import Point
from hil.wire import dhcp

START = 7_000_000_000
"""Far beyond 32 bits: the binding unwraps."""
BOARD_MAC, HOST_MAC = "02:02:11:22:33:02", "02:02:11:22:33:01"
FLAGS = [
    *("USB_MOUNTED", "USB_UNMOUNTED", "USB_SUSPENDED", "USB_RESUMED", "NCM_LINK_UP", "NETIF_READY"),
    *("FIRST_RX", "FIRST_TX", "DHCP_DISCOVER_RX", "DHCP_OFFER_TX", "DHCP_REQUEST_RX", "DHCP_ACK_TX", "DHCP_ASSIGNED"),
]
ARP = bytes(12) + b"\x08\x06" + bytes(46)
SERVER_ID = (54, bytes((192, 168, 7, 1)))


def frame_of(kind: int, to_board: bool) -> bytes:
    message = dhcp.DhcpMessage(
        op=1 if to_board else 2,
        xid=7,
        chaddr=HOST_MAC,
        ciaddr="0.0.0.0",
        yiaddr="0.0.0.0" if to_board else "192.168.7.2",
        siaddr="0.0.0.0",
        giaddr="0.0.0.0",
        options=((61, b"\1abcdef"), (53, bytes([kind])), *(() if to_board else (SERVER_ID,))),
    )
    ends = (HOST_MAC, "ff:ff:ff:ff:ff:ff", "0.0.0.0", "255.255.255.255")
    if not to_board:
        ends = (BOARD_MAC, HOST_MAC, "192.168.7.1", "192.168.7.2")
    return dhcp.frame(message, *ends)


class Board:
    """A firmware whose netif starts when it is told to and whose sends succeed."""

    def __init__(self, config: FirmwareConfig | None = None) -> None:
        self.firmware = Firmware(config=config or FirmwareConfig())
        self.now_ms = START
        self.said: list[tuple[int, Command]] = []
        self.keep(self.firmware.boot("POWERON", START))

    def keep(self, commands: list[Command]) -> list[Command]:
        self.said.extend((self.now_ms - START, command) for command in commands)
        if any(isinstance(command, StartDhcpServer) for command in commands):
            self.keep(self.firmware.netif_started(self.now_ms))
        return commands

    def until(self, board_ms: int) -> "Board":
        deadline_ms = self.firmware.deadline_ms
        while deadline_ms is not None and deadline_ms <= START + board_ms:
            self.now_ms = max(self.now_ms, deadline_ms)
            self.keep(self.firmware.wake(self.now_ms))
            deadline_ms = self.firmware.deadline_ms
        self.now_ms = START + board_ms
        return self

    def connected(self) -> "Board":
        """Mounted at 600 ms, up at 1100 ms, now 2000 ms."""
        self.until(600).keep(self.firmware.mounted(self.now_ms))
        return self.until(2000)

    def get(self, path: str) -> str:
        answer = self.firmware.http("GET", path, self.now_ms)
        assert answer.status == 200
        return answer.body.decode()

    def send(self, frame: bytes, ok: bool = True) -> None:
        assert TransmitFrame(frame) in self.firmware.send_frame(frame, self.now_ms)
        self.keep(self.firmware.frame_sent(frame, ok, "" if ok else "ESP_ERR_INVALID_STATE", self.now_ms))

    def events(self) -> list[str]:
        """Names with details, without times."""
        return re.findall(r"^\[ *\d+ ms\] (.*)$", self.get("/events"), re.M)

    def lines(self, sink: type[ConsoleWrite] | type[CdcWrite]) -> list[str]:
        return [command.data.decode() for _, command in self.said if isinstance(command, sink)]

    def commands(self) -> list[tuple[int, Command]]:
        return [(at, command) for at, command in self.said if not isinstance(command, ConsoleWrite | CdcWrite)]


def test_boot_gives_its_commands_in_order() -> None:
    """USB comes up before the network, the network before HTTP, at the configured times."""
    assert Board().until(5000).commands() == [
        (300, ForceDownload(False)),
        (355, StartUsb()),
        (415, LinkState(False, "boot_init")),
        (435, StartNetif("192.168.7.1", 24)),
        (455, StartDhcpServer("192.168.7.2", "192.168.7.10", 60, "192.168.7.254", "192.168.7.1")),
        (1080, StartHttp()),
    ]


def test_log_is_on_the_console_alone_until_it_is_redirected() -> None:
    """The ring begins with the line that tells of the redirection; CDC gets lines only while DTR is high."""
    board = Board().until(1075)
    assert board.get("/logs_all").startswith("I (1070) main: Logs now output to /dev/cu.usbmodem* (macOS)\n")
    board.keep(board.firmware.line_state(True, True, board.now_ms))
    board.until(5000)
    board.keep(board.firmware.line_state(False, True, board.now_ms))
    board.keep(board.firmware.log(b"I (5000) wifi: unheard\n", board.now_ms))
    assert board.lines(CdcWrite) == [
        "I (1080) main: [BOOT 7/7] HTTP server\n",
        "I (1100) main: BOOT COMPLETE - SERVER READY\n",
    ]
    console = board.lines(ConsoleWrite)
    assert next(line for line in console if "[BOOT " in line) == "I (300) main: [BOOT 1/7] NVS flash\n"
    assert console[-1] == "I (5000) wifi: unheard\n"
    assert len([line for line in console if re.fullmatch(r"[IW] \(\d+\) (main|net): .*\[[1-7]/7\] .*\n", line)]) == 7


def test_netif_ready_is_claimed_when_the_port_says_so() -> None:
    """Without a report boot goes on after its patience, and the claim comes with the late report."""
    firmware = Firmware()
    firmware.boot("POWERON", 0)
    for _ in range(100):
        firmware.wake(firmware.deadline_ms or 9000)
    assert "NETIF_READY" not in firmware.http("GET", "/events", 9000).body.decode().split("===")[2]
    assert json.loads(firmware.http("GET", "/status", 9000).body)["NETIF_READY"] is False
    firmware.netif_started(9500)
    assert "[  9500 ms] NETIF_READY\n" in firmware.http("GET", "/events", 9500).body.decode()


def test_first_connect_leaves_the_documented_events() -> None:
    """A whole handshake is told as what it was, in order."""
    board = Board().connected()
    for kind, answer in ((dhcp.DISCOVER, dhcp.OFFER), (dhcp.REQUEST, dhcp.ACK)):
        taken, _ = board.firmware.frame_received(frame_of(kind, to_board=True), board.now_ms)
        assert taken
        board.send(frame_of(answer, to_board=False))
    assert board.events() == [
        "BOOT: POWERON",
        "NCM_LINK_DOWN: boot_init",
        "DHCP_SERVER_STARTED",
        "NETIF_READY",
        "USB_MOUNTED",
        "NCM_LINK_DOWN: mounted",
        "NCM_LINK_DOWN: stack_ready_kick_down",
        "NCM_LINK_UP: stack_ready_kick_up",
        "FIRST_RX",
        "DHCP_DISCOVER_RX",
        "FIRST_TX",
        "DHCP_OFFER_TX",
        "DHCP_REQUEST_RX",
        "DHCP_ACK_TX",
        "DHCP_ASSIGNED: 192.168.7.2",
    ]
    status = json.loads(board.get("/status"))
    assert list(status) == FLAGS
    assert [name for name, set_ in status.items() if not set_] == ["USB_UNMOUNTED", "USB_SUSPENDED", "USB_RESUMED"]


def test_other_dhcp_messages_are_not_claimed() -> None:
    """RELEASE, DECLINE and INFORM are no DISCOVER, though their ports are the same."""
    board = Board().connected()
    for kind in (dhcp.RELEASE, dhcp.DECLINE, dhcp.INFORM):
        board.firmware.frame_received(frame_of(kind, to_board=True), board.now_ms)
    assert board.events()[-1] == "FIRST_RX"


def test_a_nak_leaves_with_its_servers_name() -> None:
    """ESP-IDF's server makes a NAK of option 53 alone (esp-idf issue 19120); the firmware adds option 54."""
    bare = dhcp.DhcpMessage(2, 7, HOST_MAC, options=((53, bytes([dhcp.NAK])),))
    frame = dhcp.frame(bare, BOARD_MAC, "ff:ff:ff:ff:ff:ff", "192.168.7.1", "255.255.255.255")
    board = Board().connected()
    (sent,) = (each for each in board.firmware.send_frame(frame, board.now_ms) if isinstance(each, TransmitFrame))
    message = dhcp.from_frame(sent.frame)
    assert message is not None
    assert message.options == ((53, bytes([dhcp.NAK])), SERVER_ID)


def test_failed_send_is_claimed_as_failed_only() -> None:
    """An OFFER that did not go out leaves TX_FAILED and its log line, and neither OFFER_TX nor FIRST_TX."""
    board = Board().connected()
    board.send(frame_of(dhcp.OFFER, to_board=False), ok=False)
    assert board.events()[-1] == "TX_FAILED: DHCP_OFFER ESP_ERR_INVALID_STATE"
    assert "E (2000) net: TX FAILED: ESP_ERR_INVALID_STATE\n" in board.lines(ConsoleWrite)
    assert json.loads(board.get("/status"))["FIRST_TX"] is False
    board.send(frame_of(dhcp.NAK, to_board=False))
    assert board.events()[-2:] == ["FIRST_TX", "DHCP_NAK_TX"]


def test_first_frames_are_claimed_for_each_mount() -> None:
    """FIRST_RX and FIRST_TX come again after every mount, and once only in each."""
    board = Board().connected()
    for _ in range(2):
        for _ in range(3):
            board.firmware.frame_received(ARP, board.now_ms)
            board.send(ARP)
        board.keep(board.firmware.mounted(board.now_ms))
        board.until(board.now_ms - START + 1000)
    assert board.events().count("FIRST_RX") == board.events().count("FIRST_TX") == 2


def test_frame_is_not_sent_while_the_link_is_down() -> None:
    """Unmounted, or mounted with the link held down, a frame is dropped, counted, and told once a second."""
    board = Board().until(2000)
    sent: list[Command] = []
    for _ in range(50):
        sent += board.firmware.send_frame(ARP, board.now_ms)
    assert sent == [ConsoleWrite(b"W (2000) net: TX DROPPED: not mounted (1 since boot)\n")]
    board.keep(board.firmware.mounted(board.now_ms))
    assert board.firmware.send_frame(ARP, board.now_ms + 1000) == [
        ConsoleWrite(b"W (3000) net: TX DROPPED: link down (51 since boot)\n")
    ]
    assert json.loads(board.get("/version"))["tx_dropped"] == 51


def test_suspended_board_wakes_the_host_once_and_still_sends() -> None:
    """With remote wakeup armed, the first frame is preceded by one RemoteWakeup until the bus resumes."""
    board = Board().connected()
    board.firmware.frame_received(ARP, board.now_ms)
    for _ in range(2):
        assert not any(isinstance(command, LinkState) for command in board.firmware.suspended(True, board.now_ms))
        assert board.firmware.send_frame(ARP, board.now_ms) == [RemoteWakeup(), TransmitFrame(ARP)]
        assert board.firmware.send_frame(ARP, board.now_ms) == [TransmitFrame(ARP)]
        board.keep(board.firmware.resumed(board.now_ms))
        board.until(board.now_ms - START + 500)
    board.firmware.suspended(False, board.now_ms)
    assert board.firmware.send_frame(ARP, board.now_ms) == [TransmitFrame(ARP)]
    assert board.events()[-1] == "USB_SUSPENDED"
    assert "USB_SUSPENDED: wake_en" in board.events()
    assert board.events()[-4:-1] == ["USB_RESUMED", "NCM_LINK_DOWN: resume_kick_down", "NCM_LINK_UP: resume_kick_up"]


def test_silent_host_makes_the_board_recover_and_at_last_give_up() -> None:
    """Five disconnects with growing pauses though the host re-enumerates each time, then a claim that it gave up."""
    board = Board().until(600)
    board.keep(board.firmware.mounted(board.now_ms))
    seen = 0
    while board.firmware.deadline_ms is not None:
        board.until(board.firmware.deadline_ms - START)
        if [command for _, command in board.commands()].count(UsbConnect()) > seen:
            seen += 1
            board.keep(board.firmware.mounted(board.now_ms))
    times = [at for at, command in board.commands() if command == UsbDisconnect()]
    assert times == [3100, 6150, 11150, 21150, 36150]
    assert board.events()[-1] == "USB_RECOVER: gave_up"
    assert board.firmware.link_up
    assert board.lines(ConsoleWrite)[-1].endswith("net: *** USB RECOVER: gave up after 5 attempts ***\n")


def test_full_event_log_says_so() -> None:
    """A log of four entries tells how many it discarded, right under its header."""
    board = Board(FirmwareConfig(event_capacity=4)).connected()
    assert board.get("/events").startswith(
        "=== CRITICAL EVENTS (4 recorded) ===\n=== 4 EVENTS DISCARDED ===\n\n[     0 ms] BOOT: POWERON\n"
    )
    assert json.loads(board.get("/status"))["NCM_LINK_UP"] is True
    assert json.loads(board.get("/events?format=json"))["discarded"] == 4
    told = [line for line in board.lines(ConsoleWrite) if "Event log full" in line]
    assert told == ["W (600) main: Event log full: 4 kept, the rest is counted\n"]


@pytest.mark.parametrize(
    ("method", "path", "status", "content_type", "body"),
    [
        ("GET", "/led", 200, "application/json", b'{"led":false}'),
        ("POST", "/led/on", 200, "application/json", b'{"led":true}'),
        ("POST", "/led/off", 200, "application/json", b'{"led":false}'),
        ("POST", "/bootloader", 200, "application/json", b'{"status":"bootloader"}'),
        ("GET", "/bootloader", 405, "text/html", b"Specified method is invalid for this resource"),
        ("POST", "/reset", 200, "application/json", b'{"status":"resetting"}'),
        ("GET", "/logs_all", 200, "text/plain; charset=utf-8", b"(no logs in buffer)\n"),
        ("GET", "/events?since=x", 400, "text/html", b"Bad request syntax"),
        ("GET", "/events?since=", 400, "text/html", b"Bad request syntax"),
        ("GET", "/events?since=4294967296", 400, "text/html", b"Bad request syntax"),
        ("GET", "/events?format=xml", 400, "text/html", b"Bad request syntax"),
        ("GET", "/led?x=1", 200, "application/json", b'{"led":false}'),
        ("GET", "/led/on", 405, "text/html", b"Specified method is invalid for this resource"),
        ("HEAD", "/", 405, "text/html", b"Specified method is invalid for this resource"),
        ("GET", "/nowhere", 404, "text/html", b"Nothing matches the given URI"),
        ("GET", "/led\0/on", 404, "text/html", b"Nothing matches the given URI"),
        ("GET", "/" + "x" * 9000, 414, "text/html", b"URI is too long"),
    ],
)
def test_routes(method: str, path: str, status: int, content_type: str, body: bytes) -> None:
    """Each route answers with its status, type and body."""
    answer = Firmware().http(method, path, 0)
    assert (answer.status, answer.content_type, answer.body) == (status, content_type, body)
    assert (answer.headers, answer.stream) == ((), False)


def test_front_page_leaves_one_line_and_evidence_leaves_none() -> None:
    """Reading /events, /status, /version and /logs_all changes no log; / adds a single line."""
    board = Board().until(5000)
    before = board.get("/logs_all")
    for path in ("/events", "/status", "/version", "/logs_all"):
        board.get(path)
    assert board.get("/logs_all") == before
    page = board.get("/")
    assert "ESP32-S3 USB NCM Server" in page
    assert "Connected!" in page
    assert board.get("/logs_all").count("\n") == before.count("\n") + 1


def test_version_tells_who_it_is() -> None:
    """/version is JSON with the build, the boots, the reset reason, the uptime and the heap."""
    sha256 = "ab" * 32
    firmware = Firmware(config=FirmwareConfig(version="1.2.3", project="p\\q", boot_count=6, elf_sha256=sha256))
    firmware.boot('SW "CPU"', 1000)
    firmware.set_free_heap(1234)
    answer = json.loads(firmware.http("GET", "/version", 4500).body)
    assert re.fullmatch("[0-9a-f]{8}", answer.pop("boot_id"))
    assert answer == {
        "version": "1.2.3",
        "project": "p\\q",
        "elf_sha256": sha256,
        "role": "dhcp-server",
        "boot_count": 7,
        "reset_reason": 'SW "CPU"',
        "uptime_ms": 3500,
        "free_heap": 1234,
        "tx_dropped": 0,
        "rx_dropped": 0,
        "rx_malformed": 0,
        "http_refused": 0,
        "serial_refused": 0,
    }


def test_each_boot_has_an_id_of_its_own() -> None:
    """Boots of one board, and of boards with other seeds, differ."""
    ids = []
    for seed in range(10):
        firmware = Firmware(config=FirmwareConfig(seed=seed))
        for _ in range(10):
            firmware.boot("SW", 0)
            ids.append(json.loads(firmware.http("GET", "/version", 0).body)["boot_id"])
    assert len(set(ids)) == 100


def test_events_are_told_from_a_number_on() -> None:
    """As text and as JSON, the events after the last one that was seen, and of which boot they are."""
    board = Board().connected()
    everything = json.loads(board.get("/events?format=json"))
    assert [event["number"] for event in everything["events"]] == list(range(1, everything["recorded"] + 1))
    assert everything["events"][1] == {"number": 2, "ms": 415, "name": "NCM_LINK_DOWN", "detail": "boot_init"}
    last = everything["recorded"]
    board.firmware.frame_received(ARP, board.now_ms)
    later = json.loads(board.get(f"/events?since={last}&format=json"))
    assert [(event["number"], event["name"]) for event in later["events"]] == [(last + 1, "FIRST_RX")]
    assert (later["recorded"], later["discarded"]) == (last + 1, 0)
    assert later["boot_id"] == json.loads(board.get("/version"))["boot_id"]
    text = board.get(f"/events?since={last}")
    assert text.startswith(
        f"=== CRITICAL EVENTS ({last + 1} recorded) ===\n=== AFTER EVENT {last} ===\n\n[  2000 ms] FIRST_RX\n\n==="
    )
    assert board.get("/events?since=0") == board.get("/events?format=text") == board.get("/events")
    assert json.loads(board.get("/events?format=json&since=4000000000"))["events"] == []


def test_commands_of_a_request_come_with_the_next_wake() -> None:
    """A request makes the deadline due at once; the restart follows when the answer has had its 100 ms."""
    board = Board().until(5000)
    board.firmware.http("POST", "/led/on", board.now_ms)
    assert board.firmware.deadline_ms == board.now_ms
    assert Led(True) in board.firmware.wake(board.now_ms)
    board.firmware.http("POST", "/reset", board.now_ms)
    board.until(5099)
    assert Restart(0) not in [command for _, command in board.commands()]
    board.until(5100)
    assert board.commands()[-1] == (5100, Restart(0))


LOADER_STEPS = [(100, UsbDisconnect()), (200, PhyToSerialJtag()), (200, ForceDownload(True)), (200, Restart(0))]


@pytest.mark.parametrize("how", ["http", "serial"])
def test_boot_loader_is_entered_step_by_step(how: str) -> None:
    """By request or by serial command: the answer first, then off the bus, the PHY, the bit, the restart."""
    board = Board().connected()
    board.keep(board.firmware.line_state(True, True, board.now_ms))
    if how == "http":
        assert board.firmware.http("POST", "/bootloader", board.now_ms).status == 200
    else:
        board.keep(board.firmware.serial_received(b"\x1b[A\r\nboot", board.now_ms))
        board.keep(board.firmware.serial_received(b"loader\n", board.now_ms))
        assert "ok bootloader\n" in board.lines(CdcWrite)
    board.until(20_000)
    assert [(at - 2000, command) for at, command in board.commands() if at > 2000] == LOADER_STEPS
    assert json.loads(board.get("/version"))["serial_refused"] == (how == "serial")


@pytest.mark.parametrize(
    ("config", "missing"),
    [
        (FirmwareConfig(loader_phy_on_otg=1), PhyToSerialJtag()),
        (FirmwareConfig(loader_without_flag=1), ForceDownload(True)),
    ],
)
def test_boot_loader_entry_lacks_the_step_that_a_mistake_leaves_out(config: FirmwareConfig, missing: Command) -> None:
    """Without the PHY the ROM comes up on USB-OTG, without the bit the application comes back."""
    board = Board(config).connected()
    board.firmware.http("POST", "/bootloader", board.now_ms)
    board.until(20_000)
    done = [(at - 2000, command) for at, command in board.commands() if at > 2000]
    assert done == [step for step in LOADER_STEPS if step[1] != missing]


def test_log_stream_replays_follows_and_keeps_alive() -> None:
    """A reader gets the greeting, every line since the ring began, then a comment after five silent seconds."""
    board = Board().until(5000)
    answer = board.firmware.http("GET", "/logs", board.now_ms)
    assert answer.stream
    assert answer.content_type == "text/event-stream"
    assert answer.headers == (
        ("Cache-Control", "no-cache"),
        ("Connection", "keep-alive"),
        ("Access-Control-Allow-Origin", "*"),
    )
    cursor = board.firmware.log_stream()
    chunks = []
    while (chunk := board.firmware.next_chunk(cursor, board.now_ms)) is not None:
        chunks.append(chunk)
    assert chunks[0] == b": ESP32 log stream connected\n\n"
    assert chunks[1] == b"data: I (1070) main: Logs now output to /dev/cu.usbmodem* (macOS)\n\n"
    assert chunks[-1] == b"data: I (5000) http: Log stream opened\n\n"
    assert board.firmware.next_chunk(cursor, board.now_ms + 4999) is None
    assert board.firmware.next_chunk(cursor, board.now_ms + 5000) == b": keepalive\n\n"
    board.firmware.log(b"one\ntwo\n", board.now_ms)
    assert board.firmware.next_chunk(cursor, board.now_ms) == b"data: one\ndata: two\n\n"


def test_an_input_may_come_from_a_point() -> None:
    """A re-mount from inside the kick starts over, and its commands come out of the outer call."""
    board = Board().connected()
    points: list[tuple[Point, int]] = []

    def interfere(point: Point, now_ms: int) -> None:
        points.append((point, now_ms))
        if point is Point.LINK_KICK_BEGIN and len(points) < 4:
            assert board.firmware.mounted(now_ms) == []

    board.firmware.set_points(interfere)
    board.keep(board.firmware.mounted(board.now_ms))
    board.until(3000)
    board.firmware.set_points(None)
    board.keep(board.firmware.unmounted(board.now_ms))
    links = [(at, command.reason) for at, command in board.commands() if isinstance(command, LinkState) and at >= 2000]
    assert links == [
        (2000, "mounted"),
        (2250, "stack_ready_kick_down"),
        (2250, "mounted"),
        (2500, "stack_ready_kick_down"),
        (2750, "stack_ready_kick_up"),
        (3000, "unmounted"),
    ]
    assert points[-1] == (Point.LINK_LISTEN, START + 2750)
    assert points[:5] == [
        (Point.LINK_SETTLE, START + 2000),
        (Point.MOUNTED, START + 2000),
        (Point.LINK_KICK_BEGIN, START + 2250),
        (Point.LINK_SETTLE, START + 2250),
        (Point.MOUNTED, START + 2250),
    ]


def test_boot_forgets_everything_but_the_count() -> None:
    """After a restart the events, the log and the clock begin anew."""
    board = Board().connected()
    board.firmware.boot("SW_CPU", board.now_ms)
    assert board.events() == ["BOOT: SW_CPU"]
    assert board.get("/logs_all") == "(no logs in buffer)\n"
    assert json.loads(board.get("/version"))["boot_count"] == 2
    assert not board.firmware.link_up


def test_a_remount_before_a_recovery_calls_it_off() -> None:
    """The point lies before the detach: what a fault puts in there is heeded."""
    board = Board().connected()

    def interfere(point: Point, now_ms: int) -> None:
        if point is Point.BEFORE_RECOVER:
            board.firmware.mounted(now_ms)

    board.firmware.set_points(interfere)
    board.until(6000)
    board.firmware.set_points(None)
    assert not any(isinstance(command, UsbDisconnect) for _, command in board.commands())


def test_another_config_holds_from_now_on() -> None:
    """A limit counts at once; a config that is out of range changes nothing."""
    board = Board().connected()
    board.firmware.configure(FirmwareConfig(max_attempts=0))
    with pytest.raises(VirtualBoardError, match="event_capacity=0"):
        board.firmware.configure(FirmwareConfig(event_capacity=0))
    assert board.firmware.config == FirmwareConfig(max_attempts=0)
    board.until(6000)
    assert not any(isinstance(command, UsbDisconnect) for _, command in board.commands())
    assert "USB_RECOVER: gave_up" in board.events()


def test_config_out_of_range_is_refused() -> None:
    """A capacity that the core does not have is an error with the config in it."""
    with pytest.raises(VirtualBoardError, match="event_capacity=129"):
        Firmware(config=FirmwareConfig(event_capacity=129))


def test_core_fits_the_chip() -> None:
    """The core takes less than 72 KiB of RAM, most of it the log ring."""
    assert Firmware().ram_bytes < 72 * 1024


INPUTS = st.one_of(
    st.tuples(st.sampled_from(("mounted", "unmounted", "resumed", "netif_started", "wake"))),
    st.tuples(st.sampled_from(("suspended",)), st.booleans()),
    st.tuples(st.sampled_from(("line_state",)), st.booleans(), st.booleans()),
    st.tuples(st.sampled_from(("frame_received", "send_frame", "log", "serial_received")), st.binary(max_size=1700)),
    st.tuples(st.sampled_from(("frame_sent",)), st.binary(max_size=1700), st.booleans(), st.text(max_size=100)),
    st.tuples(st.sampled_from(("http",)), st.sampled_from(("GET", "POST", "")), st.text(max_size=20)),
    st.tuples(st.sampled_from(("boot",)), st.text(max_size=50)),
)


@pytest.mark.slow
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(INPUTS, st.integers(0, 70_000)), max_size=60), st.integers(0, 1 << 33))
def test_no_sequence_of_inputs_breaks_the_core(sequence: list[tuple[tuple[object, ...], int]], start_ms: int) -> None:
    """Whatever comes, in whatever order, /events stays readable, /status complete, and the next deadline near."""
    firmware = Firmware()
    now_ms = start_ms
    firmware.boot("POWERON", now_ms)
    for (name, *arguments), pause_ms in sequence:
        now_ms += pause_ms
        getattr(firmware, str(name))(*arguments, now_ms)
    events = firmware.http("GET", "/events", now_ms).body.decode("ascii")
    shown = events.partition("\n\n")[2].partition("\n\n===")[0].splitlines()
    assert all(re.fullmatch(r"\[ *\d+ ms\] [A-Z_]+(: .+)?", line) for line in shown)
    assert list(json.loads(firmware.http("GET", "/status", now_ms).body)) == FLAGS
    deadline_ms = firmware.deadline_ms
    assert deadline_ms is None or deadline_ms <= now_ms + 15_000


def is_sound(frame: bytes) -> bool:
    """The lengths inside lie within the frame: IPv4's (RFC 791) and, of what is no fragment, UDP's (RFC 768)."""
    if not 14 <= len(frame) <= 1514 or frame[12:14] != b"\x08\x00":
        return 14 <= len(frame) <= 1514
    packet = frame[14:]
    header, total = (packet[0] & 15) * 4 if packet else 0, int.from_bytes(packet[2:4])
    if not (packet[:1] and packet[0] >> 4 == 4 and 20 <= header <= total <= len(packet)):
        return False
    if packet[9] != 17 or int.from_bytes(packet[6:8]) & 0x3FFF:
        return True
    datagram = packet[header:total]
    return len(datagram) >= 8 and 8 <= int.from_bytes(datagram[4:6]) <= len(datagram)


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=40), st.integers(0, 330), st.sampled_from((dhcp.DISCOVER, dhcp.OFFER, dhcp.ACK)))
def test_damaged_dhcp_is_survived(damage: bytes, at: int, kind: int) -> None:
    """DHCP frames with bytes overwritten anywhere, and cut there, are taken or refused, never misread as a crash."""
    board = Board().connected()
    whole = frame_of(kind, to_board=kind == dhcp.DISCOVER)
    for frame in (whole[:at] + damage + whole[at + len(damage) :], whole[:at]):
        taken, _ = board.firmware.frame_received(frame, board.now_ms)
        assert taken == is_sound(frame)
        board.firmware.frame_sent(frame, True, "", board.now_ms)
