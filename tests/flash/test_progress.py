"""Steps of flashing as a person reads them."""

from hil.flash.progress import CONNECTING, FAILED, STATUSES, WRITING, Lines, Progress, Told


def test_each_step_is_told_once() -> None:
    """What repeats is not told again; a failure says how far it was."""
    told: list[Progress] = []
    to = Told(told.append)
    to.tell(CONNECTING, 0, "/dev/ttyACM0")
    for percent in (0, 7, 7, 8):
        to.tell(WRITING, percent, "app.bin at 0x10000")
    to.tell(FAILED, detail="gone")
    assert [str(each) for each in told] == [
        "connecting: /dev/ttyACM0",
        "writing 0 %: app.bin at 0x10000",
        "writing 7 %: app.bin at 0x10000",
        "writing 8 %: app.bin at 0x10000",
        "failed: gone",
    ]
    assert told[-1].percent == 8
    assert {each.status for each in told} <= set(STATUSES)


def test_a_terminal_gets_a_line_a_step() -> None:
    """And of writing every quarter."""
    said: list[str] = []
    lines = Lines(said.append, "s3-a: ")
    for step in (
        Progress(CONNECTING),
        *(Progress(WRITING, each, "app.bin") for each in range(101)),
        Progress(FAILED, 9),
    ):
        lines(step)
    assert said == [
        "s3-a: connecting",
        *(f"s3-a: writing {each} %: app.bin" for each in (0, 25, 50, 75, 100)),
        "s3-a: failed",
    ]
