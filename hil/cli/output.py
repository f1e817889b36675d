"""What the ``hil`` command prints: whatever becomes of standard output, the work goes on."""

import os
import sys
from io import TextIOWrapper


def take_any_text() -> None:
    """Have standard output replace what its encoding lacks, in help texts too."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


def say(text: str) -> str:
    """Print ``text`` at once. Where that fails, everything that comes after it is dropped.

    Returns:
        Why it could not be written, or ''; '' too where nobody reads any more, as of ``hil faults | head``.
    """
    try:
        print(text, flush=True)
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is buffered is flushed at exit
        return "" if isinstance(error, BrokenPipeError) else f"standard output: cannot be written: {error.strerror}"
    return ""
