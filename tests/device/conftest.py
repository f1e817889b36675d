"""Fixtures of more than one module."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hil.profiles.http import Http
from hil.profiles.loader import Loader
from tests.device.faked_chip import Chip, Made


@pytest.fixture
def chip(tmp_path: Path) -> Iterator[Made]:
    made: list[Chip] = []

    def make(loader: Loader | None = None, http: Http | None = None, **spec: Any) -> Chip:
        made.append(Chip(tmp_path, loader or Loader(), http or Http(), **spec))
        return made[-1]

    yield make
    for each in made:
        each.bench.close()
