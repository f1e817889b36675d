"""The pages name what there is and nothing else, and hil reads their examples."""

import ast
import inspect
import pkgutil
import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

import hil
import hil.cli
import hil.wire
from hil import bench, errors, profiles
from hil.agent import allow
from hil.agent.client import Agent
from hil.board import sight
from hil.capture.client import Capture
from hil.device.usb_board import UsbBoard
from hil.errors import BenchError
from hil.net.host import Host
from hil.personas.client_profile import ClientProfile
from hil.personas.lease_server import LeasePlan
from hil.plugin.expectations import Expect
from hil.virtual.builtin import BUILTIN
from hil.virtual.builtin.loader import LoaderFault
from hil.virtual.faults import Fault

REPOSITORY = Path(__file__).parents[1]
PAGES = [
    REPOSITORY / "README.md",
    *sorted((REPOSITORY / "docs").glob("*.md")),
    *(REPOSITORY / "firmware" / name for name in ("README.md", "EVENTS.md", "FAULTS.md")),
]


def name_of(page: Path) -> str:
    """As a reader of a report knows it."""
    return str(page.relative_to(REPOSITORY))


EACH = pytest.mark.parametrize("page", PAGES, ids=name_of)
COMMANDS = {module.name for module in pkgutil.iter_modules(hil.cli.__path__)} - {"output"}
COMMAND = re.compile(r"^(?:sudo )?(?:\.venv/bin/)?hil ([a-z]+)(.*)", re.MULTILINE)
FENCED = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]*)\)")
BENCH = '[bench]\nname = "lab"\n'
BOARD = '[[board]]\nname = "s3-a"\nusb = "1-1.2"\n'
OWN = {"gather", "leave", "make_ready"}
"""Methods of a board that fixtures call."""
ACTED_ON = {"board": UsbBoard, "host": Host, "expect": Expect}
TYPED = ("actions", "bootloader", "flashing", "personas", "profiles", "real-board", "scenarios", "writing-tests")
"""Pages for whoever writes tests."""
BESIDE = {"addresses", "checksum", "layout"}
"""Modules of hil/wire that hold no values."""


def blocks(page: Path, language: str) -> list[str]:
    """A page's examples in ``language``."""
    found = FENCED.findall(page.read_text())
    return [inspect.cleandoc(text) + "\n" for named, text in found if named == language]


def code(page: Path) -> str:
    """Everything that a page shows as code, one piece a line."""
    text = page.read_text()
    spans = re.findall(r"`([^`\n]+)`", FENCED.sub("", text))
    return "\n".join([*(inspect.cleandoc(block) for _, block in FENCED.findall(text)), *spans])


def known(text: str, place: Path, load: Callable[[Path], object]) -> set[str]:
    """The keys that a reader knows beside ``zzz``, by its own complaint."""
    place.write_text(text)
    with pytest.raises(BenchError, match=r"zzz is not a known key; known: ") as complaint:
        load(place)
    return set(str(complaint.value).rpartition("known: ")[2].split(", "))


def section(page: str, heading: str) -> str:
    """From a heading to the next one."""
    return (REPOSITORY / "docs" / page).read_text().partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def first_column(table: str) -> set[str]:
    """The names in code in the first cell of each row."""
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| ")]
    return {name for cell in rows for name in re.findall(r"`([^`]+)`", cell)}


def test_every_command_of_hil_is_named_and_no_other() -> None:
    """In a line of a shell or in running text."""
    named = {match[0] for page in PAGES for match in COMMAND.findall(code(page))}
    assert named == COMMANDS


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_a_command_takes_the_options_that_the_pages_show(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """As its help lists them."""
    with pytest.raises(SystemExit):
        hil.cli.main([command, "--help"])
    accepted = capsys.readouterr().out
    shown = {
        option
        for page in PAGES
        for name, rest in COMMAND.findall(code(page))
        if name == command
        for option in re.findall(r"(?<!\S)--[a-z-]+", rest.partition("#")[0])
    }
    assert {option for option in shown if option not in accepted} == set()


def test_every_option_of_pytest_is_named_and_no_other(pytestconfig: pytest.Config) -> None:
    """docs/writing-tests.md lists them; other pages name some."""
    options = {f"--{name.replace('_', '-')}" for name in vars(pytestconfig.option) if name.startswith("hil_")}
    named = {option for page in PAGES for option in re.findall(r"--hil-[a-z-]+", page.read_text())}
    listed = first_column(section("writing-tests.md", "Options of pytest"))
    assert named == options == {name.partition(" ")[0] for name in listed}


def test_every_key_of_a_bench_is_documented_and_no_other(tmp_path: Path) -> None:
    """The table of docs/real-board.md."""
    keys = known(f"{BENCH}{BOARD}zzz = 1\n", tmp_path / "bench.toml", bench.load)
    assert first_column(section("real-board.md", "bench.toml")) == keys


@pytest.mark.parametrize(
    "way",
    [
        'power = { driver = "uhubctl", hub = "1-1", port = 2, zzz = 1 }',
        'power = { driver = "relay", name = "a", zzz = 1 }',
        'boot = { driver = "relay", name = "a", zzz = 1 }',
    ],
)
def test_every_key_of_a_driver_is_shown(tmp_path: Path, way: str) -> None:
    """In the examples of docs/actions.md."""
    keys = known(f"{BENCH}{BOARD}{way}\n", tmp_path / "bench.toml", bench.load)
    shown = "".join(blocks(REPOSITORY / "docs" / "actions.md", "toml"))
    assert [key for key in keys if f"{key} =" not in shown] == []


def test_every_key_of_the_allow_list_is_documented_and_no_other(tmp_path: Path) -> None:
    """The table of docs/real-board.md."""
    tmp_path.chmod(0o755)
    place = tmp_path / "allow.toml"
    place.touch(0o644)
    keys = known("zzz = 1\n", place, lambda path: allow.load(path, path.stat().st_uid))
    assert first_column(section("real-board.md", "What the agent may touch")) == keys


@pytest.mark.parametrize(
    "table",
    [
        "zzz = 1",
        "role = 'static'\nzzz = 1",
        "network.zzz = 1",
        "log.zzz = 1",
        "events.zzz = 1",
        "events = { when_full = 'never', zzz = 1 }",
        "flags.zzz = 1",
        "http.zzz = 1",
        "http.stream = { path = '/', zzz = 1 }",
        "http.endpoint = [{ path = '/', zzz = 1 }]",
        "http.not_found = { status = 404, zzz = 1 }",
        "loader = { identity = 'serial-jtag', zzz = 1 }",
        "claim = [{ name = 'A', zzz = 1 }]",
        "sequence = [{ name = 'a', order = [], source = 's', zzz = 1 }]",
    ],
)
def test_every_key_of_a_profile_is_documented(tmp_path: Path, table: str) -> None:
    """In the prose, in the tables or in the example of docs/profiles.md."""
    keys = known(f"name = 'mine'\n{table}\n", tmp_path / "mine.toml", lambda path: profiles.load(str(path)))
    shown = code(REPOSITORY / "docs" / "profiles.md")
    assert sorted(key for key in keys if not re.search(rf"\b{key}\b", shown)) == []


@EACH
def test_the_examples_in_toml_are_benches_and_boards(page: Path, tmp_path: Path) -> None:
    """A whole bench.toml, or keys of a board; docs/profiles.md shows a profile, which has a test of its own."""
    for block in blocks(page, "toml") if page.name != "profiles.md" else []:
        for whole in [block] if "[[board]]" in block else [f"{BENCH}{board(keys)}" for keys in alternatives(block)]:
            (tmp_path / "bench.toml").write_text(whole)
            assert bench.load(tmp_path / "bench.toml").boards


def alternatives(block: str) -> list[str]:
    """Lines that all set one key stand for one board each, other lines for one together."""
    lines = block.splitlines()
    return lines if len({line.partition(" =")[0] for line in lines}) < len(lines) else [block]


def board(keys: str) -> str:
    """A board with these keys, on the port that they switch."""
    port = re.search(r'hub = "(.*?)", port = (\d+)', keys)
    return BOARD.replace("1-1.2", bench.port_path(port[1], int(port[2])) if port else "1-1.2") + keys


@EACH
def test_what_a_test_is_shown_to_ask_of_its_fixtures_exists(page: Path) -> None:
    """Each ``board.…``, ``host.…`` and ``expect.…``."""
    for name, kind in ACTED_ON.items():
        there = {*dir(kind), *re.findall(r"self\.(\w+)\b", inspect.getsource(kind.__init__))}
        asked = set(re.findall(rf"(?<![\w.]){name}\.([a-z_]+)\b(?![-.]\w+ is )", code(page)))
        assert {each for each in asked if each not in there} == set(), name


@EACH
def test_the_examples_in_python_are_python(page: Path) -> None:
    """What they import from hil is there."""
    for block in blocks(page, "python"):
        if "\nagent." in block or "\ncapture." in block:
            continue  # signatures, as docs/architecture.md has them
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom) and node.module == "hil":
                assert {alias.name for alias in node.names} - set(hil.__all__) == set()


def test_everything_that_a_board_can_be_asked_is_named() -> None:
    """By the name of the method, in a page that tells how tests are written."""
    names = ("writing-tests", "actions", "bootloader", "flashing")
    told = "\n".join(code(REPOSITORY / "docs" / f"{name}.md") for name in names)
    asked = {name for name, _ in inspect.getmembers(UsbBoard) if not name.startswith("_")} - OWN
    assert {name for name in asked | {"flash"} if not re.search(rf"\b{name}\b", told)} == set()
    hosts = code(REPOSITORY / "docs" / "personas.md")
    asked = {name for name, _ in inspect.getmembers(Host, inspect.isfunction) if not name.startswith("_")} - {"stop"}
    assert {name for name in asked if f"host.{name}(" not in hosts} == set()


@pytest.mark.parametrize("kind", [Agent, Capture], ids=lambda kind: str(kind.__name__))
def test_everything_that_a_process_is_asked_is_drawn(kind: type) -> None:
    """docs/architecture.md lists every public name, and no other."""
    name = kind.__name__.lower()
    lists = "".join(
        block for block in blocks(REPOSITORY / "docs" / "architecture.md", "python") if f"\n{name}." in block
    )
    drawn = set(re.findall(rf"(?<![/\w])(?:{name}|{kind.__name__})\.(\w+)", re.sub(r" #.*", "", lists)))
    assert {each for each in dir(kind) if not each.startswith("_")} - drawn == set()
    assert drawn - {*dir(kind), *re.findall(r"self\.(\w+)\b", inspect.getsource(kind.__init__))} == set()


@pytest.mark.parametrize(("kind", "heading"), [(ClientProfile, "Options"), (LeasePlan, "A DHCP server")])
def test_every_figure_of_a_host_is_named(kind: type, heading: str) -> None:
    """Which a test may have otherwise; docs/personas.md lists the fields, but for a persona's name."""
    told = section("personas.md", heading)
    assert {field for field in kind.__dataclass_fields__ if field != "name" and f"`{field}`" not in told} == set()


@pytest.mark.parametrize("name", ["README", *(f"docs/{name}" for name in TYPED)])
def test_classes_that_a_test_author_types_can_be_had(name: str) -> None:
    """Events, predicates and errors, wherever a page shows one as code."""
    shown = set(re.findall(r"(?<![\w.])[A-Z][a-z]+(?:[A-Z][a-z]+)+\b(?=[(`,\n])", code(REPOSITORY / f"{name}.md")))
    assert shown - set(hil.__all__) - set(dir(errors)) == set()


def test_every_fixture_is_named() -> None:
    """In the table of docs/writing-tests.md."""
    tree = ast.parse((REPOSITORY / "hil" / "plugin" / "fixtures.py").read_text())
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.decorator_list]
    assert first_column(section("writing-tests.md", "Fixtures")) == {function.name for function in functions}


def test_every_need_of_a_test_is_named() -> None:
    """As docs/actions.md has it, with ``traffic``, which no test needs."""
    rows = first_column((REPOSITORY / "docs/actions.md").read_text().partition("\n## ")[0])
    assert rows == {*sight.NEEDS, sight.TRAFFIC}


def test_every_tap_of_a_fault_is_named() -> None:
    """Where a fault of one's own is described, those of the loader on the page of the chip."""
    told = "".join(code(REPOSITORY / "docs" / f"{name}.md") for name in ("faults", "virtual-board"))
    assert {
        name for name, each in vars(Fault).items() if callable(each) and name[0] != "_" and f"{name}\n" not in told
    } == set()


@pytest.mark.parametrize("kind", [kind for kind in BUILTIN.values() if kind.keys], ids=lambda kind: str(kind.name))
def test_every_option_of_a_fault_is_named(kind: type[Fault]) -> None:
    """In its row on the page of the chip, with what it is where nothing is said; else in docs/faults.md."""
    rows = [
        line for line in section("virtual-board.md", "Faults of the loader").splitlines() if f"`{kind.name}` |" in line
    ]
    if issubclass(kind, LoaderFault):
        wanted = {f"`{name}` ({default})" for name, default in kind.numbers.items()}
        assert "the same" in rows[0] or {each for each in wanted if each not in rows[0]} == set()
    else:
        faults = (REPOSITORY / "docs" / "faults.md").read_text()
        assert {key for key in kind.keys if f"`{kind.name}:{key}=" not in faults} == set()


@EACH
def test_links_lead_somewhere(page: Path) -> None:
    """To a file, and to a heading in it."""
    for link in LINK.findall(FENCED.sub("", page.read_text())):
        if link.startswith("http"):
            continue
        file, _, anchor = link.partition("#")
        target = page.parent / file if file else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def anchors(page: Path) -> set[str]:
    """Of its headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", FENCED.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", [page for page in PAGES if page.name != "failures.md"], ids=name_of)
def test_files_that_are_named_exist(page: Path) -> None:
    """Each path in code that begins with a folder of the repository; findings also name files of other projects."""
    named = re.findall(r"(?<![\w./-])(?:hil|tests|docs|tools|fixtures|\.github)/[\w./-]*\w", code(page))
    assert {path for path in named if not any((REPOSITORY / f"{path}{end}").exists() for end in ("", ".py"))} == set()


def test_the_layers_are_those_that_are_checked() -> None:
    """docs/architecture.md has the contract of pyproject.toml, without the rooms that are not there yet."""
    contracts = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    lines = (line.replace("(", "").replace(")", "").split(" | ") for line in contracts[0]["layers"])
    there = [[name for name in names if is_room(name)] for names in lines]
    drawn = [" | ".join(names) for names in there if names]
    assert "```\n" + "\n".join(drawn) + "\n```" in section("architecture.md", "Layers")


def is_room(name: str) -> bool:
    place = REPOSITORY / "hil" / name.replace(".", "/")
    return place.is_dir() or place.with_suffix(".py").exists()


def test_every_room_is_on_the_map() -> None:
    """README.md names each package of hil."""
    rooms = {path.parent.name for path in (REPOSITORY / "hil").glob("*/__init__.py")}
    on_map = (REPOSITORY / "README.md").read_text().partition("\n## The map\n")[2]
    assert {room for room in rooms if f"`hil/{room}`" not in on_map} == set()


def test_every_module_of_wire_has_its_row() -> None:
    """docs/architecture.md says what values it holds."""
    rows = first_column(section("architecture.md", "Contracts between the rooms"))
    modules = {module.name for module in pkgutil.iter_modules(hil.wire.__path__)}
    assert modules - BESIDE - rows == set()


def test_every_page_is_linked_from_the_readme() -> None:
    """A page that nobody is led to is not read."""
    links = LINK.findall((REPOSITORY / "README.md").read_text())
    assert [page.name for page in PAGES if page.parent.name == "docs" and f"docs/{page.name}" not in links] == []
