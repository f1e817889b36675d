"""The shape of the tree: tests mirror modules, and `hil` exports exactly what it says."""

import importlib
from pathlib import Path

import hil
from hil.timeline.events import REGISTRY

REPOSITORY = Path(__file__).parents[1]
THROUGH = {
    "agent/checks.py": "agent/test_protocol.py",
    "agent/server/machine.py": "agent/server/test_operations.py",
    "agent/server/rtnetlink.py": "agent/server/test_namespaces.py",
    "agent/server/sessions.py": "agent/server/test_operations.py",
    "agent/places.py": "launcher/test_launch.py",
    "agent/replies.py": "agent/test_client.py",
    "agent/spawning.py": "agent/test_client.py",
    "board/interfaces.py": "device/test_usb_board.py",
    "catalogue/claims.py": "test_catalogue.py",
    "catalogue/client.py": "test_catalogue.py",
    "catalogue/connect.py": "test_catalogue.py",
    "catalogue/entry.py": "test_catalogue.py",
    "catalogue/leaving.py": "test_catalogue.py",
    "catalogue/loader.py": "test_catalogue.py",
    "catalogue/pitfalls.py": "test_faults_page.py",
    "catalogue/scenarios.py": "test_catalogue.py",
    "catalogue/static_address.py": "test_catalogue.py",
    "device/bus_sleep.py": "device/test_usb_board.py",
    "device/chip.py": "device/test_usb_board.py",
    "device/loader_failures.py": "device/test_bootloader.py",
    "device/open_bench.py": "proofs/test_faults.py",
    "device/presence.py": "device/test_usb_board.py",
    "diagnosis/acd_life.py": "diagnosis/test_acd_signatures.py",
    "diagnosis/acd_timing.py": "diagnosis/test_acd_signatures.py",
    "diagnosis/finding.py": "diagnosis/test_signatures.py",
    "diagnosis/signature.py": "diagnosis/test_signatures.py",
    "diagnosis/text/board_causes.py": "diagnosis/text/test_board_clues.py",
    "diagnosis/text/boot.py": "diagnosis/text/test_story.py",
    "diagnosis/text/build_causes.py": "diagnosis/text/test_build.py",
    "diagnosis/text/clue.py": "diagnosis/text/test_board_clues.py",
    "diagnosis/text/incident.py": "diagnosis/text/test_story.py",
    "diagnosis/window.py": "diagnosis/test_signatures.py",
    "errors.py": "plugin/test_plugin.py",
    "net/interface_runner.py": "net/test_persona_runner.py",
    "personas/client_profile.py": "personas/test_dhcp_client.py",
    "personas/commands.py": "personas/test_dhcp_client.py",
    "personas/ios.py": "personas/test_apple.py",
    "personas/macos.py": "personas/test_apple.py",
    "personas/states.py": "personas/test_dhcp_client.py",
    "evidence.py": "plugin/test_reporting.py",
    "plugin/fixtures.py": "proofs/test_faults.py",
    "plugin/loading.py": "plugin/test_startup.py",
    "plugin/marker.py": "plugin/test_plugin.py",
    "plugin/options.py": "plugin/test_plugin.py",
    "power/hub_port.py": "device/test_usb_board.py",
    "power/virtual.py": "power/test_virtual_control.py",
    "toml_table.py": "test_bench.py",
    "virtual/board_parts.py": "virtual/test_board.py",
    "virtual/builtin/send.py": "virtual/test_faults.py",
    "virtual/rom/commands.py": "virtual/rom/test_rom_loader.py",
    "virtual/points.py": "virtual/test_board.py",
    "virtual/ipstack/interface.py": "virtual/ipstack/test_kernel_stack.py",
    "virtual/ipstack/links.py": "virtual/ipstack/test_kernel_stack.py",
    "virtual/ipstack/netns.py": "virtual/ipstack/test_kernel_stack.py",
    "virtual/ipstack/tap.py": "virtual/ipstack/test_kernel_stack.py",
    "virtual/seen.py": "virtual/test_device_events.py",
    "virtual/usb/application.py": "virtual/usb/test_device.py",
    "virtual/usb/firmware_device.py": "virtual/usb/test_device.py",
    "virtual/usb/function.py": "virtual/usb/test_device.py",
    "virtual/usb/hooks.py": "virtual/usb/test_device.py",
}
"""Modules that are tested through another one, and where."""


def modules() -> list[str]:
    """Every module that is not a package's own file or a fake, relative to hil/."""
    root = REPOSITORY / "hil"
    found = (path.relative_to(root) for path in root.rglob("*.py"))
    return sorted(str(path) for path in found if not path.name.startswith("__") and path.parts[0] != "testing")


def test_every_module_has_its_test() -> None:
    """hil/<room>/<name>.py has tests/<room>/test_<name>.py, or stands in THROUGH."""
    mirrored = {module: str(Path(module).with_name(f"test_{Path(module).name}")) for module in modules()}
    missing = [m for m, test in mirrored.items() if not (REPOSITORY / "tests" / THROUGH.get(m, test)).exists()]
    assert missing == []


def test_the_exceptions_are_still_exceptions() -> None:
    """A module that has got a test of its own, or has gone, does not stay in THROUGH."""
    assert [module for module in THROUGH if module not in modules()] == []
    mirrored = [Path(module).with_name(f"test_{Path(module).name}") for module in THROUGH]
    assert [str(test) for test in mirrored if (REPOSITORY / "tests" / test).exists()] == []


def test_exported_names_are_there_once() -> None:
    """Each name of `hil.__all__` can be had and stands there once; ruff keeps them sorted."""
    assert len(set(hil.__all__)) == len(hil.__all__)
    for name in hil.__all__:
        assert getattr(hil, name) is not None


def test_every_event_can_be_imported_from_hil() -> None:
    """A test author types every event without knowing where it lives."""
    assert set(REGISTRY) - set(hil.__all__) == set()


def test_every_home_of_an_export_is_a_module() -> None:
    """The lazy imports point at modules that exist."""
    for home in hil._HOMES:
        assert importlib.import_module(home).__name__ == home
