"""Why a board of the ESP32 family stops, starts over or never starts, whatever firmware of ESP-IDF or Arduino it runs.

The order is the rule by which one cause is chosen where several have left lines: the first explains the most, and what
speaks for those after it becomes its evidence. A boot loop stands before the panic, the abort and the reset that make
it, because they only say that the firmware gave up; it stands behind every cause that says why.
"""

from hil.diagnosis.text.clue import Cause

BOOT_LOOP = "boot-loop"
TOO_BIG = "app-exceeds-partition"

BOARD_CAUSES: tuple[Cause, ...] = (
    Cause(
        name="brownout",
        title="the supply fell below the brownout detector's threshold",
        cause="the 3.3 V rail sags under load: a thin cable, a weak port, a regulator or capacitor that cannot "
        "follow Wi-Fi's current peaks.",
        remedy="feed the board from a short cable and a supply that gives 500 mA or more, add bulk capacitance at "
        "the module's 3V3, and measure the rail while the radio starts; do not switch the detector off.",
        source="ESP-IDF components/esp_system/port/brownout.c; reset code 0xf in rom/rtc.h",
    ),
    Cause(
        name="invalid-header",
        title="the ROM finds no image where the boot loader belongs",
        cause="the flash is blank (0xffffffff) or holds something else at the boot loader's offset: never flashed, "
        "erased, an interrupted write, an image at another chip's offset, or a plain image where the eFuses turn on "
        "flash encryption.",
        remedy="write boot loader, partition table and app at the offsets of flasher_args.json (boot loader: 0x1000 "
        "on the ESP32 and S2, 0x2000 on the C5 and P4, 0x0 on the others; a merged image always at 0x0), then compare "
        "with `esptool verify-flash`; `espefuse summary` tells of encryption.",
        source="message of the mask ROM; offsets: ESP-IDF components/bootloader/Kconfig.projbuild, "
        "BOOTLOADER_OFFSET_IN_FLASH",
    ),
    Cause(
        name="flash-read-error",
        title="the ROM cannot read the flash",
        cause="the flash does not answer in the mode the image header asks for: its supply is wrong (ESP32: GPIO12 "
        "high at reset selects 1.8 V), its pins are used otherwise, or QIO or octal mode is set on a chip wired for "
        "DIO; with flash encryption on, a plain image reads like this too.",
        remedy="free GPIO6-11 and GPIO12 (ESP32), flash with `--flash-mode dio --flash-freq 40m`, and check the "
        "module's supply at power-on.",
        source="message of the mask ROM; ESP-IDF docs, Flash Encryption, and esptool docs, Boot Mode Selection",
    ),
    Cause(
        name="image-corrupt",
        title="an image in flash is damaged, unsigned or made for another chip",
        cause="the checksum, the hash, the signature or the header of the image is not what the loader accepts: a "
        "cut-off or wrong write, an interrupted update, overlapping partitions, or a build for another chip.",
        remedy="flash again and verify (`esptool verify-flash`), let the update check the image before it switches "
        "to it (esp_ota_end), and compare sizes with the partition table.",
        source="ESP-IDF components/bootloader_support/src/esp_image_format.c and bootloader_common.c; ROM checksum "
        "`csum err`",
    ),
    Cause(
        name=TOO_BIG,
        title="the app is larger than its partition",
        cause="the partition table, or the partition scheme of the board, gives the app less than it needs; the "
        "default of ESP-IDF is 1 MiB, of Arduino 1.25 MiB.",
        remedy="choose a larger app partition (CONFIG_PARTITION_TABLE_SINGLE_APP_LARGE or a table of your own, "
        "Arduino's Partition Scheme, board_build.partitions) that fits the flash, or make the app smaller (-Os).",
        source="ESP-IDF components/partition_table/check_sizes.py and bootloader_support/src/esp_image_format.c; "
        "arduino-cli; PlatformIO builder/main.py",
    ),
    Cause(
        name="no-bootable-app",
        title="the boot loader finds no app to start",
        cause="no app partition holds a valid image, or the partition table itself is missing, damaged or made for "
        "a larger flash.",
        remedy="flash the partition table (0x8000 unless CONFIG_PARTITION_TABLE_OFFSET says otherwise) and the app "
        "at the offset that it names; after an update check otadata with `otatool.py read_otadata`.",
        source="ESP-IDF components/bootloader_support/src/bootloader_utility.c and flash_partitions.c",
    ),
    Cause(
        name="flash-too-small",
        title="the chip's flash is smaller than the image was built for",
        cause="the image header says more flash than the chip answers with: built or flashed for another module, or a "
        "flash that answers wrongly (0k, 128k: its pins are used otherwise, or its supply is weak). The assertion that "
        "follows in start-up says no more than this.",
        remedy="set the flash size that `esptool flash-id` tells (CONFIG_ESPTOOLPY_FLASHSIZE, Arduino's Flash Size, "
        "board_upload.flash_size) and a partition table that fits it, build, and flash boot loader, table and app.",
        source="ESP-IDF components/spi_flash/esp_flash_spi_init.c, esp_flash_init_default_chip",
    ),
    Cause(
        name="psram-not-found",
        title="the firmware needs PSRAM, and none answers",
        cause="the module has no PSRAM, or it is configured in another line mode (quad, octal) than it is wired; "
        "without it the start is given up.",
        remedy="set the mode that the module has (ESP32-S3 with R8: octal, R2: quad; Arduino: PSRAM), or allow a "
        "start without it: CONFIG_SPIRAM_IGNORE_NOTFOUND; with octal PSRAM leave GPIO33 to 37 alone.",
        source="ESP-IDF components/esp_system/port/cpu_start.c and docs, Support for External RAM",
    ),
    Cause(
        name="dhcpc-option-misused",
        title="esp_netif_dhcpc_option() is called with what it does not take",
        cause="it takes five arguments (netif, ESP_NETIF_OP_SET or _GET, option id, pointer to the value, its "
        "length), only while the client is stopped, and sets nothing but ESP_NETIF_IP_REQUEST_RETRY_TIME and "
        "ESP_NETIF_VENDOR_CLASS_IDENTIFIER; an address or DNS server comes from the server.",
        remedy="call it between esp_netif_dhcpc_stop() and esp_netif_dhcpc_start() with a supported option, or "
        "leave it out.",
        source="ESP-IDF components/esp_netif/lwip/esp_netif_lwip.c, esp_netif_dhcpc_option_api; espressif/esp-idf "
        "issue 15360",
    ),
    Cause(
        name="stack-overflow",
        title="a task overran its stack",
        cause="the task's stack is too small for what it calls, or a local buffer was written past its end.",
        remedy="give the task that is named a larger stack (xTaskCreate, CONFIG_ESP_MAIN_TASK_STACK_SIZE, Arduino's "
        "SET_LOOP_TASK_STACK_SIZE), move large locals to the heap, and watch uxTaskGetStackHighWaterMark().",
        source="ESP-IDF docs, Fatal Errors: stack overflow, hardware stack guard, stack smashing; FreeRTOS "
        "vApplicationStackOverflowHook",
    ),
    Cause(
        name="heap-corruption",
        title="the heap's own bookkeeping was overwritten",
        cause="something wrote past the end or before the start of an allocation, or used or freed it after it was "
        "freed; the line that reports it is where it was noticed, not where it was done.",
        remedy="build with CONFIG_HEAP_POISONING_COMPREHENSIVE, call heap_caps_check_integrity_all() between "
        "suspects, and set a watchpoint on the address that is named.",
        source="ESP-IDF components/heap/multi_heap_poisoning.c and docs, Heap Memory Debugging",
    ),
    Cause(
        name="interrupt-watchdog",
        title="interrupts were blocked for too long on one core",
        cause="an interrupt handler, or a critical section, ran longer than CONFIG_ESP_INT_WDT_TIMEOUT_MS.",
        remedy="keep handlers short and hand the work to a task; the backtrace of the core that is named shows "
        "which code held it.",
        source="ESP-IDF docs, Watchdogs: Interrupt Watchdog Timer; reset codes 0x8 and 0x11 in rom/rtc.h",
    ),
    Cause(
        name="task-watchdog",
        title="a task kept a core to itself",
        cause="a subscribed task, mostly the idle task of a core, did not run within CONFIG_ESP_TASK_WDT_TIMEOUT_S, "
        "because the task shown as running never blocks.",
        remedy="let the running task block (vTaskDelay, a queue, a semaphore), or lower its priority; subscribe "
        "long work itself and call esp_task_wdt_reset().",
        source="ESP-IDF components/esp_system/task_wdt/task_wdt.c; reset codes 0x7 and 0xb in rom/rtc.h",
    ),
    Cause(
        name="assert-failed",
        title="an assertion of the firmware or of ESP-IDF failed",
        cause="the condition in parentheses was false at the file and line that stand before it.",
        remedy="read that line in the sources of the same version, and decode the backtrace for who called it.",
        source="ESP-IDF components/newlib/assert.c and docs, Fatal Errors",
    ),
    Cause(
        name=BOOT_LOOP,
        title="the board starts over and over",
        cause="every start ends in the same way before the firmware has run for long, and nothing more specific is "
        "printed; a restart that was asked for each time, over the network or by a user of esp_restart(), looks the "
        "same where no panic is printed.",
        remedy="decode the backtrace with the ELF of this very build (`idf.py monitor` does it, or addr2line of "
        "the chip's toolchain, -pfiaC -e build/APP.elf ADDRESSES); without one look at the last line before the "
        "reset, and for who may have asked for it.",
        source="ESP-IDF docs, Fatal Errors; reset codes in rom/rtc.h",
    ),
    Cause(
        name="abort",
        title="the firmware called abort()",
        cause="ESP_ERROR_CHECK, an uncaught C++ exception or the firmware itself gave up.",
        remedy="the error, file and expression printed before it name the call; else decode the backtrace "
        "(`idf.py monitor` does it, or addr2line of the chip's toolchain, -pfiaC -e build/APP.elf ADDRESSES).",
        source="ESP-IDF components/esp_system/esp_err.c and panic.c",
    ),
    Cause(
        name="panic",
        title="the processor met an exception",
        cause="the code at the first address of the backtrace, on RISC-V at MEPC, did what the reason in parentheses "
        "says: LoadProhibited, StoreProhibited and access faults are bad pointers (EXCVADDR or MTVAL is the address), "
        "an illegal instruction is a wrecked return address, a disabled cache an interrupt that ran from flash or "
        "read there while the flash was written.",
        remedy="let `idf.py monitor` or PlatformIO's esp32_exception_decoder read it, or give the addresses and the "
        "ELF of this very build to the toolchain's addr2line (xtensa-esp32s3-elf- or riscv32-esp-elf-addr2line -pfiaC "
        "-e build/APP.elf ADDRESSES); what an interrupt needs while the flash is written goes to RAM (IRAM_ATTR).",
        source="ESP-IDF components/esp_system/panic.c and docs, Fatal Errors",
    ),
    Cause(
        name="rtc-watchdog",
        title="the RTC watchdog reset the chip",
        cause="nobody fed the watchdog that guards the start (9 s, CONFIG_BOOTLOADER_WDT_TIME_MS) or the panic "
        "handler: the boot loader or the app's first code hangs, or the firmware set this watchdog itself.",
        remedy="look at the last line before the reset; check PSRAM and flash settings, static constructors and "
        "code before app_main.",
        source="ESP-IDF components/bootloader_support, CONFIG_BOOTLOADER_WDT_ENABLE; reset codes 0x9, 0xd, 0x10 in "
        "rom/rtc.h",
    ),
    Cause(
        name="no-carrier",
        title="the link never comes up between the host and the board",
        cause="the host was never told that the link is up: NETWORK_CONNECTION(1) was not sent on the notification "
        "endpoint, or before the host polled it. By the board's word alone: or the host never set its interface up.",
        remedy="call tud_network_link_state() after the stack is ready, and use a TinyUSB that sends the "
        "notification on each selection of alternate setting 1 (0.21, or ncm_device.c of 2026-07-08).",
        source="USB CDC NCM 1.0 section 7.1; hathach/tinyusb cf055c237; espressif/esp-idf issue 18079",
    ),
)
"""The first explains the most."""
