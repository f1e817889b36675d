"""What public firmware of this kind gets wrong, or says in a way that misleads; and what of this project shows it.

Data for firmware/FAULTS.md. Each pitfall has a fault that a bench must find, or a rule of the harness with the test
that holds it, or says why no host can see it.
"""

from dataclasses import dataclass

BRIDGE = "pmanot/mcu-apple-bridge 0d5a385"
SETUP, EVENTS, SERVER = (
    f"{BRIDGE}, main/network_setup.c",
    f"{BRIDGE}, main/event_log.c",
    f"{BRIDGE}, main/http_server.c",
)
NOTES = "pmanot/mcu-apple-bridge 486cec7, CONTEXT.md"
AQ = "rolivape/ESP32S3_firmware 77a36dc, usb_netif_aq.c"
OPTACON = "wselsbe/optacon-esp32"
LWIP = "lwip-tcpip/lwip 3d896ba0, src/core/ipv4/acd.c"
ACD_CHECK = "espressif/esp-idf release/v5.5, components/lwip/port/acd_dhcp_check.c"


@dataclass(frozen=True, slots=True)
class Pitfall:
    """One thing that went wrong, or that a reader of logs falls for."""

    text: str
    source: str
    faults: tuple[str, ...] = ()
    """Names of the catalogue's faults that show it."""
    tests: tuple[str, ...] = ()
    """``file::test`` of this repository that hold the harness's own rule about it."""
    rule: str = ""
    """That rule."""
    device_only: str = ""
    """Why no host can see it."""


@dataclass(frozen=True, slots=True)
class Firmware:
    """The pitfalls of one firmware, or of one part of it, numbered from 1."""

    title: str
    pitfalls: tuple[Pitfall, ...]


EVIDENCE = Firmware(
    "What mcu-apple-bridge says of itself",
    (
        Pitfall(
            "`/status` never becomes all true: DHCP_REQUEST_RX, DHCP_ACK_TX and DHCP_ASSIGNED are declared and "
            "recorded nowhere.",
            EVENTS,
            faults=("dhcp-told-by-port",),
            tests=("tests/profiles/test_profiles.py::test_the_bridge_never_says_three_of_its_flags",),
            rule="what a profile knows to be never said is a skipped check, not a failure",
        ),
        Pitfall(
            "DHCP is told by UDP ports, so a handshake that succeeds reads DISCOVER, OFFER, DISCOVER, OFFER, and looks "
            "like a host that never takes up an OFFER.",
            SETUP,
            faults=("dhcp-told-by-port",),
        ),
        Pitfall(
            "DHCP_OFFER_TX and FIRST_TX are recorded before the frame is handed to USB, and whatever comes of it.",
            SETUP,
            faults=("offer-claimed-not-sent",),
        ),
        Pitfall(
            "DHCP_DISCOVER_RX is recorded before the IP stack has taken the frame.",
            SETUP,
            faults=("discarded-frames-claimed",),
        ),
        Pitfall(
            "NCM_LINK_UP is what the firmware wants; whether the host has carrier is another matter.",
            f"{SETUP}; hathach/tinyusb ncm_device.c before cf055c237",
            faults=("no-link-notification",),
        ),
        Pitfall(
            "Thirty entries: nine of the first connect and two of each renewal fill the log of a healthy link in "
            "minutes; what comes then is dropped.",
            EVENTS,
            faults=("event-log-saturated",),
            tests=("tests/device/test_testimony.py::test_a_full_log_proves_no_absence",),
            rule="a full log proves no absence",
        ),
        Pitfall(
            "The log is said to be sticky and never cut; nothing in it says that it is full.",
            f"{NOTES}; main/event_log.c of 0d5a385",
            faults=("event-log-saturated",),
            tests=("tests/profiles/test_profiles.py::test_the_bridges_log_fills_without_a_word",),
            rule="a log that would not say so counts as full at its capacity",
        ),
        Pitfall(
            "A flag stands since boot: it may be of an earlier cycle of the cable.",
            EVENTS,
            faults=("stale-flags",),
            tests=("tests/device/test_testimony.py::test_a_flag_of_an_earlier_cable_cycle_is_not_of_the_present_one",),
            rule="a flag counts for this cycle only where the boot is younger",
        ),
        Pitfall(
            "FIRST_RX and FIRST_TX are not told again after a replug: only an unmount clears them, and without VBUS "
            "sensing a pulled cable is none.",
            f"{SETUP}; ESP-IDF components/usb/usb_phy.c",
            faults=("firsts-latched",),
        ),
        Pitfall(
            "No USB_UNMOUNTED does not mean that the cable stayed in.",
            f"{SETUP}; TinyUSB dcd_dwc2.c; ESP-IDF components/usb/usb_phy.c",
            tests=("tests/device/test_testimony.py::test_silence_that_means_nothing_is_open",),
            rule="the profile says that its silence proves nothing; departures are the kernel's uevents",
        ),
        Pitfall(
            "The count of recoveries and their backoff begin anew with each mount, and each recovery causes one.",
            f"{SETUP}; TinyUSB usbd.c",
            faults=("recovery-storm",),
        ),
        Pitfall(
            "Reading over the USB link that is under test is traffic on it: it makes FIRST_RX and FIRST_TX, and ends "
            "the silence after which the board recovers.",
            f"{SETUP}; main/http_server.c",
            tests=(
                "tests/device/test_claims.py::test_gathering_uses_the_fallback_alone",
                "tests/device/test_claims.py::test_gathering_without_a_fallback_asks_nothing",
            ),
            rule="after a failure the board is asked over its other network, or not at all",
        ),
        Pitfall(
            "Each GET of `/` leaves 13 lines in a ring of 200: polling pushes out what is polled for.",
            SERVER,
            faults=("requests-told-at-length",),
        ),
        Pitfall(
            "The handler of `/logs` keeps the one task of the HTTP server: while it streams nobody else is answered.",
            SERVER,
            faults=("log-stream-blocks-http",),
        ),
        Pitfall(
            "The notes have it that `tud_ready()` waits for a terminal's DTR; in TinyUSB 0.15 to 0.20 it is mounted "
            "and not suspended, so the patch they describe matters while the bus sleeps.",
            f"{NOTES}; hathach/tinyusb usbd.h, 0.15.0 to 0.20.0",
            faults=("sends-rejected-while-suspended",),
            tests=("tests/hil/test_terminal.py::test_board_serves_without_a_terminal",),
            rule="a board must serve without a terminal",
        ),
        Pitfall(
            "A send that finds a buffer is no proof that the host selected alternate setting 1: since TinyUSB 0.17 "
            "`tud_network_can_xmit()` looks for a free buffer and at nothing else.",
            f"{NOTES}; hathach/tinyusb ncm_device.c, 0.15.0 and 0.19.0",
            faults=("alternate-setting-not-rearmed",),
            tests=("tests/capture/test_usbmon.py::test_control_transfer_is_told_at_its_end",),
            rule="SET_INTERFACE is read from the bus",
        ),
    ),
)
LINK = Firmware(
    "Its link and its recovery",
    (
        Pitfall(
            "Five attempts and a backoff, and neither holds with a host that enumerates: the board drops off the bus "
            "every three seconds for ever.",
            f"{SETUP}; TinyUSB usbd.c",
            faults=("recovery-storm",),
        ),
        Pitfall(
            "The clock is read before a kick of 250 ms; a mount inside it lies in the future, and the unsigned "
            "difference makes recovery fire at once.",
            SETUP,
            faults=("recovery-timer-underflow",),
        ),
        Pitfall(
            "A suspend takes the link down, and the watchdog, for which a sleeping board is mounted, puts it up again.",
            SETUP,
            faults=("suspend-moves-link",),
        ),
        Pitfall(
            "The kick after a resume waits 250 ms in the task that serves USB.",
            f"{SETUP}; espressif/esp-usb tusb_tasks.c",
            faults=("usb-task-starved", "link-down-after-resume"),
        ),
        Pitfall(
            "A frame that is sent without a mount or a link is dropped, ESP_OK is returned, and nothing says so.",
            SETUP,
            faults=("drops-untold",),
        ),
        Pitfall(
            "TinyUSB's own link flag is up after each bus reset, and a state that is told again is not sent.",
            "hathach/tinyusb ncm_device.c, 0.19.0, and cf055c237",
            faults=("link-announced-too-early", "no-link-notification"),
        ),
        Pitfall(
            "Any frame counts as a sign of life: a host that speaks mDNS and never completes DHCP is not recovered.",
            SETUP,
            tests=("tests/hil/test_silence.py::test_host_that_has_given_up_asks_again",),
            rule="the harness's interfaces say nothing by themselves (IPv6 is off in their namespaces), so silence is "
            "silence",
        ),
        Pitfall(
            "A host that says nothing for 2 s after the mount is recovered from, whether it wanted to speak or not.",
            SETUP,
            tests=(
                "tests/agent/server/test_operations.py::test_an_interface_that_appears_is_adopted_under_whatever_name",
            ),
            rule="the agent sets an interface up as soon as it appears",
        ),
        Pitfall(
            "Where the host does not enumerate again, the board stops after five attempts, without a line about it.",
            SETUP,
            device_only="no host is there to see it; the reference core logs that it gave up (link_machine.c)",
        ),
    ),
)
CLIENT = Firmware(
    "ESP32S3_firmware, a DHCP client",
    (
        Pitfall(
            "`esp_netif_receive result: ESP_OK` says nothing: with CONFIG_ESP_NETIF_RECEIVE_REPORT_ERRORS off it is "
            "returned for frames that were thrown away.",
            f"{AQ}; ESP-IDF esp_netif_lwip.c",
            faults=("discarded-frames-claimed",),
        ),
        Pitfall(
            "`DHCP status 2` in its log is ESP_NETIF_DHCP_STOPPED, which its own boot code did, and no progress.",
            f"{AQ}; ESP-IDF esp_netif_types.h",
            tests=("tests/profiles/test_profiles.py::test_generic_claims_nothing",),
            rule="of a log only what a profile names is a claim; an address is believed from DHCP on the wire",
        ),
        Pitfall(
            "The interface is never set up, so `esp_netif_dhcpc_start` returns ESP_OK and nothing is sent.",
            f"{AQ}; ESP-IDF esp_netif_lwip.c",
            faults=("dhcp-client-mute", "dhcp-server-not-started"),
        ),
        Pitfall(
            "`esp_netif_init()` is never called, and the first interface ends in lwIP's assert: the log that was "
            "published is of another build.",
            f"{AQ}; ESP-IDF esp_netif_lwip.c",
            faults=("boot-loop-with-panic",),
            tests=("tests/diagnosis/text/test_reader.py::test_a_sample_has_its_one_finding",),
            rule="a panic is named by its assert, and a build by the digest that `/version` tells",
        ),
        Pitfall(
            "A second `tud_task` is said to have been missing; it helps because the mount callback blocks the first "
            "one for 4.6 s.",
            AQ,
            faults=("usb-task-starved",),
        ),
        Pitfall(
            "Lines such as `mounted successfully` are taken for success; the application gives up 8 s after its start.",
            f"{AQ}; app_manager_aq.c",
            tests=("tests/hil/test_dhcp_client.py::test_board_asks_for_an_address_and_serves_there",),
            rule="success is DHCP on the wire and an answer over HTTP",
        ),
        Pitfall(
            "A DHCP client of ESP-IDF asks twice by ARP for the address that it is given: a harness that answers gets "
            "a DECLINE.",
            f"{AQ}; {ACD_CHECK}",
            faults=("lease-unchecked",),
            tests=("tests/hil/test_dhcp_client.py::test_address_that_another_host_has_is_declined",),
            rule="only a host that plays the address's owner answers for it",
        ),
        Pitfall(
            "Its monitor drops a whole read for one byte that is no UTF-8, kills every dnsmasq, and knows the "
            "interface as usb0.",
            "rolivape/ESP32S3_firmware 77a36dc, its notes",
            tests=(
                "tests/wire/test_lines.py::test_bytes_that_are_no_utf8_are_replaced_in_the_text_only",
                "tests/agent/server/test_operations.py::test_an_interface_that_appears_is_adopted_under_whatever_name",
            ),
            rule="bytes are kept and decoded with replacement; interfaces are found by topology path, each in a "
            "namespace of its own",
        ),
    ),
)
LOADER = Firmware(
    "optacon-esp32, the way into the loader",
    (
        Pitfall(
            "`periph_module_reset` in place of routing the PHY: the ROM comes up as 303a:0009.",
            f"{OPTACON} 361439a",
            faults=("loader-as-usb-otg",),
        ),
        Pitfall(
            "With `usb_usj_mode` and the force-download bit it comes up as 303a:1001; without the bit the application "
            "is back, and with a bit that stays each restart ends in the ROM.",
            f"{OPTACON} 2da0333; esptool targets/esp32s3.py",
            faults=("loader-flag-not-set", "loader-flag-left", "download-bit-never-cleared"),
        ),
        Pitfall(
            "`machine.bootloader()` may work; the tool answers success whatever came of it.",
            f"{OPTACON} 92f67e0; MicroPython ports/esp32/modmachine.c",
            faults=("loader-request-ignored", "loader-no-port", "application-without-usb"),
            tests=("tests/device/test_repl.py::test_a_repl_that_stays_is_heard",),
            rule="a loader is believed by its identity at the board's topology path, and by SYNC",
        ),
    ),
)
STATIC = Firmware(
    "A static address in lwIP and ESP-IDF",
    (
        Pitfall(
            "Nothing starts conflict detection for a static address; ESP-IDF's default compiles a checker for DHCP "
            "alone.",
            f"{LWIP}; {ACD_CHECK}",
            faults=("address-not-probed",),
        ),
        Pitfall(
            "The address is set, and answers, before the first probe is sent.",
            f"{LWIP}, `acd_start` after `netif_set_addr`",
            faults=("address-before-probes",),
        ),
        Pitfall(
            "Own probes that are reflected are said to count as conflicts. In 2.2.1 they do not; what does is an ARP "
            "frame of the board's own that is no probe, reflected while the address is set.",
            f"{LWIP}; lwip-tcpip/lwip pull request 95",
            faults=("echoes-conflict",),
        ),
        Pitfall(
            "ACD_IP_OK comes with the second announcement: an address that waits for it answers 2 s after it was "
            "announced.",
            LWIP,
            faults=("address-answers-late",),
        ),
        Pitfall(
            "A link that goes ends conflict detection, and one that comes does not begin it.",
            f"{LWIP}, `acd_network_changed_link_down`",
            faults=("no-new-probes",),
        ),
        Pitfall(
            "Without LWIP_RAND the pauses between the probes are the same after each boot.",
            LWIP,
            faults=("pauses-repeat",),
        ),
        Pitfall(
            "An override of lwIP probes for the address again and again while it is in use.",
            "AGSweeney/OpENer_EnIP_KC868A16 627af93, acd.c",
            faults=("probes-forever",),
        ),
        Pitfall(
            "A patched build's log names tests of its own; whether it has conflict detection at all depends on its "
            "configuration.",
            "AGSweeney/ESP32p4-EIP 65efe96; ESP-IDF Kconfig LWIP_DHCP_DOES_ACD_CHECK",
            tests=("tests/diagnosis/test_acd_signatures.py",),
            rule="a static address is judged by ARP on the wire alone",
        ),
    ),
)
FIRMWARES = (EVIDENCE, LINK, CLIENT, LOADER, STATIC)
