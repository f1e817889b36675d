"""The allow list: what it says, and when it is not believed."""

import os
from pathlib import Path

import pytest

from hil.agent import allow
from hil.errors import AgentRefused, BenchError, SetupError

GOOD = """
virtual = true
modules = ["usbmon", "cdc_ncm"]
[boards]
s3-a = ["1-1.2", "1-1.3"]
s3-b = ["2-1"]
[power]
s3-a = { driver = "uhubctl", hub = "1-1", port = 2, also_off = ["1-1.4"] }
s3-b = { driver = "relay", name = "lab-1" }
[relays]
lab-1 = ["/usr/local/bin/usbrelay", "--quiet", "BITFT_1={1|0}"]
boot-b = ["/usr/local/bin/usbrelay", "BITFT_2={1|0}"]
[boot]
s3-b = { driver = "relay", name = "boot-b" }
"""
RELAY = "[relays]\nlab-1 = ['/bin/relay', '{on|off}']\n"


def written(place: Path, text: str) -> Path:
    place.chmod(0o755)
    path = place / "allow.toml"
    path.write_text(text)
    path.chmod(0o644)
    return path


def test_a_good_list_is_read(tmp_path: Path) -> None:
    """Boards, modules and the virtual switch come out as they were written."""
    listed = allow.load(written(tmp_path, GOOD), os.getuid())
    assert listed.paths("s3-a") == ("1-1.2", "1-1.3")
    assert (listed.virtual, listed.modules) == (True, ("usbmon", "cdc_ncm"))


def test_power_is_switched_as_the_list_says(tmp_path: Path) -> None:
    """A client that believes the same gets it; a relay's command has a choice for on and one for off."""
    listed = allow.load(written(tmp_path, GOOD), os.getuid())
    assert listed.power_of("s3-a", "uhubctl, hub 1-1 port 2 with 1-1.4").also_off == ("1-1.4",)
    assert listed.power_of("s3-b", "relay lab-1").name == "lab-1"
    assert listed.relay_command("lab-1", True) == ["/usr/local/bin/usbrelay", "--quiet", "BITFT_1=1"]
    assert listed.relay_command("lab-1", False)[-1] == "BITFT_1=0"


@pytest.mark.parametrize(
    ("board", "wanted", "words"),
    [
        ("s3-a", "uhubctl, hub 1-1 port 3", "names 'uhubctl, hub 1-1 port 2 with 1-1.4'"),
        ("s3-b", "relay lab-2", "names 'relay lab-1'"),
        ("s3-c", "relay lab-1", "names no power"),
    ],
)
def test_power_is_not_switched_in_another_way(tmp_path: Path, board: str, wanted: str, words: str) -> None:
    """A bench.toml that has changed since is told from the list that root wrote."""
    path = written(tmp_path, GOOD)
    with pytest.raises(AgentRefused) as refused:
        allow.load(path, os.getuid()).power_of(board, wanted)
    remedy = "'sudo hil init bench.toml' writes what bench.toml says"
    assert str(refused.value) == f"power of board {board}: {wanted!r} is wanted, {path} {words}; {remedy}"


@pytest.mark.parametrize(
    ("board", "wanted", "words"),
    [("s3-b", "relay lab-1", "names 'relay boot-b'"), ("s3-a", "relay boot-b", "names no boot")],
)
def test_boot_is_held_only_as_listed(tmp_path: Path, board: str, wanted: str, words: str) -> None:
    """Another relay is none of the board's, whatever its command."""
    listed = allow.load(written(tmp_path, GOOD), os.getuid())
    assert listed.boot_of("s3-b", "relay boot-b").name == "boot-b"
    with pytest.raises(AgentRefused, match=f"boot of board {board}: {wanted!r} is wanted, .* {words}; 'sudo hil init"):
        listed.boot_of(board, wanted)


def test_an_unlisted_board_is_refused_with_the_listed_ones(tmp_path: Path) -> None:
    """A refusal names what was asked for, the file and what it allows."""
    path = written(tmp_path, GOOD)
    with pytest.raises(AgentRefused) as refused:
        allow.load(path, os.getuid()).paths("s3-c")
    told = (
        f"board 's3-c' may not be touched; {path} names: s3-a, s3-b; 'sudo hil init bench.toml' writes what bench.toml "
    )
    assert str(refused.value).startswith(told)


def test_an_unlisted_module_is_refused_with_the_listed_ones(tmp_path: Path) -> None:
    """Modules are compared as the kernel does, dash and underscore alike; others are refused."""
    listed = allow.load(written(tmp_path, GOOD.replace("true", "false")), os.getuid())
    listed.require_module("cdc-ncm")
    with pytest.raises(AgentRefused, match=r"module 'vhci_hcd' may not be loaded; .* allows: usbmon, cdc_ncm"):
        listed.require_module("vhci_hcd")


def test_the_virtual_bench_brings_its_modules() -> None:
    """An agent for the virtual bench alone may load what that needs, and touch no board."""
    listed = allow.virtual_only()
    listed.require_virtual()
    listed.require_module("vhci_hcd")
    with pytest.raises(AgentRefused, match="names: none"):
        listed.paths("s3-a")


def test_without_the_switch_there_is_no_virtual_board(tmp_path: Path) -> None:
    """virtual = true must be said."""
    path = written(tmp_path, "")
    with pytest.raises(AgentRefused, match="does not say virtual = true"):
        allow.load(path, os.getuid()).require_virtual()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("virtual = 1", "virtual is 1; wanted true or false"),
        ("modules = ['../x']", "wanted names of kernel modules"),
        ("shell = true", "shell is not a known key; known: boards, boot, modules, power, relays, virtual"),
        ("[boards]\na = '1-1'", "boards.a is '1-1'; wanted an array"),
        ("[boards]\na = []", "wanted one or two topology paths"),
        ("[boards]\na = ['1-1', '1-2', '1-3']", "wanted one or two topology paths"),
        ("[boards]\na = ['1-1/..']", "wanted one or two topology paths"),
        ("[boards]\nlan = ['1-1']", "wanted a board name other than 'lan'"),
        ("[boards]\n'A b' = ['1-1']", "wanted a board name"),
        ("[boards]\na = ['1-1']\nb = ['1-1']", "path '1-1' belongs to both 'a' and 'b'"),
        ("[boards]\na = ['1-1']\nb = ['1-1.4']", "path '1-1.4' of 'b' hangs below path '1-1' of 'a'"),
        ("boards = 3", "boards is 3; wanted a table"),
        ("power = 3", "power is 3; wanted a table"),
        ("relays = 3", "relays is 3; wanted a table"),
        ("[relays]\nlab-1 = 'x'", "relays.lab-1 is 'x'; wanted an array"),
        ("[relays]\nlab-1 = []", "relays.lab-1 is []; wanted the absolute path of a program first"),
        ("[relays]\nlab-1 = ['relay', '{on|off}']", "wanted the absolute path of a program first"),
        ("[relays]\nlab-1 = ['/bin/{a|b}', '{on|off}']", "wanted the absolute path of a program first"),
        ("[relays]\nlab-1 = ['/bin/relay', 'on']", "wanted an argument with a choice such as '{on|off}'"),
        ("[relays]\n'Lab 1' = ['/bin/relay', '{on|off}']", "wanted a relay's name"),
        (RELAY + "[power]\na = { driver = 'relay', name = 'lab-1' }", "no such board; known: none"),
        ("[boards]\na = ['1-1']\n[power]\na = { driver = 'manual' }", "the agent switches by: relay, uhubctl"),
        (RELAY + "[boards]\na = ['1-1']\n[power]\na = { driver = 'relay', name = 'b' }", "no such relay; known: lab-1"),
        ("[boards]\na = ['1-1']\n[power]\na = { driver = 'uhubctl', hub = '1', port = 2 }", "hangs elsewhere, at 1-1"),
        ("[boards]\na = ['1-1']\n[power]\na = { driver = 'ykush' }", "driver is 'ykush'; known: 'manual', 'none'"),
        ("boot = 3", "boot is 3; wanted a table"),
        (
            RELAY + "[boot]\na = { driver = 'relay', name = 'lab-1' }",
            "boot.a is {'driver': 'relay', 'name': 'lab-1'}; no",
        ),
        ("[boards]\na = ['1-1']\n[boot]\na = { driver = 'relay', name = 'b' }", "no such relay; known: none"),
        ("[boards]\na = ['1-1']\n[boot]\na = { driver = 'none' }", "the agent holds BOOT by: relay"),
        ("[boards]\na = ['1-1']\n[boot]\na = { driver = 'finger' }", "driver is 'finger'; known: 'none', 'relay'"),
        ("virtual =", "not TOML"),
        ("modules = " + "[" * 100_000, "too deep"),
        ("virtual = " + "9" * 5000, "not TOML"),
        ("virtual = 0x" + "f" * 5000, "virtual is an integer of 20000 bits; wanted 64 at most"),
        ('modules = ["a\\u0000"]', r"modules is 'a\x00'; wanted a string without NUL"),
        ("[boards]\na = ['١-١']", "boards.a is ['١-١']; wanted one or two topology paths"),
    ],
)
def test_a_wrong_list_is_refused_by_key(tmp_path: Path, text: str, words: str) -> None:
    """Every mistake names the file and the key."""
    path = written(tmp_path, text)
    with pytest.raises(BenchError) as refused:
        allow.load(path, os.getuid())
    assert str(path) in str(refused.value)
    assert words in str(refused.value)


@pytest.mark.parametrize("mode", [0o666, 0o664, 0o646])
def test_a_list_that_others_may_write_is_refused(tmp_path: Path, mode: int) -> None:
    """A file that others may write is not believed, and the message says how to cure it."""
    path = written(tmp_path, GOOD)
    path.chmod(mode)
    with pytest.raises(SetupError, match=f"{path} has mode {mode:04o}; .*: chmod go-w {path}"):
        allow.load(path, os.getuid())


def test_a_list_in_a_directory_that_others_may_write_is_refused(tmp_path: Path) -> None:
    """Who may write the directory may replace the file."""
    path = written(tmp_path, GOOD)
    tmp_path.chmod(0o777)
    with pytest.raises(SetupError, match=f"{tmp_path} has mode 0777"):
        allow.load(path, os.getuid())


@pytest.mark.root
def test_a_list_of_another_user_is_refused(tmp_path: Path) -> None:
    """Only root's own file is believed."""
    path = written(tmp_path, GOOD)
    os.chown(path, 65534, 65534)
    with pytest.raises(SetupError, match=f"{path} belongs to uid 65534; wanted: chown 0 {path}"):
        allow.load(path)


def linked(tmp_path: Path, *links: str) -> Path:
    """A list that is reached by links, each in a directory of its own, the last of them named here first."""
    (tmp_path / "etc").mkdir(mode=0o755)
    target = written(tmp_path / "etc", GOOD)
    for name in links:
        (tmp_path / name).mkdir(mode=0o755)
        link = tmp_path / name / "allow.toml"
        link.symlink_to(target)
        target = link
    tmp_path.chmod(0o755)
    return target


@pytest.mark.parametrize("weak", ["far", "near"])
def test_a_list_behind_a_link_in_a_directory_that_others_may_write_is_refused(tmp_path: Path, weak: str) -> None:
    """Who may write that directory may put another link there, wherever it stands in the row."""
    path = linked(tmp_path, "far", "near")
    assert allow.load(path, os.getuid()).virtual
    (tmp_path / weak).chmod(0o777)
    with pytest.raises(SetupError, match=f"{tmp_path}/{weak} has mode 0777"):
        allow.load(path, os.getuid())


def test_a_directory_may_be_a_link(tmp_path: Path) -> None:
    """With a relative target and '..' in it, as /bin is one to usr/bin."""
    linked(tmp_path)
    (tmp_path / "a").mkdir(mode=0o755)
    (tmp_path / "a/link").symlink_to("../a/../etc")
    assert allow.load(tmp_path / "a/link/allow.toml", os.getuid()).virtual
    (tmp_path / "a").chmod(0o777)
    with pytest.raises(SetupError, match=f"{tmp_path}/a has mode 0777"):
        allow.load(tmp_path / "a/link/allow.toml", os.getuid())


@pytest.mark.root
def test_a_link_of_another_user_is_refused(tmp_path: Path) -> None:
    """Its owner may have it lead elsewhere, also in a directory such as /tmp."""
    path = linked(tmp_path, "near")
    os.chown(path, 65534, 65534, follow_symlinks=False)
    with pytest.raises(SetupError, match=f"{path} belongs to uid 65534; wanted: chown -h 0 {path}"):
        allow.load(path)


def test_links_in_a_circle_are_named(tmp_path: Path) -> None:
    """There is no file at their end."""
    (tmp_path / "allow.toml").symlink_to("allow.toml")
    with pytest.raises(SetupError, match=r"allow.toml cannot be read: Too many levels of symbolic links"):
        allow.load(tmp_path / "allow.toml", os.getuid())


def test_a_missing_list_names_the_cure(tmp_path: Path) -> None:
    """Where there is no list, the message says what writes it."""
    with pytest.raises(SetupError, match="cannot be read: No such file or directory; 'sudo hil init' writes it"):
        allow.load(tmp_path / "allow.toml", os.getuid())


def test_a_directory_is_no_list(tmp_path: Path) -> None:
    """Only a regular file is read."""
    with pytest.raises(SetupError, match="is not a regular file"):
        allow.load(tmp_path, os.getuid())
