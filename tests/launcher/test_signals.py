"""Signals as bytes."""

import os
import select
import signal
import threading

from hil.launcher.signals import SignalInbox, Stopped


def test_a_signal_can_be_read_and_does_nothing_else() -> None:
    """Inside the block it arrives as a number; afterwards the old handler is back."""
    before = signal.getsignal(signal.SIGHUP)
    with SignalInbox() as inbox:
        assert inbox.take() == []
        os.kill(os.getpid(), signal.SIGHUP)
        assert select.select([inbox.socket], [], [], 5.0)[0]
        assert inbox.take() == [signal.SIGHUP]
    assert signal.getsignal(signal.SIGHUP) is before


def test_another_thread_gets_none() -> None:
    """Python allows handlers in the main thread only; the block works all the same."""
    taken: list[list[int]] = []

    def body() -> None:
        with SignalInbox() as inbox:
            taken.append(inbox.take())

    thread = threading.Thread(target=body)
    thread.start()
    thread.join(5.0)
    assert taken == [[]]


def test_the_status_is_a_shells() -> None:
    """128 and the signal's number."""
    assert Stopped(signal.SIGINT).status == 130
