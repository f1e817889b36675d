"""hil diagnose."""

import gzip
import io
import sys
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from hil.cli import main
from hil.cli.diagnose import run, table
from hil.diagnosis.text import CAUSES
from hil.diagnosis.text.events_body import SHOWN as EVENT_CAUSES
from hil.errors import HilError, WireError
from hil.timeline.events import Event, SerialLine, TestEnded, TestStarted
from hil.timeline.journal import encode

REPOSITORY = Path(__file__).parents[2]
LOGS = REPOSITORY / "fixtures" / "logs"
PURE = settings(deadline=None, derandomize=True, database=None, max_examples=100)


def told(path: Path | str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    status = main(["diagnose", str(path)])
    out, err = capsys.readouterr()
    return status, out, err


def timeline(*names: str) -> str:
    """A run with one failed test for each sample log."""
    events: list[Event] = []
    for number, name in enumerate(names):
        texts = (LOGS / f"synthetic-{name}.log").read_text(errors="replace").splitlines()
        middle: list[Event] = [SerialLine(text, 0, 9, True) for text in texts]
        tests = [TestStarted(f"test_{name}"), *middle, TestEnded(f"test_{name}", "failed")]
        stamp = {"t_err_ns": 0, "board": "s3-a", "source": "console"}
        events += [replace(event, t_ns=(1 + number) * 10**9 + at * 1000, **stamp) for at, event in enumerate(tests)]
    return "".join(f"{encode(event)}\n" for event in events)


def test_a_log_with_a_failure_ends_with_status_1(capsys: pytest.CaptureFixture[str]) -> None:
    """The finding is printed, with the line that shows it."""
    status, out, _ = told(LOGS / "synthetic-panic.log", capsys)
    assert status == 1
    assert out.startswith("finding   panic: the processor met an exception\n")
    assert "line 56  the panic handler says why, after 2305 ms: Guru Meditation Error: Core  0" in out


def test_a_healthy_log_ends_with_status_0(capsys: pytest.CaptureFixture[str]) -> None:
    """No signature matches, and that is said."""
    assert told(LOGS / "synthetic-clean-idf5-esp32s3.log", capsys) == (0, "finding   no signature matches\n", "")


def test_help_tells_the_exit_status(capsys: pytest.CaptureFixture[str]) -> None:
    """Three of them."""
    with pytest.raises(SystemExit):
        main(["diagnose", "--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert (
        "1 where something is found, 0 where no signature matches, 2 where the path or the profile cannot be read"
        in text
    )


def test_a_run_is_told_as_pytest_told_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each failed test by name, with times that count from its start."""
    (tmp_path / "session").mkdir()
    (tmp_path / "session" / "timeline.jsonl").write_text(timeline("panic", "clean-idf5-esp32s3"))
    status, out, _ = told(tmp_path, capsys)
    first, second = out.split("\n\n")
    assert status == 1
    assert first.splitlines()[:2] == ["test_panic", "finding   panic: the processor met an exception"]
    assert "  for        +0.000 s  the panic handler says why: console SerialLine(text=" in first
    assert second == "test_clean-idf5-esp32s3\nfinding   no signature matches\n"
    assert told(tmp_path / "session", capsys)[1] == out == told(tmp_path / "session" / "timeline.jsonl", capsys)[1]


def test_a_run_without_failures_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Status 0; nothing was to be explained."""
    (tmp_path / "timeline.jsonl").write_text(timeline("panic").replace('"failed"', '"passed"'))
    assert told(tmp_path, capsys) == (0, "finding   no signature matches: no test failed\n", "")


def test_a_timeline_that_was_cut_off_is_read_as_far_as_it_goes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What stands behind the last newline is no event yet."""
    text = timeline("panic")
    (tmp_path / "timeline.jsonl").write_text(text[: text.rindex('"outcome"')])
    assert told(tmp_path, capsys)[0] == 1


def test_a_broken_timeline_is_one_line_and_status_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The error names the file and the line."""
    path = tmp_path / "timeline.jsonl"
    path.write_text(timeline("panic").replace('{"event":"TestEnded"', '{"event":"TestFinished"'))
    status, out, err = told(path, capsys)
    assert (status, out) == (2, "")
    assert err.startswith(f"hil diagnose: {path}: line ")
    assert "event is 'TestFinished'" in err


@pytest.mark.parametrize("data", [b'{"event":"X","t_ns":' + b"[" * 90_000, b'{"event":"Frame","t_ns":' + b"9" * 900])
def test_a_hostile_timeline_is_an_error_too(data: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Deep brackets, and numbers that no clock holds."""
    path = tmp_path / "timeline.jsonl"
    path.write_bytes(data + b',"t_err_ns":0,"board":"","source":"kmsg"}\n')
    status, _, err = told(path, capsys)
    assert status == 2
    assert "line 1: " in err


def test_a_body_of_events_is_known_by_its_head(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Alone, or behind the headers that curl -i saves."""
    body = (LOGS / "synthetic-events-no-carrier.txt").read_bytes()
    path = tmp_path / "events.txt"
    path.write_bytes(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n" + body)
    status, out, _ = told(path, capsys)
    assert status == 1
    assert "finding   no-carrier: " in out
    assert "line 17  not once since its boot: FIRST_RX: NO" in out


EVENTS = "synthetic-events-no-carrier.txt"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-8-sig"])
def test_the_encoding_of_a_body_makes_no_difference(
    encoding: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As PowerShell saves it."""
    path = tmp_path / "events.txt"
    path.write_bytes((LOGS / EVENTS).read_text().encode(encoding))
    assert told(path, capsys) == (1, told(LOGS / EVENTS, capsys)[1], "")


@pytest.mark.parametrize("body", [EVENTS, ""])
def test_a_serial_log_that_holds_a_body_is_a_serial_log_too(
    body: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The panic is found, and what the body shows where it is whole."""
    held = (LOGS / body).read_bytes() if body else b"=== CRITICAL EVENTS (1 recorded) ===\n[   663 ms] USB_MOUNTED\n"
    path = tmp_path / "serial.log"
    path.write_bytes(b"I (310) main_task: Calling app_main()\n" + held + (LOGS / "synthetic-panic.log").read_bytes())
    status, out, _ = told(path, capsys)
    assert status == 1
    assert [line.split(":")[0] for line in out.splitlines() if line.startswith("finding")] == [
        "finding   panic",
        *(["finding   no-carrier"] if body else []),
    ]


def test_what_a_log_and_a_body_show_is_one_finding(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the evidence of both."""
    path = tmp_path / "both.log"
    path.write_bytes((LOGS / "synthetic-ip-link-no-carrier.log").read_bytes() + (LOGS / EVENTS).read_bytes())
    _, out, _ = told(path, capsys)
    assert out.count("finding ") == 1
    assert "is up, and has no carrier" in out
    assert "FIRST_RX: NO" in out


def test_gzip_is_unpacked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A rotated log is read as it lies there."""
    plain = LOGS / "synthetic-panic.log"
    path = tmp_path / "serial.log.gz"
    path.write_bytes(gzip.compress(plain.read_bytes()))
    assert told(path, capsys) == told(plain, capsys)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"PK\x03\x04....", "compressed with zip; unpack it first"),
        (b'{"USB_MOUNTED": true, "FIRST_RX": false}', "JSON, and no timeline; "),
        (b'[{"ms": 663, "name": "USB_MOUNTED"}]\n', "JSON, and no timeline; "),
    ],
)
def test_what_nothing_is_known_of_is_no_answer(
    data: bytes, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Status 2, and what could be read instead."""
    path = tmp_path / "some.file"
    path.write_bytes(data)
    status, out, err = told(path, capsys)
    assert (status, out) == (2, "")
    assert err.startswith(f"hil diagnose: {path}: {says}")
    assert err.count("\n") == 1


def test_a_panic_at_the_end_of_an_endless_line_is_found_and_quoted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A sketch prints dots while it waits; the words that prove the panic are shown."""
    for dots in (300, 4060, 4090, 9000):
        path = tmp_path / "dots.log"
        path.write_text("." * dots + "Guru Meditation Error: Core  1 panic'ed (LoadProhibited). Exception was.\n")
        status, out, _ = told(path, capsys)
        assert status == 1
        assert "Guru Meditation Error: Core  1 panic'ed (LoadProhibited)." in out


def test_standard_input_is_read(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A dash stands for it."""
    data = (LOGS / "synthetic-brownout.log").read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    status, out, _ = told("-", capsys)
    assert status == 1
    assert out.startswith("finding   brownout: ")


def test_what_cannot_be_read_is_one_line_and_status_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Missing, empty, blank, or a folder without a timeline; each says what was wanted."""
    (tmp_path / "empty.log").write_bytes(b"")
    (tmp_path / "blank.log").write_bytes(b"\0\r\n \n")
    wrong = {
        "none.log": "cannot be read: No such file",
        "empty.log": "is empty",
        "blank.log": "is empty",
        "": "holds no",
    }
    for name, reason in wrong.items():
        status, out, err = told(tmp_path / name, capsys)
        assert (status, out) == (2, "")
        assert reason in err
        assert "wanted: a run's folder" in err
        assert err.count("\n") == 1


@pytest.mark.slow
def test_a_long_log_does_not_fill_memory(tmp_path: Path) -> None:
    """Eight megabytes, partly one line without end, are read in less than one."""
    path = tmp_path / "long.log"
    with path.open("wb") as file:
        for number in range(30_000):
            file.write(b"I (%d) lamp: tick of a healthy board that has much to say\r\n" % number)
        file.write(b"x" * 6_000_000)
    tracemalloc.start()
    try:
        assert run(str(path)) == ("finding   no signature matches", 0)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_a_body_without_end_is_refused_early(tmp_path: Path) -> None:
    """Not more is read than a body may have."""
    path = tmp_path / "events.txt"
    path.write_bytes(b"=== CRITICAL EVENTS (1 recorded) ===\n" + b"x" * 30_000_000)
    tracemalloc.start()
    try:
        with pytest.raises(WireError, match="at most"):
            run(str(path))
        assert tracemalloc.get_traced_memory()[1] < 6_000_000
    finally:
        tracemalloc.stop()


def test_a_narrow_terminal_shows_what_it_can(monkeypatch: pytest.MonkeyPatch) -> None:
    """A finding with characters that the terminal does not have is printed all the same."""
    shown = io.BytesIO()
    out = io.TextIOWrapper(shown, encoding="ascii")
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("assert failed: ü ä.c:1 (x)\n".encode())))
    assert main(["diagnose", "-"]) == 1
    out.flush()
    assert b"assert failed: ? ?.c:1 (x)" in shown.getvalue()


HEADS = (
    b"",
    b'{"event":"SerialLine","t_ns":1,',
    b"=== CRITICAL EVENTS (1 recorded) ===\n",
    b"\xff\xfe",
    b"rst:0x7 (A),boot:0x",
)


@PURE
@given(st.sampled_from(HEADS), st.binary(max_size=300))
def test_any_bytes_are_diagnosed_or_refused(tmp_path_factory: pytest.TempPathFactory, head: bytes, tail: bytes) -> None:
    """A text and a status, or the one kind of error that main turns into a line."""
    path = tmp_path_factory.getbasetemp() / "any.bin"
    path.write_bytes(head + tail)
    try:
        text, status = run(str(path))
    except HilError:
        return
    assert text.startswith(("finding   ", "test"))
    assert status in (0, 1)


@pytest.mark.parametrize("indent", [b"    ", b"\t"])
def test_an_indented_log_is_a_log(indent: bytes, tmp_path: Path) -> None:
    """As it stands in an issue or a mail."""
    path = tmp_path / "serial.log"
    for name in ("flash-read-error", "brownout", "clean-idf5-esp32s3"):
        data = (LOGS / f"synthetic-{name}.log").read_bytes()
        path.write_bytes(b"".join(indent + line for line in data.splitlines(keepends=True)))
        assert run(str(path)) == run(str(LOGS / f"synthetic-{name}.log"))


LAMP = """
name = "lamp"
[log]
line = 'net: (?P<name>[A-Z_]+)'
complete = true
[[claim]]
name = "USB_MOUNTED"
[[claim]]
name = "NCM_LINK_UP"
[[claim]]
name = "FIRST_RX"
"""


def with_profile(
    profile: str | Path, log: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> tuple[int, str, str]:
    path = tmp_path / "serial.log"
    path.write_text(log)
    status = main(["diagnose", str(path), "--profile", str(profile)])
    out, err = capsys.readouterr()
    return status, out, err


def test_a_log_is_read_with_the_claims_of_a_profile(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """They are shown below the findings, and are findings where the profile vouches for the log."""
    profile = tmp_path / "lamp.toml"
    profile.write_text(LAMP)
    log = "I (663) net: USB_MOUNTED\nI (921) net: NCM_LINK_UP\nI (9000) lamp: tick\n"
    status, out, err = with_profile(profile, log, tmp_path, capsys)
    assert (status, err) == (1, "")
    assert out.startswith("finding   no-carrier: ")
    assert out.endswith("  says         line 2  at 921 ms: NCM_LINK_UP\n")
    assert "claims " not in told(tmp_path / "serial.log", capsys)[1]


def test_a_shipped_profile_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A lossy log shows its claims, and nothing by what is missing."""
    log = "I (663) net: *** USB MOUNTED ***\nI (90000) net: tick\n"
    status, out, _ = with_profile("reference", log, tmp_path, capsys)
    assert status == 0
    assert out == (
        "finding   no signature matches\n\n"
        "claims    profile reference: 1, of the last boot 1\n"
        "  says         line 1  at 663 ms: USB_MOUNTED\n"
    )


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (None, "lamp.toml: cannot be read: No such file or directory"),
        ("name = 3", "lamp.toml: name is 3"),
        ("name =", "lamp.toml: "),
        (f"{LAMP}pattern = '('", "lamp.toml: claim"),
    ],
)
def test_a_bad_profile_is_one_line_and_status_2(
    text: str | None, error: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It names the file and what is wrong with it."""
    profile = tmp_path / "lamp.toml"
    if text is not None:
        profile.write_text(text)
    status, out, err = with_profile(profile, "I (5) a: b\n", tmp_path, capsys)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert error in err


def test_a_profile_that_is_not_known_is_an_error_with_the_choices(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before the log is read."""
    status, out, err = with_profile("lamp", "", tmp_path, capsys)
    assert (status, out) == (2, "")
    assert "profile 'lamp' is not known; known: 'generic', " in err


def test_a_timeline_has_claims_of_its_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It was recorded with a profile; nor does the table of findings have one."""
    status, _, err = with_profile("reference", timeline("panic"), tmp_path, capsys)
    assert status == 2
    assert "a timeline, which holds what its boards claimed" in err
    assert main(["diagnose", "--list", "--profile", "reference"]) == 2
    assert "--profile reference says whose log PATH is" in capsys.readouterr().err


SHOWN = (
    "brownout.log",
    "invalid-header.log",
    "flash-read-error.log",
    "image-corrupt.log",
    "no-bootable-app.log",
    "flash-too-small.log",
    "psram-not-found.log",
    "stack-overflow.log",
    "heap-corruption.log",
    "interrupt-watchdog.log",
    "task-watchdog.log",
    "rtc-watchdog.log",
    "assert-failed-idf4.log",
    "boot-loop-silent.log",
    "abort.log",
    "panic.log",
    "dhcpc-option-at-run-time.log",
    "build-dhcpc-option.log",
    "build-no-environment.log",
    "build-stale-cache.log",
    "build-component-hash.log",
    "build-component-lock.log",
    "build-region-overflow.log",
    "build-app-too-large.log",
    "build-upload-unanswered.log",
    "ip-link-no-carrier.log",
    "events-no-carrier.txt",
    "events-server-silent.txt",
)
"""The sample logs that docs/diagnosis.md shows, in its order."""
BELOW = ("  cause ", "  remedy ", "  source ")


def test_the_documentation_shows_what_is_printed() -> None:
    """docs/diagnosis.md holds what `hil diagnose --list` prints, and what one sample log gives."""
    told = (REPOSITORY / "docs" / "diagnosis.md").read_text()
    assert run(str(LOGS / "synthetic-flash-too-small.log"))[0] in told
    assert table() in told, "put what `hil diagnose --list` prints at the end of docs/diagnosis.md"


def test_the_documentation_shows_one_of_each() -> None:
    """Every finding that a text can give, with its evidence, as it is printed."""
    printed = [run(str(LOGS / f"synthetic-{name}"))[0] for name in SHOWN]
    names = {text.removeprefix("finding").split(":")[0].strip() for text in printed}
    assert names == {*CAUSES, *EVENT_CAUSES}
    blocks = ["\n".join(line for line in text.splitlines() if not line.startswith(BELOW)) for text in printed]
    told = (REPOSITORY / "docs" / "diagnosis.md").read_text()
    shown = told.partition("## One of each\n")[2].partition("```\n")[2].partition("\n```")[0]
    assert shown == "\n\n".join(blocks), "put the right side into docs/diagnosis.md, One of each"
