from hil.expect import Expectation, Ledger
from hil.expect.steps import never, within
from hil.timeline.events import Carrier, UsbAttached


def test_an_expectation_that_nobody_judged_is_named_with_its_place():
    """The message lists file, line and sentence of each."""
    ledger = Ledger()
    one = ledger.open(Expectation([UsbAttached(), Carrier(up=True)], 0, 5), "tests/test_replug.py:31")
    two = ledger.open(Expectation([within(never(Carrier()), 2)], 0), "tests/test_replug.py:40")
    assert [entry.where for entry in ledger.unjudged()] == ["tests/test_replug.py:31", "tests/test_replug.py:40"]
    assert ledger.complaint() == (
        "2 expectations were opened and never judged; wait for it or leave its 'with' block:\n"
        "  tests/test_replug.py:31: UsbAttached(), Carrier(up=True)\n"
        "  tests/test_replug.py:40: within(never(Carrier()), 2.0)"
    )
    one.judged = True
    assert ledger.complaint().startswith("1 expectation was opened and never judged")
    two.judged = True
    assert ledger.unjudged() == []
    assert ledger.complaint() == ""
