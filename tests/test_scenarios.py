"""docs/scenarios.md has a row for every scenario, with what it needs and whose host it plays."""

import ast
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
FILES = sorted((REPOSITORY / "tests" / "hil").glob("test_*.py"))
LINES = (REPOSITORY / "docs" / "scenarios.md").read_text().splitlines()
ROWS = [line.replace("*", "") for line in LINES if line.startswith(("| `", "| *`"))]
"""Of scenarios and of their files; those for `make soak` are in italics."""


def scenarios(path: Path) -> list[ast.FunctionDef]:
    tree = ast.parse(path.read_text())
    return [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]


def needs(scenario: ast.FunctionDef) -> str:
    """The marker's ``needs``, or ''."""
    calls = [
        each
        for each in scenario.decorator_list
        if isinstance(each, ast.Call) and ast.unparse(each.func).endswith(".hil")
    ]
    found = [keyword.value for call in calls for keyword in call.keywords if keyword.arg == "needs"]
    return str(ast.literal_eval(found[0])) if found else ""


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_scenario_has_its_row(path: Path) -> None:
    """By name, the first of a file with the file's name before it, and its needs in the third column."""
    for number, scenario in enumerate(scenarios(path)):
        (row,) = [each for each in ROWS if f"`{scenario.name}`" in each]
        assert row.startswith(f"| `{path.name}` `" if number == 0 else f"| `{scenario.name}`"), row
        assert row.split("|")[3].split(",")[0].strip() == needs(scenario), row


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_is_for_make_soak_is_in_italics(path: Path) -> None:
    """And nothing else; where only one of its hosts is, that host is."""
    for scenario in scenarios(path):
        soak = any(ast.unparse(each) == "pytest.mark.soak" for each in scenario.decorator_list)
        assert any(f"*`{scenario.name}`*" in line for line in LINES) == soak, scenario.name


def test_no_row_is_left_of_a_scenario_that_has_gone() -> None:
    """Every name in the first column is a test."""
    known = {scenario.name for path in FILES for scenario in scenarios(path)}
    named = {word.strip("`") for row in ROWS for word in row.split("|")[1].split() if word.startswith("`test_")}
    assert {name for name in named if not name.endswith(".py")} - known == set()
