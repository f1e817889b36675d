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
    build: tuple[str, ...] | None = None
    """The firmware of the bench, by the options of ``hil.virtual.write_build``; None: none."""
    afterwards: tuple[str, ...] = ()
    """Tests that run after them and pass: the board has been brought back."""


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
    long: bool = False
    """All of its proofs are left to `make soak`: its board comes and goes for most of a minute, or others of its kind
    are in `make test`."""

    @property
    def scenarios(self) -> tuple[str, ...]:
        """Those that find it, each once."""
        return tuple(dict.fromkeys(proof.scenarios[-1] for proof in self.proofs))


CONNECT = "test_connect.py::test_host_that_waits_at_the_port_gets_a_lease[ios]"
SUSPEND = "test_suspend.py"
REPLUG = "test_replug.py::test_replug_after_success_serves_a_lease_again"
RAPID = "test_replug.py::test_ten_rapid_replugs"
GIVEN_UP = "test_silence.py::test_host_that_has_given_up_asks_again"
PEACE = "test_silence.py::test_silent_host_is_left_in_peace"
NO_CLAIMS = "test_silence.py::test_start_without_a_host_leaves_no_claims"
ELSEWHERE = "test_other_network.py"
TWO_BOARDS = "test_two_boards.py"
LISTENING = "test_terminal.py::test_log_flows_to_a_terminal"
WAITING_LOG = "test_terminal.py::test_log_that_has_to_wait_comes_whole"
ENDPOINTS, STREAM = "test_http.py::test_every_endpoint_answers", "test_http.py::test_log_stream_lives_and_blocks_nobody"
FULL_LOG = "test_http.py::test_full_event_log_says_so"

TWO = ("--hil-virtual-boards", "2")
STATIC = ("--hil-virtual-role", "static")
PROBED = "test_static_address.py::test_address_is_probed_for_before_it_is_used"
DEFENDED = "test_static_address.py::test_address_in_use_is_defended_once"
PROBED_ANEW = "test_static_address.py::test_link_that_comes_back_is_probed_anew"
RIVALLED = "test_static_address.py::test_rival_for_the_address_makes_the_board_begin_anew"
TAKEN = "test_static_address.py::test_address_of_another_host_is_not_used"
ENTERED = "test_bootloader.py::test_the_loader_is_entered_and_left[serial]"
CLEARED = "test_bootloader.py::test_a_reset_of_the_core_leads_out_once_the_order_is_cleared"
FLASHED = "test_bootloader.py::test_a_board_in_its_loader_is_flashed_and_serves"
NEW = ("--version", "0.9.9", "--code-bytes", "60000")
"""A version that differs from what a virtual board holds, of several blocks of esptool's stub (16 kB each)."""
SMALL = ("--version", "0.9.9")
"""One of a single block."""
LARGE = ("--version", "0.9.9", "--code-bytes", "1100000")
"""One that does not fit into 1 MB."""


def _flash(begins: str = "", build: tuple[str, ...] = NEW) -> Proof:
    """A flash that fails, and the board on its feet again."""
    return Proof(begins, (FLASHED,), build=build, afterwards=(CONNECT,))


def _enter(begins: str = "") -> Proof:
    return Proof(begins, (ENTERED,), afterwards=(CONNECT,))


def _static(scenario: str) -> tuple[Proof, Proof]:
    """Of a board that is started by the scenario itself."""
    return Proof("", (scenario,), options=STATIC), Proof("from_boot=2", (scenario,), options=STATIC)


def _static_running(scenario: str) -> tuple[Proof, Proof]:
    """Of a board that the scenario takes as it is; the second time a start has come before."""
    return Proof("", (scenario,), options=STATIC), Proof("from_boot=2", (PROBED, scenario), 1, options=STATIC)


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
        fault="offer-claimed-not-sent",
        wrong="the OFFER is written down as sent and lost on the way to USB",
        seen_in="mcu-apple-bridge, `main/network_setup.c`",
        finding="offer-lost-in-send-path",
        proofs=(Proof("", (CONNECT,)), Proof("from_mount=2", (CONNECT,))),
    ),
    Entry(
        fault="ack-dropped",
        wrong="the OFFER arrives, the ACK never does",
        seen_in="rp2040-dmxsun issue 53",
        finding="ack-missing",
        proofs=(Proof("", (CONNECT,)), Proof("from_boot=2", (REPLUG,))),
    ),
    Entry(
        fault="offer-outside-pool",
        wrong="the server gives an address that its network does not have",
        seen_in="esp-idf issue 1257",
        finding="offer-outside-pool",
        proofs=(
            Proof("", (CONNECT,)),
            Proof("address=192.168.7.100", (CONNECT,)),
            Proof("from_boot=2", (REPLUG,)),
        ),
    ),
    Entry(
        fault="nak-without-server-id",
        wrong="a NAK does not say which server it is from",
        seen_in="esp-idf issue 19120",
        finding="nak-without-server-id",
        proofs=(Proof("", (ELSEWHERE,)), Proof("from_boot=2", (ELSEWHERE,))),
    ),
    Entry(
        fault="twin-boards",
        wrong="two boards show one serial number and one MAC address",
        seen_in="mcu-apple-bridge, `main/network_setup.c`",
        finding="boards-share-identity",
        proofs=(Proof("", (TWO_BOARDS,), options=TWO), Proof("from_boot=2", (TWO_BOARDS,), options=TWO)),
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
        long=True,
        proofs=(Proof("", (CONNECT,)), Proof("ms=150,from_boot=2", (REPLUG,))),
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
    Entry(
        fault="usb-task-starved",
        wrong="the mount callback blocks the USB task for seconds",
        seen_in="rolivape/ESP32S3_firmware, `tud_mount_cb`",
        finding="usb-task-starved",
        long=True,
        proofs=(Proof("", (CONNECT,)), Proof("from_boot=2", (REPLUG,))),
    ),
    Entry(
        fault="alternate-setting-not-rearmed",
        wrong="after alternate setting 0 and 1 the bulk endpoints move nothing",
        seen_in="hathach/tinyusb issue 2255",
        finding="alternate-setting-not-rearmed",
        long=True,
        proofs=(Proof("", (CONNECT,)), Proof("from_boot=2", (REPLUG,))),
    ),
    Entry(
        fault="disconnects-in-test",
        wrong="the board drops off the bus with its first frame",
        seen_in="arduino-esp32 issue 10000, tinyusb issue 3098",
        finding="board-left-the-bus",
        long=True,
        proofs=(Proof("", (CONNECT,)), Proof("from_boot=2", (REPLUG,))),
    ),
    Entry(
        fault="link-announced-too-early",
        wrong="the link is up long before the stack, and is not kicked when that is there",
        seen_in="TinyUSB's default, esp-idf issue 18079",
        finding="link-announced-before-stack",
        long=True,
        proofs=(Proof("", (CONNECT,)), Proof("from_boot=2", (REPLUG,))),
    ),
    Entry(
        fault="no-recovery-after-silence",
        wrong="a silent host is left alone",
        seen_in="ESP-IDF's example tusb_ncm",
        finding="no-recovery-after-silence",
        long=True,
        proofs=(Proof("", (GIVEN_UP,)), Proof("from_boot=2", (GIVEN_UP,))),
    ),
    Entry(
        fault="recovery-storm",
        wrong="each mount restarts the count of recoveries",
        seen_in="mcu-apple-bridge, `tud_mount_cb`",
        finding="recovery-storm",
        long=True,
        proofs=(Proof("", (PEACE,)), Proof("from_boot=2", (PEACE,))),
    ),
    Entry(
        fault="recovery-timer-underflow",
        wrong="a mount inside the kick makes recovery fire at once",
        seen_in="mcu-apple-bridge, the watchdog task",
        finding="recovery-timer-underflow",
        long=True,
        proofs=(Proof("from_boot=11", (RAPID,)), Proof("from_boot=3", (RAPID,))),
    ),
    Entry(
        fault="link-down-after-resume",
        wrong="the link is taken down after a resume and stays down",
        seen_in="zephyr issue 26725; the kick of mcu-apple-bridge",
        finding="link-left-down-after-resume",
        long=True,
        proofs=(Proof("", (SUSPEND,)), Proof("from_boot=2", (REPLUG, SUSPEND), passes_before=1)),
    ),
    Entry(
        fault="stale-flags",
        wrong="the event log and its flags outlive a start",
        seen_in="mcu-apple-bridge, `main/event_log.c`",
        finding="claims-from-earlier-cycle",
        proofs=(Proof("", (NO_CLAIMS,)), Proof("from_boot=2", (NO_CLAIMS,))),
    ),
    Entry(
        fault="cable-pulled-mid-write",
        wrong="the cable is pulled in the middle of a write, and put back",
        seen_in="a hand; a hub that runs out of current",
        finding="board-lost-while-flashing",
        proofs=(_flash("at=100"), _flash("at=0"), _flash("at=50")),
    ),
    Entry(
        fault="port-renamed-mid-flash",
        wrong="the device leaves the bus in the middle of a write and comes back, and the board keeps its power",
        seen_in="`acm_alloc_minor`, `drivers/usb/class/cdc-acm.c`; hubs that disable a port (EMI)",
        finding="contact-lost-while-flashing",
        long=True,
        proofs=(_flash("at=100"), _flash("at=0"), _flash("at=50")),
    ),
    Entry(
        fault="loader-naks",
        wrong="the loader refuses every block of a write",
        seen_in="flash that is worn out or write-protected (`ESP_FAILED_SPI_OP`)",
        finding="loader-refuses-write",
        long=True,
        proofs=(_flash(build=SMALL), Proof("times=2", (FLASHED,), build=SMALL)),
    ),
    Entry(
        fault="wrong-md5",
        wrong="the loader's digest of what it wrote is not that of what was sent",
        seen_in="esptool's troubleshooting page: bad flash chips, solder joints, a weak supply",
        finding="flash-holds-something-else",
        proofs=(_flash(), _flash("times=2")),
    ),
    Entry(
        fault="stub-mute",
        wrong="the flasher stub is loaded and never says OHAI",
        seen_in="esptool's documentation of its stub",
        finding="stub-never-starts",
        long=True,
        proofs=(_flash(), Proof("", (ENTERED, FLASHED), 1, build=NEW, afterwards=(CONNECT,))),
    ),
    Entry(
        fault="other-chip",
        wrong="the chip calls itself an ESP32-C3",
        seen_in="boards of one form with different chips (`GET_SECURITY_INFO`)",
        finding="build-for-another-chip",
        long=True,
        proofs=(_flash(), Proof("", (ENTERED, FLASHED), 1, build=NEW, afterwards=(CONNECT,))),
    ),
    Entry(
        fault="flash-too-small",
        wrong="the flash chip has 1 MB",
        seen_in="modules that differ in nothing but their flash",
        finding="build-exceeds-flash",
        proofs=(_flash(build=LARGE), Proof("", (ENTERED, FLASHED), 1, build=LARGE, afterwards=(CONNECT,))),
    ),
    Entry(
        fault="secure-boot-on",
        wrong="secure boot is burnt into the chip",
        seen_in="`EFUSE_SECURE_BOOT_EN`; esptool refuses to write the boot loader then",
        finding="efuses-forbid-flashing",
        long=True,
        proofs=(_flash(), Proof("", (ENTERED, FLASHED), 1, build=NEW, afterwards=(CONNECT,))),
    ),
    Entry(
        fault="download-bit-never-cleared",
        wrong="the bit that forces a download stays set: a reset of the core leads to the loader again",
        seen_in="arduino-esp32 issue 6762, for which esptool clears the bit before it resets",
        finding="download-bit-never-cleared",
        long=True,
        proofs=(
            Proof("", (CLEARED,), afterwards=(CONNECT,)),
            Proof("", (ENTERED, CLEARED), 1, afterwards=(CONNECT,)),
        ),
    ),
    Entry(
        fault="loader-as-usb-otg",
        wrong="the loader comes up as 303a:0009 where USB-Serial/JTAG was expected",
        seen_in="a MicroPython module with `periph_module_reset` in place of `usb_usj_mode`",
        finding="loader-on-other-usb",
        proofs=(_enter(), Proof("", (REPLUG, ENTERED), 1, afterwards=(CONNECT,))),
    ),
    Entry(
        fault="loader-no-port",
        wrong="the chip is in its loader, and no device comes",
        seen_in="pins left with a controller that nobody serves",
        finding="loader-never-appears",
        long=True,
        proofs=(Proof("", (ENTERED,)), Proof("", (REPLUG, ENTERED), 1, afterwards=(CONNECT,))),
    ),
    Entry(
        fault="loader-not-enumerated",
        wrong="the chip is in its loader, and the host cannot read the descriptors of what comes",
        seen_in="`drivers/usb/core/hub.c`: device descriptor read/64, error -71; unable to enumerate USB device",
        finding="loader-not-enumerated",
        long=True,
        proofs=(_enter(), Proof("", (REPLUG, ENTERED), 1, afterwards=(CONNECT,))),
    ),
    Entry(
        fault="loader-no-sync",
        wrong="the loader's port is there, and it answers nothing on any line",
        seen_in='esptool\'s "Download mode successfully detected, but getting no sync reply"',
        finding="loader-does-not-answer",
        long=True,
        proofs=(_enter(), Proof("", (REPLUG, ENTERED), 1, afterwards=(CONNECT,))),
    ),
    Entry(
        fault="address-not-probed",
        wrong="the static address is used as soon as there is a link, and nobody is asked whether he has it",
        seen_in="lwIP 2.2.1 `acd_netif_ip_addr_changed`; ESP-IDF 5.5 `acd_dhcp_check.c`",
        finding="address-never-probed",
        proofs=_static(PROBED),
    ),
    Entry(
        fault="address-before-probes",
        wrong="the static address is set, and answers, before the first probe",
        seen_in="lwIP 2.2.1, `netif_set_addr` before `acd_start`",
        finding="address-used-before-probed",
        long=True,
        proofs=_static(PROBED),
    ),
    Entry(
        fault="address-answers-late",
        wrong="the static address is announced 2 s before it answers",
        seen_in="lwIP 2.2.1 `acd.c`, `ACD_IP_OK`",
        finding="announced-address-silent",
        long=True,
        proofs=_static(PROBED),
    ),
    Entry(
        fault="probe-answers-ignored",
        wrong="a host answers the probe, and the address is used all the same",
        seen_in="RFC 5227 section 2.1.1",
        finding="address-of-another-used",
        proofs=_static(TAKEN),
    ),
    Entry(
        fault="rival-probes-ignored",
        wrong="another host probes for the address too, and the board takes it",
        seen_in="RFC 5227 section 2.1.1",
        finding="rival-probe-ignored",
        long=True,
        proofs=_static(RIVALLED),
    ),
    Entry(
        fault="no-defence",
        wrong="a host claims the address that the board uses, and the board does nothing",
        seen_in="RFC 5227 section 2.4",
        finding="address-not-defended",
        proofs=_static_running(DEFENDED),
    ),
    Entry(
        fault="defends-always",
        wrong="every claim of the address is answered by an announcement, for ever",
        seen_in="RFC 5227 section 2.4",
        finding="address-defended-too-often",
        long=True,
        proofs=_static_running(DEFENDED),
    ),
    Entry(
        fault="no-new-probes",
        wrong="the link goes and comes back, and the static address is used as before",
        seen_in="lwIP 2.2.1 `acd.c`, `acd_network_changed_link_down`",
        finding="address-not-probed-anew",
        proofs=_static_running(PROBED_ANEW),
    ),
)
"""Every built-in fault, in the order of the matrix."""
