"""The pulse on EN, seen from the lines."""

import termios

import pytest

from hil.agent.server.lines import HELD_S, SETTLES_S, pulse_en
from hil.clock import NS_PER_S
from hil.testing.fake_clock import FakeClock

DTR, RTS, CTS = termios.TIOCM_DTR, termios.TIOCM_RTS, termios.TIOCM_CTS


class FakeLines:
    """Writes down what is set, and when."""

    def __init__(self, bits: int, clock: FakeClock) -> None:
        self.bits = bits
        self.set_to: list[tuple[int, int]] = []
        self._clock = clock
        self.broken = False

    def get(self) -> int:
        return self.bits

    def set(self, bits: int) -> None:
        self.bits = bits
        self.set_to.append((self._clock.now_ns(), bits))
        if self.broken and bits == CTS:
            raise OSError(19, "No such device")


@pytest.mark.parametrize("former", [CTS | DTR | RTS, CTS, CTS | DTR])
def test_rts_alone_holds_the_chip_and_lets_it_go(former: int) -> None:
    """DTR is not asserted while EN is low nor when it rises, so the chip boots from its flash; the lines come back."""
    clock = FakeClock(0)
    lines = FakeLines(former, clock)
    began_ns, fell_ns = pulse_en(lines, clock)
    assert began_ns <= fell_ns
    held_ns, settled_ns = round(HELD_S * NS_PER_S), round((HELD_S + SETTLES_S) * NS_PER_S)
    assert lines.set_to == [(0, CTS | RTS), (held_ns, CTS), (settled_ns, former)]


def test_dtr_after_rts_keeps_the_rom_in_its_loader() -> None:
    """IO0 is low when EN rises and for a while longer; then the lines are as they were."""
    clock = FakeClock(0)
    lines = FakeLines(CTS | DTR | RTS, clock)
    pulse_en(lines, clock, download=True)
    assert [bits for _, bits in lines.set_to] == [CTS | RTS, CTS | DTR, CTS | DTR | RTS]


def test_lines_come_back_where_the_pulse_fails() -> None:
    """A bridge that vanishes in the middle is an error, and the last word is to let go."""
    clock = FakeClock(0)
    lines = FakeLines(CTS | DTR | RTS, clock)
    lines.broken = True
    with pytest.raises(OSError, match="No such device"):
        pulse_en(lines, clock)
    assert lines.bits == CTS | DTR | RTS
