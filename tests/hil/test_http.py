"""The board's HTTP server: it answers what it promises, refuses what it does not, and serves more than one."""

import pytest

from hil import (
    BoardFailure,
    DhcpAck,
    DhcpOffer,
    Expect,
    Host,
    HttpReply,
    StreamClosed,
    StreamComment,
    StreamLine,
    StreamOpened,
    UsbAttached,
    UsbBoard,
    UsbDetached,
)
from hil.device.answers import require
from hil.device.eventlog import form_of
from hil.profiles.http import LOADER, LOGS, RESTART, Endpoint
from hil.wire.board_status import EventLog, parse_events

ANSWER_S = 2.0
DISCOVERS, ROUNDS = 20, 6
"""More events than a log of 128 entries has room for, each DISCOVER with its OFFER making two."""
QUESTIONS = 25
"""At ten lines each more than the ring of a reference board has room for."""


def endpoints(board: UsbBoard) -> tuple[Endpoint, ...]:
    if not board.knows("http.endpoints"):
        pytest.skip(f"profile {board.profile.name} names no endpoints")
    return tuple(board.profile.http.endpoints)


def answers(board: UsbBoard, expect: Expect, endpoint: Endpoint) -> None:
    """Ask it, and compare what comes with what the profile says."""
    asked = board.request(endpoint.method, endpoint.path)
    expect.sequence(HttpReply(endpoint.path, method=endpoint.method), after=asked, within_s=ANSWER_S)
    require(endpoint, asked)


def event_log(board: UsbBoard) -> EventLog:
    return parse_events(board.get(board.profile.http.events).body, form_of(board.profile))


@pytest.mark.hil(role="dhcp-server")
def test_every_endpoint_answers(board: UsbBoard, host: Host, expect: Expect) -> None:
    """Each path of the profile gives the status, the content type and the body that it promises."""
    known = endpoints(board)
    host.persona("linux").connect(board.name)
    for endpoint in known:
        if endpoint.effect not in (RESTART, LOADER):
            answers(board, expect, endpoint)


@pytest.mark.hil(role="dhcp-server")
def test_what_is_not_offered_is_refused(board: UsbBoard, host: Host, expect: Expect) -> None:
    """A path that there is not, and a method that a path does not have, are refused and do nothing."""
    known = endpoints(board)
    refused = list(board.profile.http.refusals)
    if board.profile.http.not_allowed is not None:
        paths = dict.fromkeys(endpoint.path for endpoint in known)
        refused += [Endpoint(p, m, board.profile.http.not_allowed, LOGS) for p in paths for m in ("HEAD", "OPTIONS")]
    host.persona("linux").connect(board.name)
    for endpoint in refused:
        answers(board, expect, endpoint)
    if board.knows("http.status"):
        expect.sequence(HttpReply(board.profile.http.status, 200), after=board.status(), within_s=ANSWER_S)


@pytest.mark.hil(role="dhcp-server")
def test_log_stream_lives_and_blocks_nobody(board: UsbBoard, host: Host, expect: Expect) -> None:
    """The stream greets, tells lines, keeps itself alive and ends; who asks meanwhile is answered."""
    if not board.knows("http.stream"):
        pytest.skip(f"profile {board.profile.name} names no log stream")
    http, stream = board.profile.http, board.profile.http.stream
    host.persona("linux").connect(board.name)
    with board.log_stream() as opened:
        expect.sequence(
            StreamOpened(stream.path, 200, stream.content_type),
            *([StreamComment(stream.path, stream.greeting)] if stream.greeting else []),
            since=opened,
            within_s=ANSWER_S,
        )
        if http.one_task:
            board.on_skipped_check(f"requests while the log is streamed: profile {board.profile.name} has one task")
        else:
            for endpoint in http.endpoints:
                if endpoint.method == "GET":
                    answers(board, expect, endpoint)
            expect.sequence(StreamLine(stream.path), since=opened, within_s=stream.keepalive_s + ANSWER_S)
        if stream.keepalive:
            patience_s = 3 * stream.keepalive_s
            expect.sequence(StreamComment(stream.path, stream.keepalive), since=opened, within_s=patience_s)
    expect.sequence(StreamClosed(stream.path, "released"), since=opened, within_s=60.0)
    if board.knows("http.status"):
        # A server notices that a reader has gone when it cannot send the second comment after that.
        patience_s = 2 * stream.keepalive_s + ANSWER_S if http.one_task else ANSWER_S
        asked = board.request("GET", http.status, deadline_s=patience_s)
        expect.sequence(HttpReply(http.status, 200), after=asked, within_s=patience_s)


@pytest.mark.hil(role="dhcp-server")
def test_full_event_log_says_so(board: UsbBoard, host: Host, expect: Expect) -> None:
    """A board whose event log has no more room says how much it lacks; else what it lacks is taken for absent."""
    if not board.knows("http.events") or not board.knows("claim.DHCP_DISCOVER_RX"):
        pytest.skip(f"profile {board.profile.name} has no event log that DISCOVERs fill")
    if not board.profile.events.tells_full:
        pytest.skip(f"profile {board.profile.name}: a full event log of this firmware is known not to say so")
    linux = host.persona("linux")
    linux.connect(board.name)
    entries = len(event_log(board).entries)
    for _ in range(ROUNDS):
        for _ in range(DISCOVERS):
            expect.sequence(DhcpOffer(sender="board"), since=linux.discover_again(), within_s=ANSWER_S)
        before, log = entries, event_log(board)
        entries = len(log.entries)
        if log.discarded:
            return
        if entries <= before:
            raise BoardFailure(f"the event log stands still at {entries} entries and does not say that it is full")
    board.on_skipped_check(
        f"a full event log: {ROUNDS * DISCOVERS} DISCOVERs have made {entries} entries, and it has room"
    )


@pytest.mark.hil(role="dhcp-server")
def test_asking_leaves_the_log_as_it_was(board: UsbBoard, host: Host, expect: Expect) -> None:
    """Requests that only read the board's state push nothing out of the log that is read next."""
    dump = "/logs_all"
    reads = [each for each in endpoints(board) if each.method == "GET" and each.path == board.profile.http.status]
    dumps, room = any(each.path == dump for each in endpoints(board)), board.profile.log.ring_lines
    if not reads or reads[0].effect == LOGS or not dumps or not room:
        pytest.skip(
            f"profile {board.profile.name} names no dump of the log with its length, or no path that logs nothing"
        )
    host.persona("linux").connect(board.name)
    before = log_lines(board, dump)
    for _ in range(QUESTIONS):
        answers(board, expect, reads[0])
    kept = set(log_lines(board, dump))
    pushed_out = [line for line in before if line not in kept]
    if len(pushed_out) > max(0, len(before) + QUESTIONS - room):
        lost = f"{len(pushed_out)} of {len(before)} lines"
        raise BoardFailure(
            f"{QUESTIONS} requests for {reads[0].path} push {lost} out of a log that has room for {room}"
        )


def log_lines(board: UsbBoard, dump: str) -> list[bytes]:
    return [line for line in board.get(dump).body.splitlines() if line]


@pytest.mark.hil(role="dhcp-server")
def test_reset_is_answered_and_then_done(board: UsbBoard, host: Host, expect: Expect) -> None:
    """The board answers before it restarts, comes back by itself, and serves again."""
    resets = [endpoint for endpoint in endpoints(board) if endpoint.effect == RESTART]
    if not resets:
        pytest.skip(f"profile {board.profile.name} names no endpoint that restarts the board")
    linux = host.persona("linux")
    leased = linux.connect(board.name)
    asked = board.request(resets[0].method, resets[0].path)
    require(resets[0], asked)
    expect.sequence(
        UsbDetached(path=board.spec.usb),
        UsbAttached(path=board.spec.usb),
        DhcpAck(address=leased, sender="board"),
        after=asked,
        within_s=20.0,
    )
    assert linux.wait_for_lease() == leased
    if board.knows("http.status"):
        status = board.profile.http.status
        expect.sequence(HttpReply(status, 200), after=board.first_answer(status), within_s=ANSWER_S)
