"""One virtual board: chip, firmware, USB device and IP stack put together.

Theory of operation. Everything runs in one event loop. :class:`~hil.virtual.chip.Chip` decides at every reset what
runs; where that is an application with a build for the host, its firmware is told what happens and answers with
commands, and :meth:`VirtualBoard._run` carries them out one after the other, through the fault port. Whatever ends the
chip's power or resets it drops the firmware's USB device and all it had started. What device the host sees follows from
the chip's power, from who has the USB pins, and from the plug; :class:`~hil.virtual.plug.Plug` sees to that.

======================  =====================  =======================
action                  supply = "bus"         supply = "own"
======================  =====================  =======================
plug                    power on, then boot    connect, if USB is up
unplug                  power gone             disconnect: bus is idle
power on, off           plug in, pull          power on, power gone
======================  =====================  =======================

While EN is low (:meth:`VirtualBoard.hold`) the chip stands still, whatever power it has; released, it boots.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial

from hil import clock
from hil.errors import VirtualBoardError
from hil.virtual import firmware as fw
from hil.virtual.board_parts import BoardParts, BoardState
from hil.virtual.chip import Chip, Mode
from hil.virtual.contact import Contact
from hil.virtual.device_events import DeviceEvents
from hil.virtual.faults import ArmedFault, FaultPort
from hil.virtual.firmware import Command, Firmware, FirmwareConfig
from hil.virtual.log_queue import LogQueue
from hil.virtual.plug import Plug
from hil.virtual.points import ChipReset, Injection, Later, LoseContact, Mount, Point, PullCable, StallUsb, Unmount
from hil.virtual.registry import Application
from hil.virtual.seen import Seen
from hil.virtual.send_queue import SendQueue
from hil.virtual.services import Services
from hil.virtual.soc import Panic, Reset
from hil.virtual.usb.descriptors import FirmwareUsb
from hil.virtual.usb.device import UsbDevice
from hil.virtual.usb.firmware_device import FirmwareDevice


class VirtualBoard:
    """A board without power and with its cable out.

    Args:
        on_died: called once, with the error, when the board cannot go on.
    """

    def __init__(
        self, parts: BoardParts, faults: Sequence[ArmedFault], on_died: Callable[[VirtualBoardError], None]
    ) -> None:
        self.faults = FaultPort(faults, on_died)
        self._parts = parts
        self._plugged = self._pulled_up = self._io0 = self._button = False
        self._seen = Seen()
        self._chip = Chip(parts.chip, self.faults, self)
        self._app: Application | None = None
        self._config = FirmwareConfig()
        self._usb = FirmwareUsb.for_chip(parts.chip.identity.mac)
        self._services = Services(parts.stack, self, self._netif_started, self._leased)
        self._device: FirmwareDevice | None = None
        self._events: DeviceEvents | None = None
        self._log: LogQueue | None = None
        self._wake: asyncio.TimerHandle | None = None
        self._commands: deque[Command] = deque()
        self._running = False
        self._sends = SendQueue(self._transmit, self._sent)
        self._plug = Plug(parts.cable, self._wanted, on_died)
        self._contact = Contact(self._plug_soon, self._plug.follow_soon)
        parts.stack.on_frame = self._frame_from_stack

    # ---- what is done to the board; each returns the instant (ns) at which it began to take effect ----

    async def plug(self) -> int:
        return await self._set_plug(True)

    async def unplug(self) -> int:
        return await self._set_plug(False)

    async def _set_plug(self, plugged: bool) -> int:
        at_ns = clock.now_ns()
        self._plug_soon(plugged)
        await self._plug.follow()
        return at_ns

    def _plug_soon(self, plugged: bool) -> None:
        self._plugged = plugged
        if self._parts.supply == "bus":
            self._set_power(plugged)
        self._plug.follow_soon()

    def _set_power(self, on: bool) -> None:
        if on:
            self._chip.power_on()
        else:
            self._chip.power_off()

    async def power(self, on: bool) -> int:
        if self._parts.supply == "bus":
            return await (self.plug() if on else self.unplug())
        at_ns = clock.now_ns()
        self._set_power(on)
        await self._plug.follow()
        return at_ns

    async def reset(self, reset: Reset) -> int:
        """Start the chip over; a panic says so first.

        Raises:
            VirtualBoardError: the chip has no power.
        """
        if not self._chip.powered:
            raise VirtualBoardError(f"reset {reset.name}: the board has no power; plug it in or switch its supply on")
        at_ns = clock.now_ns()
        self._restart(reset)
        await self._plug.follow()
        return at_ns

    def hold_boot(self, held: bool) -> None:
        """The BOOT button: IO0 is low while it is held."""
        self._button = held
        self._chip.io0_low = self._button or self._io0

    # ---- what the bridge's lines do to the chip (hil.virtual.auto_reset) -----------------------------------

    def hold(self) -> None:
        """EN is low: the chip stands still, and boots when it is released if it has power then."""
        self._seen.holds += 1
        self._chip.hold()
        self._plug.follow_soon()

    def release(self, download: bool = False) -> None:
        """EN is high again; with IO0 low the ROM waits for a ``download``, and no firmware runs."""
        self.io0(download)
        self._chip.release()
        self._plug.follow_soon()

    def io0(self, low: bool) -> None:
        self._io0 = low
        self._chip.io0_low = self._button or self._io0

    def uart(self, data: bytes, baud: int) -> None:
        self._chip.uart(data, baud)

    def set_faults(self, faults: Sequence[ArmedFault]) -> None:
        """Other faults, in place of those before."""
        self.faults.faults = list(faults)
        self._watch_points()

    @property
    def state(self) -> BoardState:
        device = self._device
        return BoardState(
            powered=self._chip.powered,
            mode=self._chip.mode.value,
            runs=self._chip.runs if self._chip.powered else "",
            plugged=self._plugged,
            mounted=device is not None and device.mounted,
            suspended=device is not None and device.suspended,
            link=device is not None and self._app is not None and self._app.firmware.link_up,
            boots=self.faults.boots,
            mounts=self.faults.mounts,
            uptime_ms=self._ms() if self._chip.powered else 0,
            faults=self.faults.described,
            seen=self._seen,
        )

    async def close(self) -> None:
        """Pull the plug and let everything end that is under way; the parts are their maker's to close."""
        self._contact.close()
        self._plugged = False
        self._chip.power_off()
        await self._plug.follow()
        await self._plug.finish()

    # ---- what the chip asks of the board (hil.virtual.chip) ----------------------------------------------

    def say(self, data: bytes) -> None:
        self._parts.console.write(self.faults.console(data))

    def start(self, application: Application, reason: str) -> None:
        if application is not self._app:
            self._app, self._config, self._usb = application, application.config, application.usb
        self._configure(application.firmware)
        self._watch_points()
        self._run(application.firmware.boot(reason, 0))

    def stop(self) -> None:
        self._pulled_up = False
        self._device = None
        if self._events is not None:
            self._events.detach()
            self._events = None
        if self._wake is not None:
            self._wake.cancel()
            self._wake = None
        self._commands.clear()
        self._sends.clear()
        self._services.halt()

    def look(self) -> None:
        self._plug.follow_soon()

    def _restart(self, reset: Reset) -> None:
        if reset is Reset.PANIC:
            self.say(Panic().text())
        self._chip.reset(reset)

    def _configure(self, firmware: Firmware) -> None:
        firmware.configure(self.faults.configure(self._config))

    def _watch_points(self) -> None:
        """A call out of the core costs time at every frame: it is made where a fault asks for it."""
        if self._app is not None:
            self._app.firmware.set_points(self._at_point if self.faults.watches_points else None)

    def _at_point(self, point: Point, now_ms: int) -> None:
        for each in self.faults.at_point(point, now_ms):
            self.inject(each)

    def inject(self, injection: Injection) -> None:
        now_ns = clock.now_ns()
        match injection:
            case Later(after_s, later):
                self._chip.at(now_ns + clock.to_ns(after_s), partial(self.inject, later))
            case Mount():
                self.tell(self._firmware.mounted)
            case Unmount():
                self.tell(self._firmware.unmounted)
            case StallUsb(for_s):
                if self._device is not None:
                    self._device.stall(for_s)
            case ChipReset(reset):
                self._chip.at(now_ns, partial(self._restart, reset))
            case PullCable(for_s):
                self._contact.pull(for_s)
            case LoseContact(for_s):
                self._contact.lose(for_s)
            case command:
                self._chip.at(now_ns, partial(self._run, (command,)))

    def _ms(self) -> int:
        return self._chip.clock.ms(clock.now_ns())

    # ---- the firmware ------------------------------------------------------------------------------

    @property
    def _firmware(self) -> Firmware:
        assert self._app is not None, "no application has run yet"
        return self._app.firmware

    def _run(self, commands: Sequence[Command]) -> None:
        """Carry out commands in order, those of nested inputs after those that caused them."""
        self._commands.extend(commands)
        if self._running:
            return
        self._running = True
        try:
            while self._commands:
                self._carry_out(self._commands.popleft())
        finally:
            self._running = False
        self._arm()

    def _arm(self) -> None:
        """Wake the firmware at its next deadline."""
        if self._wake is not None:
            self._wake.cancel()
            self._wake = None
        due_ms = self._firmware.deadline_ms if self._chip.mode is Mode.APPLICATION else None
        if due_ms is not None:
            self._wake = asyncio.get_running_loop().call_at(clock.to_s(self._chip.clock.host_ns(due_ms)), self._wake_up)

    def _wake_up(self) -> None:
        self._wake = None
        self._run(self._firmware.wake(self._ms()))

    def _carry_out(self, command: Command) -> None:
        passed = self.faults.command(command)
        match passed:
            case None:
                self._pretend(command)
            case fw.ConsoleWrite(data):
                self.say(data)
            case fw.StartUsb() | fw.UsbConnect() | fw.UsbDisconnect():
                self._change_pull_up(passed)
            case fw.Restart(delay_ms):
                self._chip.at(clock.now_ns() + delay_ms * clock.NS_PER_MS, partial(self._restart, Reset.SOFTWARE))
            case fw.PhyToSerialJtag():
                self._pulled_up = False
                self._chip.pins_to_serial_jtag()
            case fw.ForceDownload(on):
                self._chip.force_download(on)
            case fw.TransmitFrame(frame):
                self._sends.put(frame)
            case fw.Led() | fw.CdcWrite() | fw.LinkState() | fw.RemoteWakeup() if self._device is not None:
                self._tell_device(self._device, passed)
            case _:
                self._services.start(passed, self._usb.board_mac)

    def _tell_device(self, device: FirmwareDevice, command: Command) -> None:
        match command:
            case fw.CdcWrite(data, whole=True) if self._log is not None:
                self._log.put(data)
            case fw.CdcWrite(data):
                device.serial.write(data)
            case fw.LinkState(up=up):
                device.net.set_link(up)
            case fw.RemoteWakeup():
                self._plug.wake_host(device)

    def _tell_lost(self, write: Callable[[bytes], int], lines: int) -> None:
        write(f"W ({self._ms()}) main: {lines} log lines lost\n".encode())

    def _netif_started(self) -> None:
        self.tell(self._firmware.netif_started)

    def _leased(self, address: str) -> None:
        self.tell(partial(self._firmware.leased, address))

    def _pretend(self, command: Command) -> None:
        """A fault swallowed the command: tell the firmware that it was carried out."""
        if isinstance(command, fw.TransmitFrame):
            self._sent(command.frame, None)
        elif isinstance(command, fw.StartDhcpServer):
            self._netif_started()

    # ---- frames ------------------------------------------------------------------------------------

    def _frame_from_stack(self, frame: bytes) -> None:
        if self._chip.mode is Mode.APPLICATION:
            self._run(self._firmware.send_frame(frame, self._ms()))

    def _transmit(self, frame: bytes) -> str | None:
        """Hand a frame to USB: None where it was taken, '' where no buffer is free, else why it was rejected."""
        device = self._device
        if device is None:
            return "ESP_ERR_INVALID_STATE"
        rejected = self.faults.may_send(device.suspended)
        if rejected is not None:
            return rejected
        return None if device.net.transmit(frame) else ""

    def _sent(self, frame: bytes, error: str | None) -> None:
        self._run(self._firmware.frame_sent(frame, error is None, error or "ESP_OK", self._ms()))

    # ---- HttpBackend -------------------------------------------------------------------------------

    def respond(self, method: str, path: str) -> fw.HttpResponse:
        """One request to the firmware's handlers."""
        answer = self._firmware.http(method, path, self._ms())
        self._arm()
        return self.faults.http(method, path, answer)

    def refused(self, status: int) -> None:
        self._run(self._firmware.http_refused(status, self._ms()))

    def open_stream(self) -> Callable[[], bytes | None]:
        cursor = self._firmware.log_stream()
        return lambda: self._firmware.next_chunk(cursor, self._ms())

    # ---- what USB tells the firmware (hil.virtual.device_events) ---------------------------------------

    def mounted(self) -> None:
        self.faults.mounts += 1
        self._configure(self._firmware)
        self.tell(self._firmware.mounted)

    def frame_from_host(self, frame: bytes) -> None:
        taken, commands = self._firmware.frame_received(frame, self._ms())
        if taken:
            self._services.deliver(frame)
        self._run(commands)

    def tell(self, callback: Callable[[int], list[Command]]) -> None:
        """Call one of the firmware's inputs with the board's time."""
        self._run(callback(self._ms()))

    # ---- the cable -----------------------------------------------------------------------------------

    def _change_pull_up(self, command: Command) -> None:
        if isinstance(command, fw.StartUsb):
            self._events = DeviceEvents(self, self._firmware, self._seen)
            self._chip.pins_to_otg()
            self._usb = self.faults.identity(self._app.usb if self._app else self._usb)
            self._firmware.set_mac(self._usb.board_mac)
            device = FirmwareDevice(self._usb, self._events, self.faults, own_supply=self._parts.supply == "own")
            self._device = device
            self._log = LogQueue(device.serial, partial(self._tell_lost, device.serial.write))
        self._pulled_up = not isinstance(command, fw.UsbDisconnect)
        self._plug.follow_soon()

    def _wanted(self) -> UsbDevice | None:
        """The device that the host should see now."""
        if not self._plugged or not self._chip.powered or self._contact.lost:
            return None
        return self._device if self._device is not None and self._pulled_up else self._chip.device
