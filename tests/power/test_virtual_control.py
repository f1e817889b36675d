"""The virtual board's control socket, with a scripted other end."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from hil.errors import VirtualBoardError
from hil.power.virtual import VirtualCable
from hil.power.virtual_control import VirtualControl


@contextmanager
def answering(answer: Callable[[dict[str, object]], bytes]) -> Iterator[VirtualControl]:
    """A control whose other end answers one request by ``answer`` and closes."""
    ours, theirs = socket.socketpair()

    def serve() -> None:
        with theirs, theirs.makefile("rb") as lines:
            theirs.sendall(answer(json.loads(lines.readline())))

    thread = threading.Thread(target=serve)
    thread.start()
    control = VirtualControl(ours)
    yield control
    control.close()
    thread.join(5)


def test_unplug_returns_when_it_took_effect() -> None:
    """The cable's driver asks for `unplug` and hands back the instant of the answer."""

    def answer(request: dict[str, object]) -> bytes:
        assert request["do"] == "unplug"
        return json.dumps({"id": request["id"], "ok": True, "t_ns": 42}).encode() + b"\n"

    with answering(answer) as control:
        assert VirtualCable(control).off().t_ns == 42


def test_a_refusal_is_named() -> None:
    """What the process says is in the error, with what was asked."""
    with (
        answering(
            lambda r: json.dumps({"id": r["id"], "ok": False, "error": "no port free"}).encode() + b"\n"
        ) as control,
        pytest.raises(VirtualBoardError, match="refused 'plug': no port free"),
    ):
        control.do("plug")


def test_a_death_is_named() -> None:
    """A fault that raised ends the process, and the reason comes through."""
    died = {"notify": "died", "error": "mine.py:3: ValueError: x"}
    with (
        answering(lambda r: json.dumps(died).encode() + b"\n") as control,
        pytest.raises(VirtualBoardError, match=r"died at 'plug': mine\.py:3: ValueError: x"),
    ):
        control.do("plug")


def test_a_process_that_ends_is_named() -> None:
    """EOF instead of an answer is an error of its own."""
    with answering(lambda r: b"") as control, pytest.raises(VirtualBoardError, match="process ended at 'plug'"):
        control.do("plug")
