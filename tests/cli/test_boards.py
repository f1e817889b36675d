"""hil boards."""

from hil.cli.boards import describe
from hil.device.discovery import Attached


def test_espressif_boards_become_a_bench_file() -> None:
    """Each board has its topology path; other devices are listed as comments."""
    text = describe(
        [Attached("1-1.2", 0x303A, 0x4001, "1", "Espressif Device"), Attached("1-1.3", 0x1A86, 0x55D4, "2", "")]
    )
    assert text.splitlines() == [
        "[bench]",
        'name = "my-bench"',
        "",
        "# 1-1.2 (303a:4001 Espressif Device)",
        "[[board]]",
        'name = "s3-a"',
        'usb = "1-1.2"',
        "",
        "# also attached, perhaps a board's UART bridge (console = its path):",
        "#   1-1.3 (1a86:55d4 without a name)",
    ]


def test_an_empty_bench_says_so() -> None:
    """Without a board the text says what was looked for."""
    assert "# no Espressif device (303a) is attached" in describe([])
