"""One verdict for each claim: what was said, what was not, and what cannot be told."""

from dataclasses import replace

import pytest

from hil.agent.replies import Done
from hil.clock import to_ns
from hil.device.testimony import Evidence, Finding, LogReading, Verdict, judge
from hil.profiles import Profile, load
from hil.profiles.claims import Claim
from hil.profiles.http import Http
from hil.profiles.profile import Log
from hil.profiles.witnesses import EventLog, Flags
from hil.timeline.events import BoardSaid
from hil.wire.board_status import Garbled

REFERENCE = load("reference")
BRIDGE = load("mcu-apple-bridge")
SINCE = Done(to_ns(100.0), 0)
MADE, MISSING, CONTRADICTED, OPEN = Finding.MADE, Finding.MISSING, Finding.CONTRADICTED, Finding.OPEN


def said(name: str, at_s: float, ms: int = -1, err_s: float = 0.001, via: str = "events") -> BoardSaid:
    """The board said so, by the host's time and by its own."""
    source = "http" if via == "events" else via
    return BoardSaid(name, "", ms, via, board="b", source=source, t_ns=to_ns(at_s), t_err_ns=to_ns(err_s))


def verdict(
    name: str, *entries: BoardSaid, profile: Profile = REFERENCE, heard: tuple[BoardSaid, ...] = (), **log: object
) -> Verdict:
    """The verdict where the event log has these entries and the timeline them and what was heard besides."""
    reading = replace(LogReading(said=entries), **log)
    return judge(name, Evidence(profile, SINCE, [*heard, *entries], reading))


# ---- said -------------------------------------------------------------------------------------------


def test_what_was_said_since_then_is_made() -> None:
    """The verdict has the event."""
    entry = said("USB_MOUNTED", 101.0, 663)
    assert verdict("USB_MOUNTED", entry) == Verdict("USB_MOUNTED", MADE, "", entry)


def test_what_was_said_before_is_not_made() -> None:
    """Neither by the event log nor by the serial log."""
    assert verdict("USB_MOUNTED", said("USB_MOUNTED", 99.0)).finding is MISSING
    assert verdict("USB_MOUNTED", heard=(said("USB_MOUNTED", 99.0, via="serial"),)).finding is MISSING


def test_what_is_too_close_to_call_is_made() -> None:
    """Their error bounds touch."""
    assert verdict("USB_MOUNTED", said("USB_MOUNTED", 99.9, err_s=0.1)).finding is MADE


def test_what_is_dated_within_a_run_only_is_open() -> None:
    """It may be of an earlier cable cycle."""
    found = verdict("USB_MOUNTED", said("USB_MOUNTED", 90.0, err_s=20.0))
    assert (found.finding, found.reason) == (OPEN, "its time is known to ±20.0 s only")


def test_a_log_without_host_time_proves_nothing() -> None:
    """Unless the boot is younger than the question."""
    entry = said("USB_MOUNTED", 100.0, err_s=5.0)
    found = verdict("USB_MOUNTED", entry, undated=True)
    assert (found.finding, found.reason.split(";")[0]) == (
        OPEN,
        "profile reference got no uptime from http.version",
    )
    assert verdict("USB_MOUNTED", entry, undated=True, born_ns=SINCE.t_ns).finding is MADE


def test_a_misleading_claim_is_judged_for_what_it_says() -> None:
    """It has to be made, and what it does not prove is named."""
    found = verdict("DHCP_OFFER_TX", said("DHCP_OFFER_TX", 101.0), profile=BRIDGE)
    assert found.finding is MADE
    assert found.reason.startswith("it says no more than that a datagram from port 67 to port 68 was about to be")
    assert "OFFER, ACK and NAK are all called so" in found.reason
    assert verdict("DHCP_OFFER_TX", profile=BRIDGE).finding is MISSING


# ---- never said -------------------------------------------------------------------------------------


def test_a_profile_that_does_not_claim_it_leaves_it_open() -> None:
    """By the profile's name."""
    found = verdict("USB_MOUNTED", profile=load("generic"))
    assert (found.finding, found.reason) == (OPEN, "profile generic does not claim it")


def test_what_is_declared_and_never_said_is_open() -> None:
    """A flag without a call site is no failure of the board, whatever it reads."""
    for flags in ({}, {"DHCP_ASSIGNED": False}):
        found = verdict("DHCP_ASSIGNED", profile=BRIDGE, flags=flags)
        assert found.finding is OPEN
        assert found.reason == (
            "the firmware never says it: declared in event_log.h, recorded nowhere (network_setup.c, event_log.h)"
        )


# ---- silence ----------------------------------------------------------------------------------------


def test_a_full_log_proves_no_absence() -> None:
    """It may have been said and thrown away; what is there still counts."""
    entry = said("USB_MOUNTED", 101.0)
    assert verdict("USB_RESUMED", entry, full=True) == Verdict("USB_RESUMED", OPEN, "the board's event log is full")
    assert verdict("USB_MOUNTED", entry, full=True).finding is MADE


def test_a_log_that_was_locked_or_cut_proves_no_absence() -> None:
    """The reason is the reading's."""
    assert (
        verdict("USB_RESUMED", unsure="the board's event log was locked").reason == "the board's event log was locked"
    )


def test_a_flag_that_was_never_set_proves_absence_whatever_the_log_lost() -> None:
    """The flag is set even where the list has no room."""
    assert verdict("USB_RESUMED", full=True, flags={"USB_RESUMED": False}).finding is MISSING


def test_a_flag_of_an_earlier_cable_cycle_is_not_of_the_present_one() -> None:
    """It stands since boot; the log that would tell is full."""
    found = verdict("USB_RESUMED", profile=BRIDGE, full=True, flags={"USB_RESUMED": True})
    assert (found.finding, found.reason) == (
        OPEN,
        "the board's event log is full; its flag is set and may be of an earlier cable cycle",
    )


def test_a_flag_of_a_boot_that_is_younger_is_of_the_present_cycle() -> None:
    """Then the flag itself makes the claim, though it has no time."""
    found = verdict("USB_RESUMED", full=True, flags={"USB_RESUMED": True}, born_ns=SINCE.t_ns)
    assert (found.finding, found.said) == (MADE, None)
    older = verdict("USB_RESUMED", full=True, flags={"USB_RESUMED": True}, born_ns=SINCE.t_ns - 1)
    assert older.finding is OPEN


def test_a_flag_that_is_the_state_of_now_says_nothing_of_before() -> None:
    """Neither set nor clear."""
    now = replace(REFERENCE, flags=replace(REFERENCE.flags, since_boot=False))
    for value in (True, False):
        found = verdict("USB_RESUMED", profile=now, full=True, flags={"USB_RESUMED": value}, born_ns=SINCE.t_ns)
        assert (found.finding, found.reason) == (OPEN, "the board's event log is full")


def test_a_ring_that_reaches_back_to_the_question_is_complete() -> None:
    """A log that keeps the last entries has lost only what is older than its oldest."""
    ring = replace(REFERENCE, events=replace(REFERENCE.events, keeps="last"))
    assert verdict("USB_RESUMED", said("USB_MOUNTED", 99.0), profile=ring, full=True).finding is MISSING
    assert verdict("USB_RESUMED", said("USB_MOUNTED", 101.0), profile=ring, full=True).finding is OPEN


def test_what_is_said_once_in_each_boot_is_not_said_again() -> None:
    """A replug that was no reboot brings no second NETIF_READY."""
    entry = said("NETIF_READY", 50.0, 485)
    found = verdict("NETIF_READY", entry, flags={"NETIF_READY": True})
    assert (found.finding, found.reason) == (
        OPEN,
        "it is said once in each boot, in this one at 485 ms of the board's time",
    )
    assert verdict("NETIF_READY", flags={"NETIF_READY": False}).finding is MISSING
    assert verdict("NETIF_READY", born_ns=SINCE.t_ns).finding is MISSING


def test_what_is_said_once_after_another_claim_waits_for_that() -> None:
    """The bridge's FIRST_RX comes again after an unmount only; the reference's after every mount."""
    first, mounted = said("FIRST_RX", 50.0, 974), said("USB_MOUNTED", 101.0, 51_000)
    found = verdict("FIRST_RX", first, mounted, profile=BRIDGE)
    assert (found.finding, found.reason) == (
        OPEN,
        "it is said once after each USB_UNMOUNTED, last at 974 ms of the board's time",
    )
    unmounted = said("USB_UNMOUNTED", 99.0, 50_000)
    assert verdict("FIRST_RX", first, unmounted, mounted, profile=BRIDGE).finding is MISSING
    assert verdict("FIRST_RX", first, mounted).finding is MISSING
    assert verdict("FIRST_RX", first).finding is OPEN


def test_silence_that_means_nothing_is_open() -> None:
    """A pulled cable is no unmount."""
    found = verdict("USB_UNMOUNTED", flags={"USB_UNMOUNTED": False}, profile=BRIDGE)
    assert (found.finding, found.reason.split(":")[0]) == (OPEN, "a pulled cable is no unmount")


def test_a_log_that_loses_lines_proves_no_absence() -> None:
    """What only the serial log says may have been cut; a log that loses nothing proves it."""
    found = verdict("TX_FAILED", profile=BRIDGE)
    assert (found.finding, found.reason) == (OPEN, "only the serial log says it, and lines of that can be lost")
    complete = replace(BRIDGE, log=Log(complete=True))
    assert verdict("TX_FAILED", profile=complete).finding is MISSING


def test_what_only_a_flag_says_has_no_time() -> None:
    """Set, it may be old; clear, it was never said."""
    mine = Profile("mine", claims=(Claim("UP", "UP"),), flags=Flags(("UP",)), http=Http(status="/status"))
    found = verdict("UP", profile=mine, flags={"UP": True})
    assert (found.finding, found.reason) == (
        OPEN,
        "only its flag says it, and that may be of an earlier cable cycle",
    )
    assert verdict("UP", profile=mine, flags={"UP": False}).finding is MISSING
    assert verdict("UP", profile=mine, flags={"UP": True}, born_ns=SINCE.t_ns).finding is MADE


# ---- lies -------------------------------------------------------------------------------------------

LIES: list[tuple[dict[str, object], str]] = [
    ({"flags": {"USB_MOUNTED": True}}, "its flag says that it was, its event log of the same boot does not have it"),
    ({"impossible": {"USB_MOUNTED": "stamped 9 ms, which is still to come"}}, "stamped 9 ms, which is still to come"),
    ({"garbled": (Garbled("[ 1ms] USB_MOUNTED", "line 3: …"),)}, "line 3: …"),
]


@pytest.mark.parametrize(("log", "reason"), LIES)
def test_a_lie_costs_that_claim_alone(log: dict[str, object], reason: str) -> None:
    """The others are judged as if it had not been told."""
    entry = said("FIRST_RX", 101.0, 974)
    assert verdict("USB_MOUNTED", entry, **log) == Verdict("USB_MOUNTED", CONTRADICTED, reason)
    assert verdict("FIRST_RX", entry, **log).finding is MADE
    assert verdict("USB_RESUMED", entry, **log).finding is MISSING


def test_an_entry_that_the_flag_denies_is_a_lie() -> None:
    """One of the two is wrong; which cannot be told."""
    found = verdict("USB_MOUNTED", said("USB_MOUNTED", 101.0, 663), flags={"USB_MOUNTED": False})
    assert (found.finding, found.reason) == (
        CONTRADICTED,
        "its event log has it at 663 ms of the board's time, its flag says that it never was",
    )


def test_a_garbled_line_is_of_the_claim_that_it_names() -> None:
    """Not of one whose name is part of another's, nor of one that was said all the same."""
    garbled = (Garbled("[ 1ms] DHCP_FIRST_RX", "line 3: …"),)
    assert verdict("FIRST_RX", garbled=garbled).finding is MISSING
    named = (Garbled("FIRST_RX: MAYBE", "line 9: …"),)
    assert verdict("FIRST_RX", garbled=named).finding is CONTRADICTED
    assert verdict("FIRST_RX", said("FIRST_RX", 101.0), garbled=named).finding is MADE


def test_a_flag_that_a_full_log_cannot_confirm_is_no_lie() -> None:
    """Nor one that was read later, nor one of a claim that the event log never has."""
    later = verdict("USB_MOUNTED", flags_later=True, flags={"USB_MOUNTED": True})
    assert (later.finding, later.reason.split(",")[0]) == (OPEN, "its flag is set")
    assert verdict("USB_MOUNTED", full=True, flags={"USB_MOUNTED": True}).finding is OPEN
    mine = Profile(
        "mine",
        claims=(Claim("UP", "UP", pattern="up", log_only=True),),
        flags=Flags(("UP",)),
        http=Http(events="/events"),
        events=EventLog(when_full="never"),
    )
    found = verdict("UP", profile=mine, flags={"UP": True})
    assert (found.finding, found.reason) == (
        OPEN,
        "only the serial log says it, and lines of that can be lost; "
        "its flag is set and may be of an earlier cable cycle",
    )
