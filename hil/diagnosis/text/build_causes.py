"""Why a build of ESP-IDF firmware fails before or beside the compiler, and the lines that show it."""

from hil.diagnosis.text.clue import Cause, Clue, clue

ENVIRONMENT, CACHE, HASH, OPTION = (
    "esp-idf-not-exported",
    "stale-cmake-cache",
    "component-hash-mismatch",
    "dhcpc-option-misused",
)

BUILD_CAUSES: tuple[Cause, ...] = (
    Cause(
        name=ENVIRONMENT,
        title="ESP-IDF's environment is not set up in this shell",
        cause="export.sh (export.bat, export.ps1) was not sourced here, or install.sh never made the Python "
        "environment that it looks for.",
        remedy="run `. $IDF_PATH/export.sh` in the same shell before idf.py; where it names a missing environment, "
        "run install.sh of that ESP-IDF first.",
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
)
"""``dhcpc-option-misused`` is a board's cause too, and described there."""

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
    clue(ENVIRONMENT, "IDF_PATH is empty", "/tools/cmake/project.cmake", r"^\s+/tools/cmake/project\.cmake$"),
    clue(ENVIRONMENT, "IDF_PATH is not set", "IDF_PATH", r"IDF_PATH'? (?:is not set|must be set)"),
    clue(ENVIRONMENT, "idf.py says so", "was not spawned within an ESP-IDF shell"),
    clue(
        ENVIRONMENT,
        "its Python is missing",
        "ESP-IDF Python virtual env",
        r"ESP-IDF Python virtual environment .*not found",
    ),
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
    clue(CACHE, "idf.py says so", "but CMakeCache.txt contains '"),
    clue(CACHE, "idf.py says so", "active in the environment while the project was configured with"),
    clue(HASH, "the component manager says so", "Some components (", r"Some components \([^)]+\) in the"),
    clue(HASH, "the component manager says so", "Component directory was modified on the disk"),
    clue(HASH, "the component manager says so", "File .component_hash for component"),
    clue("", "git changes line endings here", "replaced by", r"(?:CRLF|LF) will be replaced by (?:CRLF|LF)"),
    clue(OPTION, "the compiler refuses the call", "esp_netif_dhcpc_option", _REFUSED),
    clue(
        OPTION,
        "the compiler refuses an argument",
        "esp_netif_dhcpc_option",
        rf"\binitializing argument [0-9] of .*{_CALL}",
    ),
    WARNED,
)
BUILT = "Project build complete"
"""After this line the build has succeeded; what failed before has been mended."""
