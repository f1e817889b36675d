"""Build logs."""

import pytest

from hil.diagnosis.text.build import Build
from hil.diagnosis.text.line import TextLine


def causes(*texts: str) -> list[str]:
    build = Build()
    for number, text in enumerate(texts, 1):
        build.hear(TextLine(text, number))
    return list(build.evidence())


@pytest.mark.parametrize(
    "text",
    [
        "bash: idf.py: command not found",
        "/bin/sh: 1: idf.py: not found",
        "zsh: command not found: idf.py",
        "fish: Unknown command: idf.py",
        "'idf.py' is not recognized as an internal or external command,",
        "    /tools/cmake/project.cmake",
        "[cmake]     /tools/cmake/project.cmake",
        "CMake Error at CMakeLists.txt:7 (include):include could not find load file: /tools/cmake/project.cmake",
        "The following Python requirements are not satisfied:",
        "WARNING: The IDF_PYTHON_ENV_PATH is missing in environmental variables!",
        "ERROR: tool xtensa-esp32s3-elf has no installed versions. Please run '/a/install.sh' to install it.",
        "env: \u2018idf.py\u2019: No such file or directory",
        "    xtensa-esp32s3-elf-gcc",
        "[cmake]     riscv32-esp-elf-g++",
        "IDF_PATH is not set",
        'This usually means that "idf.py" was not spawned within an ESP-IDF shell environment or the python',
        'ERROR: ESP-IDF Python virtual environment "/home/a/.espressif/python_env/idf5.4_env/bin/python" not found.',
        "make: xtensa-esp32s3-elf-gcc: command not found",
        "make: idf.py: No such file or directory",
        "make[1]: idf.py: No such file or directory",
        "/usr/bin/env: \u2018python\u2019: No such file or directory",
        "/usr/bin/env: 'python': No such file or directory",
        "/usr/bin/python3: can't open file '/tools/idf.py': [Errno 2] No such file or directory",
    ],
)
def test_a_shell_without_esp_idf_is_named(text: str) -> None:
    """In the words of each shell, of CMake and of idf.py."""
    assert causes(text) == ["esp-idf-not-exported"]


@pytest.mark.parametrize(
    "text",
    [
        "CMake Error: The current CMakeCache.txt directory /a/build/CMakeCache.txt is different than the directory "
        "/b/build where CMakeCache.txt was created.",
        'CMake Error: The source "/a/CMakeLists.txt" does not match the source "/b/C.txt" used to generate cache.',
        "Does not match the generator used previously: Unix Makefiles",
        "Build directory '/a/build' configured for project '/b' not '/a'. Run 'idf.py fullclean' to start again.",
        "Build is configured for generator 'Ninja' not 'Unix Makefiles'. Run 'idf.py fullclean' to start again.",
        "Target settings are not consistent: 'esp32s3' in the environment, 'esp32' in CMakeCache.txt.",
        "Project sdkconfig was generated for target 'esp32', but CMakeCache.txt contains 'esp32s3'.",
        "  IDF_TARGET in CMake cache does not match IDF_TARGET environment variable.",
        "'/a/python' is currently active in the environment while the project was configured with '/b/python'.",
    ],
)
def test_a_cache_of_another_place_is_named(text: str) -> None:
    """In the words of CMake and of idf.py."""
    assert causes(text) == ["stale-cmake-cache"]


@pytest.mark.parametrize(
    "text",
    [
        '  ERROR: Some components (espressif__tinyusb) in the "managed_components"',
        "Component directory was modified on the disk since the last run of the CMake",
        "ERROR: File .component_hash or CHECKSUMS.json for component",
        'File .component_hash for component "espressif/tinyusb" in the managed components directory cannot be parsed.',
    ],
)
def test_a_changed_component_is_named(text: str) -> None:
    """However CMake has wrapped the message."""
    assert causes(text) == ["component-hash-mismatch"]


@pytest.mark.parametrize(
    ("cause", "text"),
    [
        ("component-lock-mismatch", 'ERROR: The hash sum of the component "a/b(1.2.3)" does not'),
        ("memory-region-overflow", "/opt/ld: region `iram0_0_seg' overflowed by 3312 bytes"),
        ("memory-region-overflow", "C:/t/ld.exe: region 'dram0_0_seg' overflowed by 1 byte"),
        ("memory-region-overflow", "RAM:   [===Error: The data size (400000 bytes) is greater than maximum allowed"),
        ("app-exceeds-partition", "Error: app partition is too small for binary lamp.bin size 0x1300a0:"),
        ("app-exceeds-partition", "Error: All app partitions are too small for binary lamp.bin size 0x1300a0:"),
        ("app-exceeds-partition", "Sketch too big; see https://support.arduino.cc/hc/ for tips on reducing it."),
        (
            "app-exceeds-partition",
            "Error: The program size (1340950 bytes) is greater than maximum allowed (1310720 bytes)",
        ),
        (
            "app-exceeds-partition",
            "Flash: [==========] Error: The program size (1442010 bytes) is greater than maximum allowed",
        ),
    ],
)
def test_what_does_not_fit_is_named(cause: str, text: str) -> None:
    """In the words of the component manager, the linker, ESP-IDF, Arduino and PlatformIO."""
    assert causes(text) == [cause]


def test_a_loader_that_answers_the_second_time_is_mended() -> None:
    """esptool was run again, and wrote; in vain before."""
    failed = "A fatal error occurred: Failed to connect to ESP32: No serial data received."
    assert causes(failed) == ["loader-does-not-answer"]
    assert causes("Project build complete. To flash, run:", failed) == ["loader-does-not-answer"]
    assert causes(failed, "Hash of data verified.") == []
    assert causes("Hash of data verified.", failed) == ["loader-does-not-answer"]


@pytest.mark.parametrize(
    "built",
    [
        "Project build complete. To flash, run:",
        "========================= [SUCCESS] Took 87.55 seconds =========================",
        "Sketch uses 227065 bytes (17%) of program storage space. Maximum is 1310720 bytes.",
    ],
)
def test_a_build_that_succeeds_has_mended_what_failed(built: str) -> None:
    """In the words of ESP-IDF, PlatformIO and Arduino."""
    failed = "Sketch too big; see https://support.arduino.cc/hc/ for tips on reducing it."
    assert causes(failed, built) == []
    assert causes(built, failed) == ["app-exceeds-partition"]


def test_by_how_much_an_app_is_too_large_is_evidence() -> None:
    """The partition that it overflows, beside the size of the app."""
    build = Build()
    for text in (
        "Error: app partition is too small for binary a.bin size 0x130000:",
        "  - Part 'f' 0/0 (overflow 0x30000)",
    ):
        build.hear(TextLine(text))
    assert [each.text for each in build.evidence()["app-exceeds-partition"]] == ["ESP-IDF says so", "by how much"]


def test_changed_line_ends_are_evidence_and_no_cause() -> None:
    """git's warning alone breaks no build; beside a wrong hash it says why."""
    warning = "warning: in the working copy of 'a.c', LF will be replaced by CRLF the next time Git touches it"
    assert causes(warning) == []
    build = Build()
    for text in (warning, "Component directory was modified on the disk since the last run of the CMake"):
        build.hear(TextLine(text))
    assert [evidence.text for evidence in build.evidence()["component-hash-mismatch"]] == [
        "git changes line endings here",
        "the component manager says so",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "main/usb.c:63:5: error: too few arguments to function 'esp_netif_dhcpc_option'",
        "main/usb.c:63:5: error: too many arguments to function \u2018esp_netif_dhcpc_option\u2019; expected 5, have 6",
        "main/usb.c:63:48: error: incompatible type for argument 3 of 'esp_netif_dhcpc_option'",
        "main/usb.c:63:5: error: implicit declaration of function 'esp_netif_dhcpc_option'",
        "main/usb.cpp:63:5: error: \u2018esp_netif_dhcpc_option\u2019 was not declared in this scope",
        "main/usb.c:63:48: warning: passing argument 2 of 'esp_netif_dhcpc_option' makes integer from pointer without",
        "esp_netif.h:613:25: note:   initializing argument 2 of 'esp_err_t esp_netif_dhcpc_option(esp_netif_t*, …)'",
    ],
)
def test_a_wrong_call_is_named(text: str) -> None:
    """In the words of GCC for C and for C++."""
    assert causes(text) == ["dhcpc-option-misused"]


@pytest.mark.parametrize(
    "text",
    [
        "main/usb.c:63:5: error: expected ';' before 'esp_netif_dhcpc_option'",
        "main/usb.c:63:5: error: unused variable 'x' near esp_netif_dhcpc_option",
        "main/usb.c:63:5: warning: 'esp_netif_dhcpc_option' is deprecated",
        "main/usb.c:63:5: warning: implicit declaration of function 'esp_netif_dhcpc_option'",
        "main/usb.c:63:5: warning: passing argument 2 of 'esp_netif_dhcps_option' makes integer from pointer",
        "ls: idf.py: No such file or directory",
        "/usr/bin/env: 'perl': No such file or directory",
        "python: can't open file '/home/a/tools/idf.py': [Errno 2] No such file or directory",
    ],
)
def test_a_line_beside_such_a_failure_is_none(text: str) -> None:
    """The name alone, in an error of the line before or in a note, shows no wrong call; nor does another program."""
    assert causes(text) == []


def test_a_call_that_only_warns_is_wrong_in_a_build_that_succeeds_too() -> None:
    """It mends what failed, and not what it warned of itself; a later build has not warned."""
    warned = "main/usb.c:63:48: warning: passing argument 2 of 'esp_netif_dhcpc_option' makes integer from pointer"
    refused = "main/usb.c:63:5: error: too few arguments to function 'esp_netif_dhcpc_option'"
    built = "Project build complete. To flash, run:"
    assert causes(warned, built) == ["dhcpc-option-misused"]
    assert causes(warned, built, built) == []
    build = Build()
    for text in (refused, warned, built):
        build.hear(TextLine(text))
    (evidence,) = build.evidence()["dhcpc-option-misused"]
    assert evidence.text == "the compiler warns of an argument"


def test_a_build_that_succeeds_has_mended_what_failed_before() -> None:
    """Only what failed since counts."""
    failed, built = "bash: idf.py: command not found", "Project build complete. To flash, run:"
    assert causes(failed, built) == []
    assert causes(built, failed) == ["esp-idf-not-exported"]
