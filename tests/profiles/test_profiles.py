"""Firmware profiles: those that come with hil, and a user's own."""

import re
from pathlib import Path

import pytest

from hil import profiles
from hil.errors import BenchError
from hil.profiles.claims import BOOT

ROOT = Path(__file__).parents[2]
CORE = ROOT / "firmware" / "core" / "src"
DOCS = ROOT / "docs"
BRIDGES = ("mcu-apple-bridge", "mcu-apple-bridge-486cec7")
NEVER = {"DHCP_REQUEST_RX", "DHCP_ACK_TX", "DHCP_ASSIGNED"}


def write(folder: Path, name: str, text: str) -> str:
    """A profile of the user's own; its path."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


# ---- those that come with hil -------------------------------------------------------------------


def test_shipped_profiles_are_these() -> None:
    """Both generations of the bridge, MicroPython, the reference, and the one that believes nothing; by their names."""
    assert profiles.shipped() == (
        "generic",
        *BRIDGES,
        "micropython",
        "reference",
        "reference-client",
        "reference-static",
    )
    for name in profiles.shipped():
        assert profiles.load(name).name == name


def test_generic_claims_nothing() -> None:
    """With the generic profile every verdict rests on host witnesses."""
    generic = profiles.load("generic")
    assert generic.can_claim == frozenset()
    assert (generic.http.events, generic.role, generic.http.refusals) == ("", "", ())


def test_the_generations_of_the_bridge_differ_in_their_log_over_http_alone() -> None:
    """Ring of 200 or 100 lines; from the oldest line or from now on."""
    new, old = (profiles.load(name) for name in BRIDGES)
    assert (new.log.ring_lines, old.log.ring_lines) == (200, 100)
    assert (new.http.stream.replays, old.http.stream.replays) == ("all", "nothing")
    assert (new.claims, new.sequences, new.events, new.flags) == (old.claims, old.sequences, old.events, old.flags)
    assert (new.http.endpoints, new.network) == (old.http.endpoints, old.network)


def test_the_bridge_never_says_three_of_its_flags() -> None:
    """They are declared and have no call site, so an all-true status cannot be had."""
    bridge = profiles.load("mcu-apple-bridge")
    assert {claim.name for claim in bridge.claims if claim.never} == NEVER
    assert set(bridge.flags.names) > NEVER


def test_the_bridges_log_fills_without_a_word() -> None:
    """30 entries, the first are kept, and one task serves everything."""
    bridge = profiles.load("mcu-apple-bridge")
    assert (bridge.events.capacity, bridge.events.tells_full, bridge.events.keeps) == (30, False, "first")
    assert bridge.http.one_task
    assert not profiles.load("reference").http.one_task


@pytest.mark.parametrize("name", profiles.shipped())
def test_what_misleads_says_where_that_is_known_from(name: str) -> None:
    """The loader refuses anything else; the bridge has seven such claims."""
    misleading = [claim for claim in profiles.load(name).claims if claim.misleads]
    assert len(misleading) == (7 if name in BRIDGES else 0)
    assert all(claim.says and claim.source for claim in misleading)


@pytest.mark.parametrize("name", profiles.shipped())
def test_endpoints_of_the_named_paths_are_described(name: str) -> None:
    """What scenarios read is also what the HTTP check asks for."""
    http = profiles.load(name).http
    named = {path for path in (http.events, http.status, http.version, http.reset) if path}
    assert named <= {endpoint.path for endpoint in http.endpoints}


@pytest.mark.parametrize("name", profiles.shipped())
def test_flags_and_the_keys_of_status_are_the_same(name: str) -> None:
    """In the same order."""
    profile = profiles.load(name)
    keys = [key for e in profile.http.endpoints if e.path == profile.http.status for key, _ in e.answer.json]
    assert keys == list(profile.flags.names)


LINES = [
    ("W (663) net: *** USB MOUNTED (device configured by host) ***", "USB_MOUNTED", ""),
    ("W (663) net: *** USB UNMOUNTED ***", "USB_UNMOUNTED", ""),
    ("W (663) net: *** USB SUSPENDED (remote_wakeup=1) ***", "USB_SUSPENDED", "remote_wakeup=1"),
    ("W (663) net: *** USB RESUMED ***", "USB_RESUMED", ""),
    ("W (921) net: *** USB NCM LINK UP *** (stack_ready_kick_up)", "NCM_LINK_UP", "stack_ready_kick_up"),
    ("W (921) net: *** USB NCM LINK DOWN *** (boot_init)", "NCM_LINK_DOWN", "boot_init"),
    ("W (9) net: *** USB RECOVER: tud_disconnect/tud_connect (attempt 3) ***", "USB_RECOVER", "attempt 3"),
    ("W (9) net: TX FAILED: ESP_ERR_INVALID_STATE", "TX_FAILED", "ESP_ERR_INVALID_STATE"),
]


@pytest.mark.parametrize("name", ["reference", *BRIDGES])
@pytest.mark.parametrize(("line", "claim", "detail"), LINES)
def test_state_lines_are_recognised(name: str, line: str, claim: str, detail: str) -> None:
    """Each literal line is one claim, with its detail, and no other."""
    found = {}
    for each in profiles.load(name).claims:
        if each.pattern and (match := re.search(each.pattern, line)):
            found[each.name] = match.groupdict().get("detail") or ""
    assert found == {claim: detail}


@pytest.mark.parametrize("line", ["W (9) net: RX: netif not ready, dropping", "E (9) net: RX: malloc(1514) failed"])
def test_the_bridges_own_drops_are_recognised(line: str) -> None:
    """They stand in its log and nowhere else."""
    dropped = profiles.load("mcu-apple-bridge").claim("RX_DROPPED")
    assert dropped is not None
    assert dropped.log_only
    assert re.search(dropped.pattern, line)


# ---- the reference profile and the reference firmware ------------------------------------------------


def quoted(file: str, pattern: str) -> list[str]:
    """What ``pattern`` finds in a file of the core."""
    return re.findall(pattern, (CORE / file).read_text(encoding="utf-8"))


def test_reference_claims_what_the_core_records() -> None:
    """Every event name of the core, and no other."""
    assert profiles.load("reference").can_claim == set(quoted("event_log.c", r'\[FW_EVENT_\w+\] = "(\w+)"'))


def test_reference_has_the_flags_of_the_core() -> None:
    """In the core's order, which is that of /status."""
    (enumeration,) = quoted("event_log.h", r"(?s)typedef enum \{(.*?)FW_EVENT_FLAGS,")
    assert list(profiles.load("reference").flags.names) == re.findall(r"FW_EVENT_(\w+),", enumeration)


def test_reference_has_the_routes_of_the_core() -> None:
    """Path, method and content type of every route; the stream stands apart."""
    http = profiles.load("reference").http
    types = {"JSON": "application/json", "PLAIN": "text/plain; charset=utf-8", "HTML": "text/html"}
    routes = quoted("http_routes.c", r'\{"(/[^"]*)", "(\w+)", ("?[\w/-]+"?), \w+, (true|false)\}')
    plain = [(path, method, types[kind]) for path, method, kind, stream in routes if stream == "false"]
    assert [(e.path, e.method, e.answer.content_type) for e in http.endpoints] == plain
    assert [path for path, _, _, stream in routes if stream == "true"] == [http.stream.path]


def test_reference_has_the_limits_of_the_core() -> None:
    """Capacities and lengths as fw_core.h and event_log.h define them."""
    defined = dict(quoted("fw_core.h", r"#define (FW_\w+) (\d+)u") + quoted("event_log.h", r"#define (FW_\w+) (\d+)u"))
    reference = profiles.load("reference")
    assert reference.events.capacity == int(defined["FW_MAX_EVENTS"])
    assert reference.events.detail_bytes == int(defined["FW_DETAIL_BYTES"]) - 1
    assert reference.log.line_bytes == int(defined["FW_LOG_LINE_BYTES"])
    assert reference.log.ring_lines == int(defined["FW_RING_LINES"])
    assert reference.log.ring_line_bytes == int(defined["FW_RING_LINE_BYTES"])


def test_reference_says_once_in_each_boot_what_boot_does_once() -> None:
    """A replug that is no reboot does not bring them again."""
    once = {claim.name for claim in profiles.load("reference").claims if claim.once_per == BOOT}
    assert once == {"BOOT", "DHCP_SERVER_STARTED", "NETIF_READY"}


# ---- the user's own -----------------------------------------------------------------------------


def test_an_unknown_profile_lists_the_shipped_ones() -> None:
    """A misspelt name is refused with the choices."""
    references = "'reference', 'reference-client', 'reference-static'"
    known = f"'generic', 'mcu-apple-bridge', 'mcu-apple-bridge-486cec7', 'micropython', {references}"
    with pytest.raises(BenchError, match=f"^profile 'referense' is not known; known: {known}, or the path"):
        profiles.load("referense")


def test_a_users_own_profile_is_a_path(tmp_path: Path) -> None:
    """A .toml path is read like a shipped profile."""
    path = write(tmp_path, "mine.toml", 'name = "mine"\n[[claim]]\nname = "UP"\npattern = "is up"\n')
    assert profiles.load(path).can_claim == {"UP"}


def test_a_bad_pattern_gives_one_clear_error(tmp_path: Path) -> None:
    """A pattern that is no regular expression is named with file, claim and reason, in one line."""
    path = write(tmp_path, "mine.toml", 'name = "mine"\n[[claim]]\nname = "UP"\npattern = "("\n')
    with pytest.raises(BenchError) as caught:
        profiles.load(path)
    assert str(caught.value) == (
        "mine.toml: claim.UP.pattern is '('; not a regular expression: missing ), unterminated subpattern at position 0"
    )


def test_a_file_that_is_not_there_is_named() -> None:
    """With its path."""
    with pytest.raises(BenchError, match=r"^/no/such/mine\.toml: cannot be read: No such file"):
        profiles.load("/no/such/mine.toml")


def test_a_profile_extends_a_shipped_one(tmp_path: Path) -> None:
    """A newer bridge that has learnt to count what it discards."""
    text = 'name = "mine"\nextends = "mcu-apple-bridge"\n[events]\nwhen_full = "counted"\n'
    mine = profiles.load(write(tmp_path, "mine.toml", text))
    assert (mine.name, mine.events.tells_full, mine.events.capacity) == ("mine", True, 30)
    assert mine.claims == profiles.load("mcu-apple-bridge").claims


def test_a_profile_extends_a_file_beside_it(tmp_path: Path) -> None:
    """Wherever the run was started from."""
    write(tmp_path, "base.toml", 'name = "base"\nrole = "static"\n')
    assert profiles.load(write(tmp_path, "mine.toml", 'name = "mine"\nextends = "base.toml"\n')).role == "static"


def test_an_error_names_the_file_that_has_it(tmp_path: Path) -> None:
    """That of the base, or that which extends it."""
    write(tmp_path, "base.toml", 'name = "base"\nrole = "boss"\n')
    mine = write(tmp_path, "mine.toml", 'name = "mine"\nextends = "base.toml"\nrole = "chief"\n')
    with pytest.raises(BenchError, match=r"^base\.toml: role is 'boss'"):
        profiles.load(mine)
    write(tmp_path, "base.toml", 'name = "base"\n')
    with pytest.raises(BenchError, match=r"^mine\.toml: role is 'chief'"):
        profiles.load(mine)


def test_what_is_extended_has_to_be_there(tmp_path: Path) -> None:
    """The message names the file that asks for it."""
    with pytest.raises(BenchError, match=r"^mine\.toml: extends: profile 'bridge' is not known; known: 'generic'"):
        profiles.load(write(tmp_path, "mine.toml", 'name = "mine"\nextends = "bridge"\n'))
    with pytest.raises(BenchError, match=r"^mine\.toml: extends is 3; wanted a string"):
        profiles.load(write(tmp_path, "mine.toml", 'name = "mine"\nextends = 3\n'))


def test_a_circle_is_refused(tmp_path: Path) -> None:
    """However the paths in it are written."""
    (tmp_path / "sub").mkdir()
    write(tmp_path, "a.toml", 'name = "a"\nextends = "sub/../b.toml"\n')
    write(tmp_path, "b.toml", 'name = "b"\nextends = "sub/../a.toml"\n')
    with pytest.raises(
        BenchError, match=r"^a\.toml: extends goes in a circle: a\.toml extends b\.toml extends a\.toml$"
    ):
        profiles.load(str(tmp_path / "a.toml"))


# ---- the guide ----------------------------------------------------------------------------------


def guide() -> str:
    """The example of docs/profiles.md."""
    (example,) = re.findall(r"(?s)```toml\n(.*?)```", (DOCS / "profiles.md").read_text(encoding="utf-8"))
    return str(example)


def test_the_guides_example_is_a_profile(tmp_path: Path) -> None:
    """As it stands, with everything that the guide says of it."""
    mine = profiles.load(write(tmp_path, "mine.toml", guide()))
    assert mine.can_claim == {"USB_MOUNTED", "NCM_LINK_UP", "DHCP_OFFER_TX", "TX_FAILED"}
    assert mine.named("usb-up") == "USB_MOUNTED"
    assert mine.knows("sequence.connect")
    assert [str(endpoint) for endpoint in mine.http.endpoints] == ["GET /flags", "POST /led"]
    assert (mine.events.tells_full, mine.events.capacity, mine.http.one_task) == (False, 64, True)


def test_the_guides_example_understands_its_firmware(tmp_path: Path) -> None:
    """A line of its log, the body of its event log and that of its flags."""
    mine = profiles.load(write(tmp_path, "mine.toml", guide()))
    line = re.search(mine.log.line, "EVT 663 usb-up by host")
    assert line is not None
    assert line.groupdict() == {"ms": "663", "name": "usb-up", "detail": "by host"}
    assert re.fullmatch(mine.events.entry, "663 usb-up")
    assert mine.flags.names == tuple(key for key, _ in mine.http.endpoints[0].answer.json)


def test_the_guide_names_every_shipped_profile() -> None:
    """And says that the generic one believes nothing."""
    text = (DOCS / "profiles.md").read_text(encoding="utf-8")
    assert [name for name in profiles.shipped() if f"`{name}`" not in text] == []
    assert len(text.splitlines()) <= 140
