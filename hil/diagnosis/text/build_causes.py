"""Why a build of ESP-IDF firmware fails before or beside the compiler, and the lines that show it."""

from hil.diagnosis.loader_signatures import LOADER_SIGNATURES
from hil.diagnosis.text.board_causes import TOO_BIG
from hil.diagnosis.text.clue import Cause, Clue, clue

ENVIRONMENT, CACHE, HASH, LOCK, OPTION, REGION, UNANSWERED = (
    "esp-idf-not-exported",
    "stale-cmake-cache",
    "component-hash-mismatch",
    "component-lock-mismatch",
    "dhcpc-option-misused",
    "memory-region-overflow",
    "loader-does-not-answer",
)

BUILD_CAUSES: tuple[Cause, ...] = (
    Cause(
        name=ENVIRONMENT,
        title="ESP-IDF's environment is not set up in this shell",
        cause="export.sh (export.bat, export.ps1) was not sourced here, or install.sh never made the Python "
        "environment that it looks for, or made it for another version.",
        remedy="run `. $IDF_PATH/export.sh` in the same shell before idf.py; where it names a missing environment or "
        "Python requirements, run install.sh of that ESP-IDF first. An editor needs IDF_PATH in its own settings.",
        source="ESP-IDF tools/idf.py and docs, Get Started: set up the environment variables",
    ),
    Cause(
        name=CACHE,
        title="the build directory was configured elsewhere or otherwise",
        cause="CMakeCache.txt holds the absolute paths, the target, the generator and the Python of the "
        "configuration before: the project was moved or copied, or one of them has changed.",
        remedy="run `idf.py fullclean` (or remove build/) and build again; do not commit build/ or share it between "
        "a container and its host.",
        source="CMake cmCacheManager and cmake; ESP-IDF tools/idf_py_actions/tools.py, ensure_build_directory",
    ),
    Cause(
        name=HASH,
        title="a managed component is not what its .component_hash says",
        cause="a file below managed_components was changed: by an edit, or, where nobody edited anything, by git "
        "turning LF into CRLF (core.autocrlf) in a repository that holds managed_components.",
        remedy="remove managed_components/ and build again; keep it out of git, or give it `* -text` in "
        ".gitattributes; move a component that you mean to change to components/.",
        source="espressif/idf-component-manager idf_component_tools/hash_tools and core.py; its issues 15 and 18",
    ),
    Cause(
        name=LOCK,
        title="a component of the registry is not what dependencies.lock says",
        cause="the lock file names another content for that version: it was merged or edited, comes from another "
        "registry or mirror, or the download is not the original.",
        remedy="look at who changed dependencies.lock; if it is to be made anew, remove it and managed_components/ "
        "and build again.",
        source="espressif/idf-component-manager idf_component_manager/dependencies.py; espressif/esp-box issue 108",
    ),
    Cause(
        name=REGION,
        title="the program does not fit into a memory of the chip",
        cause="the linker's region that is named is full: iram0 holds interrupt handlers and code in IRAM_ATTR, dram0 "
        "static data and buffers, irom and drom are the flash that an app can map.",
        remedy="`idf.py size-components` tells who takes it (it reads the map file of the failed link, too); then see "
        "ESP-IDF docs, Minimizing RAM Usage: buffers on the heap or in PSRAM, options that place code in IRAM, -Os.",
        source="GNU ld; ESP-IDF docs, Minimizing RAM Usage and Memory Types",
    ),
    *(
        Cause(each.name, each.title, each.cause, each.remedy, each.source)
        for each in LOADER_SIGNATURES
        if each.name == UNANSWERED
    ),
)
"""``dhcpc-option-misused`` and ``app-exceeds-partition`` are a board's causes too, and described there."""

_CALL = r"esp_netif_dhcpc_option\b"
_REFUSED = rf"\berror: (?:.*\b(?:function|argument|declaration)\b.*{_CALL}|\W{_CALL}\W was not declared)"

WARNED = clue(
    OPTION,
    "the compiler warns of an argument",
    "esp_netif_dhcpc_option",
    rf"\bwarning: passing argument [0-9] of \W{_CALL}",
)
"""A build with such a call succeeds."""
BUILD_CLUES: tuple[Clue, ...] = (
    clue(
        ENVIRONMENT, "make does not find idf.py", "idf.py", r"^make(?:\[[0-9]+\])?: idf\.py: No such file or directory$"
    ),
    clue(ENVIRONMENT, "IDF_PATH is empty", "'/tools/idf.py'", r"can't open file '/tools/idf\.py'"),
    clue(
        ENVIRONMENT, "idf.py's interpreter is not found", "/usr/bin/env: ", r"^/usr/bin/env: \W?python\W?: No such file"
    ),
    clue(ENVIRONMENT, "the shell does not know idf.py", "idf.py", r"(?:^|[:\s])idf\.py: (?:command )?not found$"),
    clue(ENVIRONMENT, "the shell does not know idf.py", "idf.py", r"(?:command not found|Unknown command): idf\.py$"),
    clue(ENVIRONMENT, "the shell does not know idf.py", "idf.py", r"'idf\.py' is not recognized as"),
    clue(ENVIRONMENT, "IDF_PATH is empty", "/tools/cmake/project.cmake", r"(?:^|\s)/tools/cmake/project\.cmake$"),
    clue(ENVIRONMENT, "IDF_PATH is not set", "IDF_PATH", r"IDF_PATH'? (?:is not set|must be set)"),
    clue(ENVIRONMENT, "idf.py says so", "was not spawned within an ESP-IDF shell"),
    clue(
        ENVIRONMENT,
        "its Python is missing",
        "ESP-IDF Python virtual env",
        r"ESP-IDF Python virtual environment .*not found",
    ),
    clue(ENVIRONMENT, "env does not find idf.py", "idf.py", r"^(?:/usr/bin/)?env: \W?idf\.py\W?: No such file"),
    clue(ENVIRONMENT, "idf.py says so", "The IDF_PYTHON_ENV_PATH is missing in environment"),
    clue(ENVIRONMENT, "export.sh says so", " has no installed versions", r"^ERROR: tool \S+ has no installed versions"),
    clue(
        ENVIRONMENT,
        "CMake does not find the compiler",
        "-elf-g",
        r"^(?:\[cmake\])?\s+(?:xtensa-esp\w*-elf|riscv32-esp-elf)-g(?:cc|\+\+)$",
    ),
    clue(ENVIRONMENT, "its Python lacks packages", "Python requirements are not satisfied"),
    clue(
        ENVIRONMENT,
        "the shell does not know the compiler",
        "-elf-g",
        r"(?:xtensa-esp\w+|xtensa-esp-elf|riscv32-esp)-elf-g(?:cc|\+\+): (?:command )?not found$",
    ),
    clue(
        CACHE,
        "CMake says so",
        "CMakeCache.txt directory",
        r"The current CMakeCache\.txt directory .* is different than",
    ),
    clue(CACHE, "CMake says so", "used to generate cache", r"does not match the source .* used to generate cache"),
    clue(CACHE, "CMake says so", "not match the generator used previously"),
    clue(CACHE, "idf.py says so", "Build directory '", r"Build directory '.*' configured for project '.*' not '"),
    clue(CACHE, "idf.py says so", "Build is configured for generator '"),
    clue(CACHE, "idf.py says so", "Target settings are not consistent:"),
    clue(CACHE, "ESP-IDF says so", "in CMake cache does not match", r"^\s*IDF_TARGET in CMake cache does not match"),
    clue(CACHE, "idf.py says so", "but CMakeCache.txt contains '"),
    clue(CACHE, "idf.py says so", "active in the environment while the project was configured with"),
    clue(HASH, "the component manager says so", "Some components (", r"Some components \([^)]+\) in the"),
    clue(HASH, "the component manager says so", "Component directory was modified on the disk"),
    clue(
        HASH,
        "the component manager says so",
        "File .component_hash ",
        r"File \.component_hash (?:or \S+ )?for component",
    ),
    clue(
        LOCK,
        "the component manager says so",
        "The hash sum of the component",
        r"The hash sum of the component .+ does not",
    ),
    clue("", "git changes line endings here", "replaced by", r"(?:CRLF|LF) will be replaced by (?:CRLF|LF)"),
    clue(OPTION, "the compiler refuses the call", "esp_netif_dhcpc_option", _REFUSED),
    clue(
        OPTION,
        "the compiler refuses an argument",
        "esp_netif_dhcpc_option",
        rf"\binitializing argument [0-9] of .*{_CALL}",
    ),
    WARNED,
    clue(REGION, "the linker says so", "overflowed by", r"\bregion [`'][a-z]\w+' overflowed by [0-9]+ bytes?"),
    clue(
        REGION,
        "PlatformIO says so",
        "greater than maximum allowed",
        r"\bError: The data size \([0-9]+ bytes\) is greater than",
    ),
    clue(
        TOO_BIG,
        "ESP-IDF says so",
        "too small for binary",
        r"^Error: (?:app partition is|All app partitions are) too small",
    ),
    clue(TOO_BIG, "by how much", "(overflow 0x", r"^\s*- Part '.+' .*\(overflow 0x[0-9a-f]+\)"),
    clue(
        UNANSWERED,
        "esptool says so",
        "Failed to connect to ESP",
        r"^(?:A fatal error occurred|esptool\.util\.FatalError): Failed to connect to ESP",
    ),
    clue(TOO_BIG, "Arduino says so", "Sketch too big; see ", r"^Sketch too big; see "),
    clue(
        TOO_BIG,
        "PlatformIO says so",
        "greater than maximum allowed",
        r"\bError: The program size \([0-9]+ bytes\) is greater than",
    ),
)
BUILT = ("Project build complete", "[SUCCESS] Took ", "Sketch uses ")
"""With such a line of ESP-IDF, PlatformIO or Arduino a build has been linked; what failed before has been mended."""
FLASHED = "Hash of data verified"
"""With this one of esptool a loader has answered after all."""
