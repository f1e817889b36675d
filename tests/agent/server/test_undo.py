"""What is undone for a client that ends, and for an agent that was killed."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

from hil.agent.server.undo import StateFile, UndoStack
from hil.errors import AgentError

DIE = """
import os, signal, sys
from pathlib import Path
from hil.agent.server.undo import StateFile
state = StateFile(Path(sys.argv[1]))
state.note('namespace', 'hil-a')
state.note('attribute', '1-1 control', 'on')
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_deeds_are_undone_newest_first() -> None:
    """The order is that of a stack, and a failure does not keep the others from being undone."""
    undone: list[str] = []
    stack = UndoStack()

    def deed(name: str, error: Exception | None = None) -> None:
        async def undo() -> None:
            undone.append(name)
            if error is not None:
                raise error

        stack.push("a", name, undo)

    deed("first")
    deed("second", AgentError("gone"))
    deed("third", OSError(19, "No such device"))
    deed("fourth", KeyError("x"))
    lines = asyncio.run(stack.run())
    assert undone == ["fourth", "third", "second", "first"]
    failed = ["third: FAILED: [Errno 19] No such device", "second: FAILED: gone"]
    assert lines == ["fourth: FAILED: KeyError: 'x'", *failed, "first"]


def test_one_boards_deeds_are_undone_alone() -> None:
    """What was done to other boards stays, and nothing is undone twice."""
    undone: list[str] = []

    async def scenario() -> None:
        stack = UndoStack()
        for number, board in enumerate("abab"):

            async def undo(what: str = f"{board}{number}") -> None:
                undone.append(what)

            stack.push(board, board, undo)
        assert await stack.run("a") == ["a", "a"]
        assert await stack.run() == ["b", "b"]

    asyncio.run(scenario())
    assert undone == ["a2", "a0", "b3", "b1"]


def test_a_killed_agent_leaves_its_notes_to_the_next(tmp_path: Path) -> None:
    """The notes are taken over once, with the former values."""
    subprocess.run([sys.executable, "-c", DIE, str(tmp_path)], check=False, timeout=30)
    state = StateFile(tmp_path)
    assert state.adopt_orphans() == {"namespace": {"hil-a": ""}, "attribute": {"1-1 control": "on"}}
    assert [path.name for path in (tmp_path / "agents").iterdir()] == [f"{os.getpid()}.json"]
    state.close()
    assert list((tmp_path / "agents").iterdir()) == []


def test_a_living_agents_notes_are_its_own(tmp_path: Path) -> None:
    """A file whose lock is held is left alone."""
    state = StateFile(tmp_path)
    state.note("namespace", "hil-a")
    living = tmp_path / "agents" / f"{os.getpid()}.json"
    other = living.rename(tmp_path / "agents/1.json")
    second = StateFile(tmp_path)
    assert second.adopt_orphans() == {}
    assert json.loads(other.read_text()) == {"namespace": {"hil-a": ""}}
    second.close()
    other.rename(living)
    state.close()


def test_a_damaged_file_is_no_obstacle(tmp_path: Path) -> None:
    """An agent that died while it wrote does not keep the next from starting."""
    state = StateFile(tmp_path)
    (tmp_path / "agents/1.json").write_text("{")
    assert state.adopt_orphans() == {}
    state.close()


def test_the_first_former_value_counts(tmp_path: Path) -> None:
    """A second note of the same thing does not overwrite what it was before the first."""
    state = StateFile(tmp_path)
    state.note("attribute", "1-1 control", "on")
    state.note("attribute", "1-1 control", "auto")
    assert state.adopt_orphans() == {"attribute": {"1-1 control": "on"}}
    state.forget("attribute", "1-1 control")
    assert state.adopt_orphans() == {"attribute": {}}
    state.close()
