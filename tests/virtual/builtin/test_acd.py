"""Faults of a static address: each makes one mistake of the core, and no two the same."""

import pytest

from hil.virtual.builtin.acd import ACD_FAULTS, AcdFault
from hil.virtual.core_abi import FirmwareConfig


@pytest.mark.parametrize("fault", ACD_FAULTS, ids=lambda fault: fault.name)
def test_a_fault_throws_its_switch_and_no_other(fault: type[AcdFault]) -> None:
    """Everything else of the build stays as it is."""
    made = fault({}).configure(FirmwareConfig())
    changed = {name for name, value in vars(made).items() if value != getattr(FirmwareConfig(), name)}
    assert changed == {fault.mistake}


def test_no_two_faults_make_the_same_mistake() -> None:
    """Each has a switch of its own."""
    assert len({fault.mistake for fault in ACD_FAULTS}) == len(ACD_FAULTS)
