"""The faults that the harness must see: what is wrong, where it was seen, which finding which scenario must bring out.

One table for `hil faults`, for the proofs in tests/proofs and for docs/faults.md. It is data: the faults themselves are
in hil.virtual.builtin, the findings in hil.diagnosis.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Proof:
    """One run on a faulty board: when the fault begins, and what is run."""

    begins: str
    """What follows the fault's name in ``--hil-virtual-fault``, such as 'from_boot=2'; '' for from the start."""
    scenarios: tuple[str, ...]
    """Files of tests/hil, or ``file::test`` in them, in the order in which they run; the last one finds the fault."""
    passes_before: int = 0
    """Tests that pass before the fault is found."""
    options: tuple[str, ...] = ()
    """Further options of pytest."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One fault."""

    fault: str
    """Its name for ``--hil-virtual-fault``."""
    wrong: str
    """What the board or the cable does."""
    seen_in: str
    """Firmware, issue or specification where it was met."""
    finding: str
    """Name of the one finding that must come out."""
    proofs: tuple[Proof, ...]
    """At two timings at least; the first one is in `make test`, the others in `make soak`."""

    @property
    def scenarios(self) -> tuple[str, ...]:
        """Those that find it, each once."""
        return tuple(dict.fromkeys(proof.scenarios[-1] for proof in self.proofs))


CONNECT, REPLUG, SUSPEND = "test_connect.py", "test_replug.py", "test_suspend.py"
LISTENING = "test_terminal.py::test_log_flows_to_a_terminal"
WAITING_LOG = "test_terminal.py::test_log_that_has_to_wait_comes_whole"
ENDPOINTS, STREAM = "test_http.py::test_every_endpoint_answers", "test_http.py::test_log_stream_lives_and_blocks_nobody"
FULL_LOG = "test_http.py::test_full_event_log_says_so"

FAULTS: tuple[Entry, ...] = (
    Entry(
        fault="no-link-notification",
        wrong="NETWORK_CONNECTION never reaches the host",
        seen_in="TinyUSB before cf055c237, esp-idf issue 18079",
        finding="link-notification-missing",
        proofs=(Proof("", (CONNECT,)), Proof("from_boot=2", (REPLUG,))),
    ),
    Entry(
        fault="dhcp-server-not-started",
        wrong="the interface is up, nobody answers DISCOVER",
        seen_in="`esp_netif_dhcps_start` on an interface that is not up",
        finding="dhcp-server-silent",
        proofs=(Proof("", (CONNECT,)), Proof("from_boot=2", (REPLUG,))),
    ),
    Entry(
        fault="sends-rejected-while-suspended",
        wrong="frames are thrown away while the bus sleeps",
        seen_in="esp_tinyusb before 2.1.1 (esp-usb 674d05b)",
        finding="sends-rejected-while-suspended",
        proofs=(Proof("", (SUSPEND,)), Proof("from_boot=2", (REPLUG, SUSPEND), passes_before=1)),
    ),
    Entry(
        fault="boot-loop-with-panic",
        wrong="every boot ends in a panic, registers, backtrace and a restart by software",
        seen_in="ESP-IDF's panic handler with CONFIG_ESP_SYSTEM_PANIC_PRINT_REBOOT, its default",
        finding="boot-loop",
        proofs=(Proof("", (CONNECT,)), Proof("ms=150", (CONNECT,)), Proof("from_boot=2", (REPLUG,))),
    ),
    Entry(
        fault="serial-silent",
        wrong="nothing comes out of the CDC port although DTR is high; the console has the whole log",
        seen_in="mcu-apple-bridge built from its `sdkconfig.defaults` alone",
        finding="serial-silent",
        proofs=(Proof("", (LISTENING,)), Proof("from_boot=2", (REPLUG, LISTENING), passes_before=1)),
    ),
    Entry(
        fault="log-cut-by-full-fifo",
        wrong="lines are cut in mid text when the CDC FIFO is full, the rest is dropped without a mark",
        seen_in="mcu-apple-bridge at 0d5a385, `esp_tinyusb`'s `tinyusb_cdcacm_write_queue`",
        finding="serial-log-cut",
        proofs=(Proof("", (WAITING_LOG,)), Proof("from_boot=2", (REPLUG, WAITING_LOG), passes_before=1)),
    ),
    Entry(
        fault="log-stream-blocks-http",
        wrong="one task serves everything: while `/logs` is read every other request hangs",
        seen_in="mcu-apple-bridge at 0d5a385, `main/http_server.c`",
        finding="log-stream-blocks-http",
        proofs=(Proof("", (STREAM,)), Proof("from_boot=2", (REPLUG, STREAM), passes_before=1)),
    ),
    Entry(
        fault="status-empty-body",
        wrong="`/status` answers 200 with an empty body",
        seen_in="mcu-apple-bridge at 0d5a385, `main/event_log.c`, where the mutex is busy",
        finding="status-body-empty",
        proofs=(Proof("", (ENDPOINTS,)), Proof("from_boot=2", (REPLUG, ENDPOINTS), passes_before=1)),
    ),
    Entry(
        fault="event-log-saturated",
        wrong="the event log is full after 30 entries, and what comes then is dropped without a word",
        seen_in="mcu-apple-bridge at 0d5a385, `main/event_log.c`",
        finding="event-log-saturated",
        proofs=(Proof("", (FULL_LOG,)), Proof("from_boot=2", (REPLUG, FULL_LOG), passes_before=1)),
    ),
)
"""Every built-in fault, in the order of the matrix."""
