"""Faults of the log on the CDC-ACM port."""

from dataclasses import replace

from hil.virtual.faults import Fault
from hil.virtual.firmware import CdcWrite, Command


class SerialSilent(Fault):
    """Nothing ever comes out of the CDC port although the host holds DTR, while the UART tells everything.

    Source: mcu-apple-bridge at 0d5a385 sends only while ``tud_cdc_connected()``; a firmware whose
    ``sdkconfig.defaults`` leaves CONFIG_TINYUSB_CDC_ENABLED at its default n has the port of another build and no
    writer behind it.

    Finding: DTR set on the bus, lines on the console after HTTP answered, not one byte of CDC data.
    """

    name = "serial-silent"

    def serial_to_host(self, data: bytes) -> bytes:
        return b""


class LogCutByFullFifo(Fault):
    """A line that finds the transmit FIFO nearly full is cut in mid text, and the next one begins behind the stump.

    Source: ``esp_tinyusb``'s ``tinyusb_cdcacm_write_queue`` takes min(len, free) of 512 bytes, and mcu-apple-bridge at
    0d5a385 neither looks at what was taken nor flushes with a time-out.

    Finding: two beginnings of log lines in one line of the CDC port, none of it on the console.
    """

    name = "log-cut-by-full-fifo"

    def command(self, command: Command) -> Command | None:
        return replace(command, whole=False) if isinstance(command, CdcWrite) else command


SERIAL_FAULTS: tuple[type[Fault], ...] = (SerialSilent, LogCutByFullFifo)
