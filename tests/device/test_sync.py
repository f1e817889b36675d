"""Whether a loader listens, and what it is told."""

from hil.clock import to_ns
from hil.device.sync import LoaderTalk
from hil.testing.fake_clock import FakeClock
from hil.testing.fake_port import FakeLoader, FakePort
from hil.wire.esp_loader import Op, RegisterWrite


def test_a_rom_answers_and_restarts() -> None:
    """SYNC, then the RTC watchdog is unlocked, armed and locked again."""
    clock, rom = FakeClock(), FakeLoader()
    talk = LoaderTalk(FakePort(clock, rom.answer), clock)
    assert talk.sync()
    assert talk.restart()
    assert [request.op for request in rom.requests] == [Op.SYNC, *[Op.WRITE_REG] * 4]
    writes = [RegisterWrite.parse_all(request.data) for request in rom.requests[1:]]
    assert [(write.address, write.value) for (write,) in writes] == [
        (0x600080B0, 0x50D83AA1),
        (0x6000809C, 2000),
        (0x60008098, 0xD0000102),
        (0x600080B0, 0),
    ]


def test_a_rom_forgets_the_order_to_stay() -> None:
    """One bit of one register, and no other."""
    clock, rom = FakeClock(), FakeLoader()
    talk = LoaderTalk(FakePort(clock, rom.answer), clock)
    assert talk.sync()
    assert talk.forget_order()
    (write,) = RegisterWrite.parse_all(rom.requests[1].data)
    assert (write.address, write.value, write.mask) == (0x6000812C, 0, 1)


def test_a_stub_that_somebody_left_is_understood_too() -> None:
    """Its status is two bytes and not four."""
    clock, stub = FakeClock(), FakeLoader(stub=True)
    talk = LoaderTalk(FakePort(clock, stub.answer), clock)
    assert talk.sync()
    assert talk.restart()


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


def test_a_loader_that_does_not_answer_has_not_taken_the_order() -> None:
    """After the first of its four writes the rest is not sent."""
    clock, rom = FakeClock(), FakeLoader()
    talk = LoaderTalk(FakePort(clock, rom.answer), clock)
    assert talk.sync()
    rom.mute = True
    assert not talk.restart()
    assert len(rom.requests) == 2
