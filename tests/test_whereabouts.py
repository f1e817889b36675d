"""Whether a process runs in the machine."""

from hil.whereabouts import emulated, inside, whereabouts


def test_a_command_in_the_machine_knows_it() -> None:
    """By the environment that it was started with."""
    assert inside({"HIL_BENCH_HOST": "tcg"})
    assert not inside({})
    assert whereabouts({"HIL_BENCH_HOST": "tcg"}).startswith("a virtual machine (TCG), kernel ")
    assert whereabouts({}).startswith("this machine, kernel ")


def test_only_tcg_emulates() -> None:
    """KVM's instructions are the processor's."""
    assert emulated({"HIL_BENCH_HOST": "tcg"})
    assert not emulated({"HIL_BENCH_HOST": "kvm"})
    assert not emulated({})
