"""Builds as ESP-IDF leaves them, and chips in their loaders behind a pseudo-terminal."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hil.testing.pty_loader import PtyLoader
from hil.virtual.flash import MB, FlashChip
from hil.virtual.rom.identity import ChipIdentity
from hil.virtual.rom.images import application, flash_files, flasher_args
from hil.wire.esp_image import AppDescription

Make = Callable[..., Path]


def code(length: int = 40_000, seed: int = 1) -> bytes:
    """Bytes that compress about as code does."""
    chosen = random.Random(seed)
    words = [chosen.randbytes(8) for _ in range(512)]
    return b"".join(chosen.choice(words) for _ in range(length // 8))


@pytest.fixture
def make_build(tmp_path: Path) -> Make:
    """Makes a build folder of a version and its code."""

    def make(version: str = "1.0", content: bytes = b"", flash_mb: int = 8) -> Path:
        folder = tmp_path / f"build-{version}"
        app = application(AppDescription("hello", version, "ab" * 32), content or code(), flash_mb)
        files = flash_files(app)
        for each in files:
            path = folder / each.name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(each.data)
        (folder / "flasher_args.json").write_text(flasher_args(files, flash_mb))
        return folder

    return make


@pytest.fixture
def serve() -> Iterator[Callable[..., PtyLoader]]:
    """Puts a loader in front of a flash chip of 8 MB, or of the one that is given."""
    boards: list[PtyLoader] = []

    def start(
        flash: FlashChip | None = None,
        identity: ChipIdentity | None = None,
        answers: Callable[[bytes], bytes | None] = lambda sent: sent,
    ) -> PtyLoader:
        boards.append(PtyLoader(flash or FlashChip(8 * MB), identity, answers))
        return boards[-1]

    yield start
    for board in boards:
        board.close()
