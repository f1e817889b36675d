"""Boots in a row: which cause names them, and what is no loop."""

from hil.diagnosis.text.line import TextLine, parts
from hil.diagnosis.text.story import Story, Tally

GURU = "Guru Meditation Error: Core  0 panic'ed (LoadProhibited). Exception was unhandled."
ASSERT = "assert failed: xQueueGenericSend queue.c:832 (pxQueue)"
LOADED = "I (170) boot: Loaded app from partition at offset 0x10000"
SOFTWARE = "rst:0xc (RTC_SW_CPU_RST),boot:0x8 (SPI_FAST_FLASH_BOOT)"
POWER = "rst:0x1 (POWERON),boot:0x8 (SPI_FAST_FLASH_BOOT)"
SLEEP = "rst:0x5 (DSLEEP),boot:0x8 (SPI_FAST_FLASH_BOOT)"
RTC = "rst:0x10 (RTCWDT_RTC_RST),boot:0x8 (SPI_FAST_FLASH_BOOT)"
TIMER_0 = "rst:0x7 (TG0WDT_SYS_RST),boot:0x8 (SPI_FAST_FLASH_BOOT)"


def tallies(*texts: str) -> dict[str, Tally]:
    story = Story()
    for number, text in enumerate(texts, 1):
        for line in parts(text, number):
            story.hear(line)
    return story.finish()


def test_three_panics_soon_after_the_start_are_a_loop() -> None:
    """A loop whose cause is a panic is one finding, and the panic its evidence."""
    assert list(tallies(POWER, LOADED, GURU, SOFTWARE, LOADED, GURU)) == ["panic"]
    found = tallies(POWER, LOADED, GURU, SOFTWARE, LOADED, GURU, SOFTWARE, LOADED, GURU)
    assert list(found) == ["boot-loop"]
    assert found["boot-loop"].row == 3
    assert GURU in str(found["boot-loop"].supports())


def test_the_cause_that_explains_the_most_names_a_loop() -> None:
    """Panics and one assertion in a row are the assertion's; the panics are evidence."""
    boots = [POWER, LOADED, GURU, SOFTWARE, LOADED, ASSERT, SOFTWARE, LOADED, GURU]
    found = tallies(*boots)
    assert list(found) == ["assert-failed"]
    assert GURU in str(found["assert-failed"].supports())


def test_what_a_loop_has_as_evidence_is_not_told_again() -> None:
    """A panic before the cable was pulled, and the loop of the same panics after it, are one finding."""
    loop = [SOFTWARE, LOADED, GURU] * 3
    before = [POWER, LOADED, GURU, POWER, LOADED, "I (40000) lamp: up"]
    assert list(tallies(*before, *loop)) == ["boot-loop"]
    other = "***ERROR*** A stack overflow in task net has been detected."
    assert list(tallies(POWER, LOADED, other, POWER, LOADED, "I (40000) lamp: up", *loop)) == [
        "stack-overflow",
        "boot-loop",
    ]


def test_restarts_without_a_word_are_a_loop() -> None:
    """Three software resets in a row, each soon after the start, are a finding although nothing says why."""
    assert list(tallies(POWER, LOADED, SOFTWARE, LOADED, SOFTWARE, LOADED, SOFTWARE, LOADED)) == ["boot-loop"]


def test_power_and_sleep_make_no_loop() -> None:
    """A board that is switched on ten times, or wakes ten times, is healthy."""
    assert tallies(*[POWER, LOADED] * 10) == {}
    assert tallies(*[SLEEP, LOADED, "I (400) lamp: measured"] * 10) == {}


def test_restarts_after_a_long_life_are_no_loop() -> None:
    """Nightly restarts are a habit."""
    assert tallies(*[SOFTWARE, LOADED, "I (86400000) lamp: good night"] * 10) == {}


def test_a_board_without_a_clock_lives_by_its_lines() -> None:
    """Many lines are a long life where no line has a time."""
    assert tallies(*[SOFTWARE, "entry 0x403c8924", *["23.4 C"] * 500] * 5) == {}
    assert list(tallies(*[SOFTWARE, "entry 0x403c8924", "hello"] * 5)) == ["boot-loop"]


def test_a_reset_that_a_test_asked_for_is_not_the_boards_doing() -> None:
    """Three resets by the test are no loop; a panic that follows the test's action is a panic."""
    story = Story()
    for _ in range(5):
        for text in (SOFTWARE, LOADED):
            story.hear(TextLine(text))
        story.asked()
    assert story.finish() == {}
    story = Story()
    story.hear(TextLine(LOADED))
    story.asked()
    story.hear(TextLine(GURU))
    assert list(story.finish()) == ["panic"]


def test_the_watchdog_that_ends_the_download_mode_is_the_flashers() -> None:
    """esptool resets by the RTC watchdog; after an app's own lines the same code is a finding."""
    assert tallies(POWER, "waiting for download", RTC, LOADED) == {}
    assert list(tallies(POWER, LOADED, "I (300) lamp: up", RTC, LOADED)) == ["rtc-watchdog"]


def test_the_first_line_of_a_log_says_nothing_of_a_watchdog_that_nobody_saw() -> None:
    """What was before the log is unknown; a brownout is one whenever it was."""
    assert tallies(RTC, LOADED) == {}
    assert tallies(TIMER_0, LOADED) == {}
    assert list(tallies("rst:0xf (BROWNOUT_RST),boot:0x8 (SPI_FAST_FLASH_BOOT)", LOADED)) == ["brownout"]


def test_the_reset_of_an_old_chip_after_power_on_is_none_of_the_boards() -> None:
    """ESP32 revision 0, errata 3.1: only the ROM's own banner stands between the two reset codes."""
    for banner in (["ets Jun  8 2016 00:22:57", ""], ["ESP-ROM:esp32s3-20210327", "Build:Mar 27 2021"]):
        assert tallies(POWER, *banner, RTC, "entry 0x40080034", LOADED) == {}
        assert tallies(*[POWER, *banner, RTC, *banner] * 4) == {}
        assert list(tallies(POWER, "entry 0x400806ac", *banner, RTC)) == ["rtc-watchdog"]


def test_timer_group_0_is_the_task_watchdogs_only_where_an_app_ran() -> None:
    """Before an app runs the ROM's own watchdog is on that timer."""
    assert list(tallies(POWER, LOADED, TIMER_0)) == ["task-watchdog"]
    assert tallies(POWER, "entry 0x403c8924", TIMER_0, "entry 0x403c8924") == {}


def test_a_printed_panic_explains_the_watchdog_that_ended_its_handler() -> None:
    """The reset code after a panic is evidence, not a second cause."""
    assert list(tallies(POWER, LOADED, GURU, TIMER_0, LOADED)) == ["panic"]


def test_failures_far_apart_in_one_boot_are_two() -> None:
    """A watchdog that only warns, and hours of log later an overflow."""
    warning = (
        "E (8305) task_wdt: Task watchdog got triggered. The following tasks/users did not reset the watchdog in time:"
    )
    overflow = "***ERROR*** A stack overflow in task net has been detected."
    between = [f"I ({90_000 + ms}) lamp: tick" for ms in range(100)]
    assert list(tallies(POWER, LOADED, warning, *between, overflow)) == ["task-watchdog", "stack-overflow"]
    assert list(tallies(POWER, LOADED, warning, *between[:10], overflow)) == ["stack-overflow"]


def test_a_panic_without_reset_codes_is_counted_each_time() -> None:
    """A log that leaves out the ROM's lines still tells its boots apart."""
    once = ["I (300) lamp: up", GURU, "Rebooting..."]
    assert tallies(*once, *once)["panic"].times == 2
    assert list(tallies(*once * 4)) == ["boot-loop"]


def test_a_boot_loader_that_starts_again_begins_another_boot() -> None:
    """Where the ROM's lines are switched off."""
    loader = "I (24) boot: ESP-IDF v5.3.1 2nd stage bootloader"
    assert tallies(loader, LOADED, GURU, loader, LOADED, GURU)["panic"].times == 2
    assert list(tallies(*[loader, LOADED, GURU] * 3)) == ["boot-loop"]


def test_an_update_that_is_refused_is_told_although_the_old_app_runs() -> None:
    """At each boot anew; an app that starts from another slot mends nothing."""
    refused = "E (342) secure_boot_v2: Secure boot signature verification failed"
    once = [POWER, "entry 0x403c8924", refused, LOADED, "I (300) lamp: up"]
    assert tallies(*once, *once)["image-corrupt"].times == 2


def test_an_image_that_its_partition_cannot_hold_is_no_damaged_one() -> None:
    """That no app can be started is what comes of it; an app that starts later mends it."""
    long = "E (530) esp_image: Image length 1053936 doesn't fit in partition length 1048576"
    none = "E (562) boot: No bootable app partitions in the partition table"
    boot = [SOFTWARE, "entry 0x403c8924", long, none]
    assert list(tallies(*boot)) == list(tallies(*boot * 4)) == ["app-exceeds-partition"]
    assert tallies(*boot, POWER, "entry 0x403c8924", LOADED) == {}


def test_an_update_that_a_running_app_refuses_is_told_although_a_later_boot_is_healthy() -> None:
    """It kept no loader from an app: the board restarts into the old one, and that mends nothing."""
    refused = "E (58138) esp_image: invalid segment length 0x7369"
    healthy = [SOFTWARE, "entry 0x403c8924", "Ready", LOADED]
    assert list(tallies(POWER, LOADED, "I (310) main_task: Calling app_main()", refused, *healthy)) == ["image-corrupt"]
    assert list(tallies("Update: 4096 of 4096", refused, *healthy)) == ["image-corrupt"]
    soon = "E (9138) esp_image: invalid segment length 0x7369"
    assert list(tallies(POWER, LOADED, soon, *healthy)) == ["image-corrupt"]
    assert list(tallies(*[POWER, LOADED, soon, *healthy] * 4)) == ["image-corrupt"]
    assert tallies("rst:0x1 (POWERON),boot:0x8 (SPI)", "entry 0x403c8924", refused, *healthy) == {}
    assert against(POWER, LOADED, refused, "I (98138) ota: next try") == []


def test_what_comes_of_a_panic_is_not_its_cause() -> None:
    """A panic in the panic handler, or the watchdog that ends it, is evidence beside the first one."""
    wdt = "Guru Meditation Error: Core  1 panic'ed (Interrupt wdt timeout on CPU1). "
    (found,) = tallies(POWER, LOADED, GURU, "Core  0 register dump:", BACKTRACE, "Saving core dump", wdt).items()
    assert found[0] == "panic"
    assert wdt.strip() in str(found[1].supports())
    canary = "Debug exception reason: Stack canary watchpoint triggered (main) "
    debug = "Guru Meditation Error: Core  0 panic'ed (Unhandled debug exception). "
    assert list(tallies(POWER, LOADED, debug, canary)) == ["stack-overflow"]
    assert list(tallies(POWER, LOADED, GURU, "Memory dump at 0x401956bc:", debug, canary)) == ["panic"]


def test_a_panic_whose_first_line_is_missing_is_one() -> None:
    """The dump and the handler's last word show it; either alone does not, nor both far apart."""
    for dump in (BACKTRACE, "MEPC    : 0x4200b2f8  RA      : 0x42007f0a"):
        assert list(tallies(POWER, LOADED, dump, "", "Rebooting...")) == ["panic"]
        assert tallies(POWER, LOADED, dump, *["I (400) lamp: tick"] * 60, "Rebooting...") == {}
    assert tallies(POWER, LOADED, "Rebooting...") == tallies(POWER, LOADED, BACKTRACE) == {}
    assert list(tallies(*[SOFTWARE, LOADED, BACKTRACE, "Rebooting..."] * 3)) == ["boot-loop"]


CRASHED = "[12:31:55][E][esp32.crash:221]: *** CRASH DETECTED ON PREVIOUS BOOT ***"
REASON = "[12:31:55][E][esp32.crash:224]:   Reason: Fault - StoreProhibited"


def test_a_panic_that_the_next_boot_tells_of_is_one_where_nothing_else_is_found() -> None:
    """ESPHome's log over the network; a serial log has the panic handler's own words, which are not counted twice."""
    supports = tallies("[12:31:54][I][app:100]: up", CRASHED, REASON, CRASHED)["panic"].supports()
    assert [each.text for each in supports] == ["ESPHome tells of the boot before", "why"]
    assert tallies(REASON) == tallies("[E][app:1]: no *** CRASH DETECTED ON PREVIOUS BOOT ***") == {}
    found = tallies(POWER, LOADED, GURU, SOFTWARE, LOADED, CRASHED, REASON)
    assert found["panic"].times == 1
    assert GURU in str(found["panic"].supports())
    assert list(tallies(POWER, LOADED, ASSERT, SOFTWARE, LOADED, CRASHED)) == ["assert-failed"]


def test_a_core_that_locks_up_has_panicked() -> None:
    """The panic handler itself met an exception: the reset code alone tells, or its last words and the code do."""
    lockup = "rst:0x1a (CPU_LOCKUP),boot:0x18 (SPI_FAST_FLASH_BOOT)"
    assert tallies(POWER, LOADED, lockup)["panic"].supports()[0].text == "the reset code says so"
    assert tallies(POWER, LOADED, GURU, lockup)["panic"].supports()[-1].text == "the reset that followed"
    assert list(tallies(*[lockup, LOADED] * 3, lockup)) == ["boot-loop"]


def test_a_core_that_is_not_known_is_one() -> None:
    """An error of the shared cache has none: the handler prints the digit below 0; and a UART may lose it."""
    cache = "panic'ed (Cache disabled but cached memory region accessed). "
    for core in ("/ ", "", "1 "):
        assert list(tallies(POWER, LOADED, f"Guru Meditation Error: Core  {core}{cache}")) == ["panic"]


def test_a_watchdog_that_cuts_into_a_line_is_one() -> None:
    """Behind a sketch's dots; a quotation has a blank or a quotation mark before it."""
    assert list(tallies(POWER, LOADED, f"Connecting.....{WARNING}", "abort() was called at PC 0x420210cb")) == [
        "task-watchdog"
    ]
    assert tallies(POWER, LOADED, f"I (5) help: {WARNING}") == tallies(POWER, LOADED, f'"{WARNING}"') == {}


def test_what_is_kept_does_not_grow_with_the_log() -> None:
    """A thousand boots leave one tally with as much evidence as three."""
    few = tallies(*[SOFTWARE, LOADED, GURU] * 3)["boot-loop"].supports()
    many = tallies(*[SOFTWARE, LOADED, GURU] * 1000)["boot-loop"].supports()
    assert len(many) == len(few)
    assert many[-1].text == "1000 boots in a row ended within 30 s each, the last"


BACKTRACE = "Backtrace: 0x400d1231:0x3ffb1f70"


def test_a_panic_behind_text_that_ends_in_a_blank_is_one_when_its_handler_goes_on() -> None:
    """A sketch prints without a newline; the dump, the backtrace or the restart show that this is no quotation."""
    for after in ("Core  0 register dump:", BACKTRACE, "Rebooting..."):
        assert list(tallies(POWER, LOADED, f"Temp: 23.4 {GURU}", "", after)) == ["panic"]
    wdt = "Connecting: Guru Meditation Error: Core  1 panic'ed (Interrupt wdt timeout on CPU1)."
    assert list(tallies(POWER, LOADED, wdt, BACKTRACE)) == ["interrupt-watchdog"]
    assert list(tallies(LOADED, "Connecting: abort() was called at PC 0x400d2b2c on core 0", BACKTRACE)) == ["abort"]
    assert list(tallies(LOADED, f"Connecting: {ASSERT}", BACKTRACE)) == ["assert-failed"]


def test_a_quotation_stays_one() -> None:
    """Nothing follows, it follows too late, it is quoted too, or another panic follows."""
    quoted = f"I (331) app: last crash: {GURU}"
    assert tallies(POWER, LOADED, quoted, "I (340) app: goes on") == {}
    assert tallies(POWER, LOADED, quoted, "Rebooting") == {}
    assert tallies(POWER, LOADED, quoted, f"I (332) app: {BACKTRACE}") == {}
    assert tallies(POWER, LOADED, quoted, *["I (340) app: goes on"] * 60, BACKTRACE) == {}
    (found,) = tallies(POWER, LOADED, quoted, GURU, BACKTRACE).values()
    assert "last crash" not in str(found.supports())


def test_a_panic_behind_text_counts_in_a_loop() -> None:
    """Three of them are one."""
    once = [SOFTWARE, LOADED, f"Temp: 23.4 {GURU}", "", BACKTRACE, "Rebooting..."]
    found = tallies(POWER, LOADED, *once * 3)
    assert list(found) == ["boot-loop"]
    assert "Temp: 23.4 Guru" in str(found["boot-loop"].supports())


def test_an_app_that_finds_its_update_partition_empty_is_healthy() -> None:
    """The loader's words in an app's mouth; before an app runs they keep it from being started."""
    empty = "E (500) esp_image: image at 0x1f0000 has invalid magic byte (nothing flashed here?)"
    boot = [POWER, "entry 0x403c8924", LOADED, "I (310) main_task: Calling app_main()"]
    assert tallies(*boot, empty, "I (60000) app: alive") == {}
    assert list(tallies(*boot, empty, GURU)) == ["panic"]
    assert list(tallies(POWER, "entry 0x403c8924", empty)) == ["image-corrupt"]


WARNING = (
    "E (8305) task_wdt: Task watchdog got triggered. The following tasks/users did not reset the watchdog in time:"
)


def against(*texts: str) -> list[str]:
    (tally,) = tallies(*texts).values()
    return [evidence.text for evidence in tally.against]


def test_a_board_that_lives_on_is_evidence_against() -> None:
    """A watchdog that only warns, and words of a panic that nothing came of."""
    assert against(LOADED, WARNING, "I (9400) lamp: tick") == ["the board is alive 1 s later"]
    assert against(LOADED, "I (300) lamp: help: on a panic", GURU, "I (50300) lamp: tick") == [
        "the board is alive 50 s later"
    ]


def test_a_board_whose_life_after_is_not_known_is_none() -> None:
    """It was not heard for long enough, has started over, or told no time; nor where it did not live on each time."""
    assert against(LOADED, WARNING, "I (8900) lamp: tick") == []
    assert against(LOADED, "I (300) lamp: up", GURU, "I (20300) lamp: tick") == []
    assert against(LOADED, "I (9000) lamp: up", GURU, "I (310) lamp: up", "I (60000) lamp: tick") == []
    assert against(GURU, "I (60000) lamp: tick") == []
    lives, dies = [LOADED, WARNING, "I (60000) lamp: tick"], [LOADED, WARNING]
    assert len(against(POWER, *lives, POWER, *lives)) == 1
    assert against(POWER, *lives, POWER, *dies) == []
    assert against(POWER, *dies, POWER, *lives) == []
    assert against(*[SOFTWARE, LOADED, GURU] * 4) == []
