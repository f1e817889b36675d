"""bench.toml: what is accepted, and how each mistake is named."""

import json
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil import bench
from hil.errors import BenchError

HEAD = '[bench]\nname = "rpi5-lab-3"\n'
BOARD = '[[board]]\nname = "s3-a"\nusb = "1-1.2"\n'
SWITCHED = 'power = { driver = "relay", name = "lab-1" }\nboot = { driver = "relay", name = "boot-a" }\n'


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "bench.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_board_needs_only_a_name_and_a_path(tmp_path: Path) -> None:
    """Everything else has a default: bus-powered, no power driver, no claims believed."""
    loaded = bench.load(write(tmp_path, HEAD + BOARD))
    (board,) = loaded.boards
    assert (board.usb, board.supply, board.power.driver, board.profile) == ("1-1.2", "bus", "none", "generic")
    assert not loaded.virtual


def test_a_firmware_lies_beside_the_file(tmp_path: Path) -> None:
    """Wherever pytest is started; an absolute path stays."""
    (board,) = bench.load(write(tmp_path, HEAD + BOARD + 'firmware = "firmware/build"\n')).boards
    assert board.firmware == str(tmp_path / "firmware/build")
    (board,) = bench.load(write(tmp_path, HEAD + BOARD + 'firmware = "/srv/all.bin"\n')).boards
    assert board.firmware == "/srv/all.bin"


def test_a_profile_of_ones_own_lies_beside_the_file(tmp_path: Path) -> None:
    """As the firmware; one that comes with hil is a name."""
    (board,) = bench.load(write(tmp_path, HEAD + BOARD + 'profile = "mine.toml"\n')).boards
    assert board.profile == str(tmp_path / "mine.toml")
    (board,) = bench.load(write(tmp_path, HEAD + BOARD + 'profile = "reference"\n')).boards
    assert board.profile == "reference"


def test_a_chip_may_be_named_by_its_mac(tmp_path: Path) -> None:
    """In either case; it is compared in one."""
    (board,) = bench.load(write(tmp_path, HEAD + BOARD + 'mac = "34:85:18:55:DC:26"\n')).boards
    assert board.mac == "34:85:18:55:dc:26"


def test_the_fallback_is_an_address(tmp_path: Path) -> None:
    """`http://192.0.2.7` becomes the address; the port is HTTP's."""
    (board,) = bench.load(write(tmp_path, HEAD + BOARD + 'fallback = "http://192.0.2.7"\n')).boards
    assert board.fallback == "192.0.2.7"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEAD, r"bench\.toml: no \[\[board\]\] table; a bench has at least one board"),
        (BOARD, r"bench\.toml: bench is missing; wanted a table"),
        (
            HEAD + BOARD + "colour = 1\n",
            r"bench\.toml: board\.s3-a\.colour is not a known key; known: boot, console",
        ),
        (HEAD + '[[board]]\nname = "s3-a"\nusb = 12\n', r"bench\.toml: board\.s3-a\.usb is 12; wanted a string"),
        (
            HEAD + '[[board]]\nname = "s3-a"\nusb = "ttyACM0"\n',
            r"board\.s3-a\.usb is 'ttyACM0'; wanted a topology path",
        ),
        (HEAD + '[[board]]\nusb = "1-1"\n', r"bench\.toml: board\.1\.name is missing; wanted lower-case letters"),
        (
            HEAD + BOARD + 'power = { driver = "ykush4" }\n',
            r"bench\.toml: board\.s3-a\.power\.driver is 'ykush4'; known: 'manual', 'none', 'relay', 'uhubctl'",
        ),
        (
            HEAD + BOARD + 'power = { driver = "none", hub = "1-1" }\n',
            r"board\.s3-a\.power\.hub is not a known key; known: driver",
        ),
        (
            HEAD + BOARD + 'power = { driver = "uhubctl", port = 2 }\n',
            r"board\.s3-a\.power\.hub is missing; wanted a hub such as",
        ),
        (
            HEAD + BOARD + 'power = { driver = "uhubctl", hub = "usb1", port = 2 }\n',
            r"board\.s3-a\.power\.hub is 'usb1'; wanted a hub such as '1-1', or '1' for the root hub",
        ),
        (
            HEAD + BOARD + 'power = { driver = "uhubctl", hub = "1-1", port = 32 }\n',
            r"board\.s3-a\.power\.port is 32; wanted 1 to 31",
        ),
        (
            HEAD + BOARD + 'power = { driver = "uhubctl", hub = "1-1", port = "2" }\n',
            r"board\.s3-a\.power\.port is '2'; wanted an integer",
        ),
        (
            HEAD + BOARD + 'power = { driver = "uhubctl", hub = "1-1", port = 2, also_off = ["disk"] }\n',
            r"board\.s3-a\.power\.also_off is \['disk'\]; wanted topology paths",
        ),
        (
            HEAD + BOARD + 'power = { driver = "uhubctl", hub = "1-1", port = 3 }\n',
            r"board\.s3-a\.power: port 3 of hub '1-1' is '1-1\.3'; usb is '1-1\.2'",
        ),
        (
            HEAD + BOARD + 'power = { driver = "relay" }\n',
            r"board\.s3-a\.power\.name is missing; wanted lower-case",
        ),
        (
            HEAD + BOARD + 'power = { driver = "relay", name = "lab 1" }\n',
            r"board\.s3-a\.power\.name is 'lab 1'; wanted lower-case letters, digits, dashes",
        ),
        (
            HEAD + BOARD + 'boot = { driver = "finger" }\n',
            r"board\.s3-a\.boot\.driver is 'finger'; known: 'none', 'relay'",
        ),
        (
            HEAD + BOARD + 'boot = { driver = "relay" }\n',
            r"board\.s3-a\.boot\.name is missing; wanted lower-case",
        ),
        (
            HEAD + BOARD + 'boot = { driver = "relay", name = "boot-a", command = "/bin/sh" }\n',
            r"board\.s3-a\.boot\.command is not a known key; known: driver, name",
        ),
        (
            HEAD + BOARD + 'boot = { driver = "relay", name = "boot-a" }\n',
            r"board\.s3-a\.boot: the chip looks at BOOT when its power comes; power\.driver is 'none' and supply "
            r"'bus'; wanted power by 'relay' or 'uhubctl', and supply 'bus'",
        ),
        (
            HEAD + BOARD + SWITCHED + 'supply = "own"\n',
            r"board\.s3-a\.boot: the chip .*; power\.driver is 'relay' and supply 'own'; wanted power by",
        ),
        (
            HEAD + BOARD + SWITCHED.replace("boot-a", "lab-1"),
            r"bench\.toml: relay 'lab-1' is used by both 's3-a' and 's3-a'",
        ),
        (HEAD + BOARD + 'supply = "battery"\n', r"board\.s3-a\.supply is 'battery'; known: 'bus', 'own'"),
        (
            HEAD + BOARD + 'mac = "3485.1855.dc26"\n',
            r"s3-a\.mac is '3485\.1855\.dc26'; wanted an address such as '34:85",
        ),
        (HEAD + BOARD + 'flash = "console"\n', r"board\.s3-a\.flash is 'console'; the board has no console"),
        (
            HEAD + BOARD + 'fallback = "https://x/"\n',
            r"fallback is 'https://x/'; wanted an address such as 'http://192",
        ),
        (HEAD + BOARD + BOARD, r"bench\.toml: name 's3-a' is used by both 's3-a' and 's3-a'"),
        (HEAD + BOARD.replace("s3-a", "lan"), r"board\.lan\.name is 'lan'; the agent uses that name"),
        ("board = 3\n" + HEAD, r"bench\.toml: board is 3; wanted \[\[board\]\] tables"),
        (HEAD + '[board]\nname = "s3-a"\n', r"board is {'name': 's3-a'}; wanted \[\[board\]\] tables"),
        ("= 1", r"bench\.toml: not TOML: .*line 1"),
        (HEAD + BOARD + 'fallback = "http://[1"\n', r"fallback is 'http://\[1'; wanted an address such as 'http://192"),
        (HEAD + BOARD.replace("1-1.2", "١-١"), r"s3-a\.usb is '١-١'; wanted a topology path such as '1-1\.2'"),
        (HEAD + BOARD.replace("1-1.2", "1-1" + ".1" * 7), r"s3-a\.usb is '1-1(\.1){7}'; wanted a topology path"),
        (
            HEAD + BOARD + 'power = { driver = "uhubctl", hub = "١", port = 1 }\n',
            r"s3-a\.power\.hub is '١'; wanted a hub such as '1-1'",
        ),
        (
            HEAD + BOARD + 'power = { driver = "uhubctl", hub = "1-1", port = 2, also_off = ["١-١"] }\n',
            r"s3-a\.power\.also_off is \['١-١'\]; wanted topology paths",
        ),
        (HEAD.replace("rpi5-lab-3", " ") + BOARD, r"bench\.name is ' '; wanted a name such as"),
        (HEAD.replace("rpi5-lab-3", r"a\nb") + BOARD, r"bench\.name is 'a\\nb'; wanted a name such as"),
        (HEAD + BOARD + 'profile = ""\n', r"s3-a\.profile is ''; wanted a profile's name, or the path of a \.toml"),
        (HEAD + BOARD + r'firmware = "a\u0000"', r"firmware is 'a\\x00'; wanted a string without NUL"),
        (HEAD + BOARD + r'"a\u0000" = 1', r"'a\\x00' is 'a\\x00'; wanted a string without NUL"),
        (HEAD + BOARD + "x = " + "9" * 5000, r"bench\.toml: not TOML: .*4300 digits"),
        (HEAD + BOARD + "usb2 = 0x" + "f" * 5000, r"usb2 is an integer of 20000 bits; wanted 64 at most"),
        ("a = " + "[" * 100_000, r"bench\.toml: not usable: tables or arrays within each other, too deep"),
        (f"{'a.' * 5000}a = 1\n", r"bench\.toml: not usable: tables or arrays within each other, too deep"),
    ],
)
def test_a_mistake_is_named_with_file_key_and_choices(tmp_path: Path, text: str, message: str) -> None:
    """Each wrong key, type or value gives one BenchError that says where and what would be right."""
    with pytest.raises(BenchError, match=message):
        bench.load(write(tmp_path, text))


def test_a_file_without_end_is_refused() -> None:
    """As of a device, or of a disk's image that was named by mistake."""
    with pytest.raises(BenchError, match=r"^zero: not TOML: over 1048576 bytes$"):
        bench.load(Path("/dev/zero"))


def test_two_boards_on_one_path_are_refused(tmp_path: Path) -> None:
    """A topology path belongs to one board."""
    second = BOARD.replace("s3-a", "s3-b")
    with pytest.raises(BenchError, match=r"path '1-1\.2' is used by both 's3-a' and 's3-b'"):
        bench.load(write(tmp_path, HEAD + BOARD + second))


def test_two_boards_of_one_chip_are_refused(tmp_path: Path) -> None:
    """In whichever case it is written."""
    first = BOARD + 'mac = "34:85:18:55:DC:26"\n'
    second = first.lower().replace("s3-a", "s3-b").replace("1-1.2", "1-1.3")
    with pytest.raises(BenchError, match="mac '34:85:18:55:dc:26' is used by both 's3-a' and 's3-b'"):
        bench.load(write(tmp_path, HEAD + first + second))


def test_two_boards_at_one_fallback_address_are_refused(tmp_path: Path) -> None:
    """What one of them says of itself would be taken for the other's word."""
    first = BOARD + 'fallback = "http://192.0.2.7"\n'
    second = first.replace("s3-a", "s3-b").replace("1-1.2", "1-1.3").replace("2.7", "2.7/")
    with pytest.raises(BenchError, match=r"fallback '192\.0\.2\.7' is used by both 's3-a' and 's3-b'"):
        bench.load(write(tmp_path, HEAD + first + second))


def test_a_board_below_another_boards_path_is_refused(tmp_path: Path) -> None:
    """What happens at the upper path would count as the lower one's."""
    second = BOARD.replace("s3-a", "s3-b").replace("1-1.2", "1-1.2.4")
    with pytest.raises(BenchError, match=r"path '1-1\.2\.4' of 's3-b' hangs below path '1-1\.2' of 's3-a'"):
        bench.load(write(tmp_path, HEAD + BOARD + second))


def test_a_board_beside_another_with_a_similar_path_is_fine(tmp_path: Path) -> None:
    """1-1.22 does not hang below 1-1.2."""
    second = BOARD.replace("s3-a", "s3-b").replace("1-1.2", "1-1.22")
    assert len(bench.load(write(tmp_path, HEAD + BOARD + second)).boards) == 2


@pytest.mark.parametrize(
    ("usb", "power", "shown"),
    [
        ("1-1.2", '{ driver = "uhubctl", hub = "1-1", port = 2 }', "uhubctl, hub 1-1 port 2"),
        ("1-1.2", '{ driver = "uhubctl", hub = "1", port = 1, also_off = ["1-1"] }', "uhubctl, hub 1 port 1 with 1-1"),
        ("1-2", '{ driver = "uhubctl", hub = "1", port = 2 }', "uhubctl, hub 1 port 2"),
        ("1-1.2", '{ driver = "relay", name = "lab-1" }', "relay lab-1"),
        ("1-1.2", '{ driver = "manual" }', "manual"),
    ],
)
def test_a_power_driver_takes_its_own_keys(tmp_path: Path, usb: str, power: str, shown: str) -> None:
    """Each driver is described in one line, which the agent compares with its allow list."""
    (board,) = bench.load(write(tmp_path, HEAD + BOARD.replace("1-1.2", usb) + f"power = {power}\n")).boards
    assert str(board.power) == shown


def test_boot_is_held_by_a_relay(tmp_path: Path) -> None:
    """Described in one line, as power is; on the virtual bench there is a button."""
    (board,) = bench.load(write(tmp_path, HEAD + BOARD + SWITCHED)).boards
    assert (str(board.power), str(board.boot)) == ("relay lab-1", "relay boot-a")
    assert bench.virtual().boards[0].boot.driver == "virtual"


@pytest.mark.parametrize(
    ("power", "words"),
    [
        ('{ driver = "relay", name = "lab-1" }', "relay 'lab-1' is used by both 's3-a' and 's3-b'"),
        ('{ driver = "uhubctl", hub = "1", port = 1 }', r"power of port '1-1' is used by both 's3-a' and 's3-b'"),
    ],
)
def test_two_boards_on_one_switch_are_refused(tmp_path: Path, power: str, words: str) -> None:
    """Switching one would switch the other."""
    second = BOARD.replace("s3-a", "s3-b").replace("1-1.2", "1-1.3")
    power = f"power = {power}\n"
    with pytest.raises(BenchError, match=words):
        bench.load(write(tmp_path, HEAD + BOARD + power + second + power))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """The path of a bench file that is not there is in the message."""
    with pytest.raises(BenchError, match=r"none\.toml: cannot be read: No such file"):
        bench.load(tmp_path / "none.toml")


def test_a_path_that_no_file_has_is_named() -> None:
    """No system call takes a NUL."""
    with pytest.raises(BenchError, match=r"'a\\x00b': cannot be read: embedded null"):
        bench.load(Path("a\0b"))


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    """Neither is a directory."""
    (tmp_path / "bench.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(BenchError, match=r"bench\.toml: not TOML: .*can't decode"):
        bench.load(tmp_path / "bench.toml")
    with pytest.raises(BenchError, match="cannot be read: Is a directory"):
        bench.load(tmp_path)


KEYS = (
    *("name", "usb", "console", "flash", "firmware", "mac", "supply", "power", "boot", "profile", "role", "fallback"),
    *("fallback_namespace", "driver", "hub", "port", "also_off", "bench", "board", "a.b", '""'),
)
VALUES = st.one_of(
    st.sampled_from(["true", "1", "-1", "0x" + "f" * 99, "1e999", "nan", "1979-05-27", "[]", "[1]", "[[]]", "{}"]),
    st.sampled_from(['"usb"', '"uhubctl"', '"relay"', '"1-1"', '"http://[1"', '"http://192.0.2.7:x"', r'"\u0000"']),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12).map(json.dumps),
    st.text(max_size=8),
)
LINES = st.one_of(
    st.builds("{} = {}".format, st.sampled_from(KEYS), VALUES),
    st.builds("power = {{ driver = {}, hub = {}, port = {} }}".format, VALUES, VALUES, VALUES),
    st.sampled_from(["[bench]", "[[board]]", "[board]", 'name = "s3-a"', 'usb = "1-1.2"', "a = {"]),
)


@settings(deadline=None, derandomize=True, database=None, max_examples=150)
@given(st.sampled_from(["", HEAD, HEAD + BOARD]), st.lists(LINES, max_size=6))
def test_any_text_is_a_bench_or_one_clear_error(head: str, lines: list[str]) -> None:
    """Nothing else escapes."""
    with TemporaryDirectory() as directory:
        path = Path(directory, "bench.toml")
        path.write_bytes("\n".join([head, *lines]).encode("utf-8", "surrogatepass"))
        with suppress(BenchError):
            loaded = bench.load(path)
            assert loaded.boards
            assert loaded.name.strip()


def test_asking_for_an_unknown_board_lists_the_known_ones() -> None:
    """The virtual bench has one board, and says so."""
    with pytest.raises(BenchError, match="has no board 's3-x'; known: virtual-s3"):
        bench.virtual().board("s3-x")
