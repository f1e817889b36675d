"""Faults of what a board says of itself: where its own evidence misleads who reads it."""

from hil.catalogue.entry import Entry, Proof, running, started
from hil.catalogue.scenarios import BUS_RESET, CONNECT, COUNTED, LOG_KEPT, REPLUG, SEQUENCE, SUSPEND

BRIDGE = "mcu-apple-bridge at 0d5a385, "

CLAIM_FAULTS: tuple[Entry, ...] = (
    Entry(
        fault="dhcp-told-by-port",
        wrong="all of a client is told as DISCOVER, all of a server as OFFER",
        seen_in=f"{BRIDGE}`main/network_setup.c`",
        finding="dhcp-claims-by-port",
        long=True,
        proofs=(Proof("", (CONNECT,)), Proof("from_boot=2", (SEQUENCE,))),
    ),
    Entry(
        fault="discarded-frames-claimed",
        wrong="what is thrown away, as the stack is not ready, is told as heard",
        seen_in=f"{BRIDGE}`main/network_setup.c`; ESP32S3_firmware at 77a36dc, `usb_netif_aq.c`",
        finding="discarded-frames-claimed",
        long=True,
        proofs=started(SEQUENCE),
    ),
    Entry(
        fault="firsts-latched",
        wrong="FIRST_RX and FIRST_TX are not told again after a mount",
        seen_in=f"{BRIDGE}`main/network_setup.c`; `usb_phy.c` of ESP-IDF",
        finding="first-frames-not-told-anew",
        proofs=running(BUS_RESET, REPLUG),
    ),
    Entry(
        fault="drops-untold",
        wrong="a frame that cannot be sent is neither counted nor logged",
        seen_in=f"{BRIDGE}`main/network_setup.c`",
        finding="drops-not-counted",
        long=True,
        proofs=running(COUNTED, REPLUG),
    ),
    Entry(
        fault="requests-told-at-length",
        wrong="each request leaves ten lines in a log that has room for 200",
        seen_in=f"{BRIDGE}`main/http_server.c`",
        finding="requests-fill-log",
        long=True,
        proofs=running(LOG_KEPT, REPLUG),
    ),
    Entry(
        fault="suspend-moves-link",
        wrong="the link is said to go down and up while the bus sleeps",
        seen_in=f"{BRIDGE}`main/network_setup.c`, the watchdog task",
        finding="link-moved-while-asleep",
        long=True,
        proofs=running(SUSPEND, REPLUG),
    ),
)
"""In the order of the matrix."""
