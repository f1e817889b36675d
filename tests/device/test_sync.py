"""Whether a loader listens, and what it is told."""

from hil.clock import to_ns
from hil.device.sync import LoaderTalk
from hil.testing.fake_clock import FakeClock
from hil.testing.fake_port import FakeLoader, FakePort
from hil.wire.esp_loader import Op, RegisterWrite


def test_a_rom_answers_and_forgets() -> None:
    """SYNC, then bit 0 of RTC_CNTL_OPTION1 is cleared and no other."""
    clock, rom = FakeClock(), FakeLoader()
    talk = LoaderTalk(FakePort(clock, rom.answer), clock)
    assert talk.sync()
    assert talk.forget_download()
    assert [request.op for request in rom.requests] == [Op.SYNC, Op.WRITE_REG]
    assert RegisterWrite.parse_all(rom.requests[1].data) == (RegisterWrite(0x6000812C, 0, 1),)


def test_a_stub_that_somebody_left_is_understood_too() -> None:
    """Its status is two bytes and not four."""
    clock, stub = FakeClock(), FakeLoader(stub=True)
    talk = LoaderTalk(FakePort(clock, stub.answer), clock)
    assert talk.sync()
    assert talk.forget_download()


def test_a_boot_log_before_the_answer_does_not_matter() -> None:
    """Text outside packets, and a packet that is no reply."""
    clock, rom = FakeClock(), FakeLoader()
    noise = b"ESP-ROM:esp32s3\r\nwaiting for download\r\n\xc0\x00\x01\xc0"
    talk = LoaderTalk(FakePort(clock, lambda data: noise + rom.answer(data)), clock)
    assert talk.sync()


def test_silence_ends_at_its_deadline() -> None:
    """Tried again and again, three seconds long."""
    clock = FakeClock()
    port = FakePort(clock)
    assert not LoaderTalk(port, clock).sync()
    assert to_ns(3.0) <= clock.now_ns() < to_ns(3.2)
    assert len(port.written) == 30


def test_a_loader_that_refuses_the_write_has_not_forgotten() -> None:
    """No answer is none either."""
    clock, rom = FakeClock(), FakeLoader()
    talk = LoaderTalk(FakePort(clock, rom.answer), clock)
    assert talk.sync()
    rom.mute = True
    assert not talk.forget_download()
