"""One virtual board: chip, firmware, USB device and IP stack put together.

Theory of operation. Everything runs in one event loop. The firmware is told what happens and answers with commands;
:meth:`VirtualBoard._run` carries them out one after the other, through the fault port. Whatever ends the chip's power
or resets it drops the USB device and everything the firmware had started, and the next boot begins with the ROM's first
line. Whether the host sees a device follows from three facts: has the chip power, has its firmware started USB, is the
plug in. :class:`~hil.virtual.plug.Plug` brings the host's port to what they say.

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
from hil.virtual.device_events import DeviceEvents
from hil.virtual.faults import ArmedFault, FaultPort
from hil.virtual.firmware import Command
from hil.virtual.ipstack.dhcp_server import DhcpPool
from hil.virtual.log_queue import LogQueue
from hil.virtual.plug import Plug
from hil.virtual.points import ChipReset, Injection, Later, Mount, Point, StallUsb, Unmount
from hil.virtual.seen import Seen
from hil.virtual.send_queue import SendQueue
from hil.virtual.soc import ChipClock, Panic, Reset, boot_lines, download_lines
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
        self._loop = asyncio.get_running_loop()
        self._powered = self._plugged = self._pulled_up = False
        self._held = self._waits = False
        self._seen = Seen()
        self._clock = ChipClock(0)
        self._usb = parts.usb
        self._netif = fw.StartNetif("0.0.0.0", 0)
        self._device: FirmwareDevice | None = None
        self._events: DeviceEvents | None = None
        self._log: LogQueue | None = None
        self._timers: list[asyncio.TimerHandle] = []
        self._wake: asyncio.TimerHandle | None = None
        self._commands: deque[Command] = deque()
        self._running = False
        self._sends = SendQueue(self._transmit, self._sent)
        self._plug = Plug(parts.cable, self._wanted, on_died)
        self._config = parts.firmware.config
        parts.stack.on_frame = self._frame_from_stack

    # ---- what is done to the board; each returns the instant (ns) at which it began to take effect ----

    async def plug(self) -> int:
        at_ns = clock.now_ns()
        self._plugged = True
        if self._parts.supply == "bus" and not self._powered:
            self._start(Reset.POWER_ON)
        await self._plug.follow()
        return at_ns

    async def unplug(self) -> int:
        at_ns = clock.now_ns()
        self._plugged = False
        if self._parts.supply == "bus":
            self._stop()
        await self._plug.follow()
        return at_ns

    async def power(self, on: bool) -> int:
        if self._parts.supply == "bus":
            return await (self.plug() if on else self.unplug())
        at_ns = clock.now_ns()
        if on and not self._powered:
            self._start(Reset.POWER_ON)
        elif not on:
            self._stop()
        await self._plug.follow()
        return at_ns

    async def reset(self, reset: Reset) -> int:
        """Start the chip over; a panic says so first.

        Raises:
            VirtualBoardError: the chip has no power.
        """
        if not self._powered:
            raise VirtualBoardError(f"reset {reset.name}: the board has no power; plug it in or switch its supply on")
        at_ns = clock.now_ns()
        self._restart(reset)
        await self._plug.follow()
        return at_ns

    def hold(self) -> None:
        """EN is low: the chip stands still, and boots when it is released if it has power then."""
        self._seen.holds += 1
        waits = self._powered
        self._stop()
        self._held, self._waits = True, waits
        self._plug.follow_soon()

    def release(self, download: bool = False) -> None:
        """EN is high again; with IO0 low the ROM waits for a ``download``, and no firmware runs."""
        self._held = False
        if self._waits:
            self._start(Reset.EN, download)
        self._plug.follow_soon()

    def set_faults(self, faults: Sequence[ArmedFault]) -> None:
        """Other faults, in place of those before."""
        self.faults.faults = list(faults)
        self._watch_points()

    @property
    def state(self) -> BoardState:
        device = self._device
        return BoardState(
            powered=self._powered,
            plugged=self._plugged,
            mounted=device is not None and device.mounted,
            suspended=device is not None and device.suspended,
            link=device is not None and self._parts.firmware.link_up,
            boots=self.faults.boots,
            mounts=self.faults.mounts,
            uptime_ms=self._ms() if self._powered else 0,
            faults=self.faults.described,
            seen=self._seen,
        )

    async def close(self) -> None:
        """Pull the plug and let everything end that is under way; the parts are their maker's to close."""
        self._plugged = False
        self._stop()
        await self._plug.follow()
        await self._plug.finish()

    # ---- the chip ----------------------------------------------------------------------------------

    def _start(self, reset: Reset, download: bool = False) -> None:
        if self._held:
            self._waits = True
            return
        self._waits, self._powered = False, True
        self.faults.boots += 1
        seen = self.faults.boot(reset)
        self._clock = ChipClock(clock.now_ns(), self._parts.drift_ppm)
        self._configure()
        self._watch_points()
        for line in download_lines(seen) if download else boot_lines(seen):
            self._at(self._clock.instant_ns(line.after_s), partial(self._say, line.data))
        if not download:
            self._run(self._parts.firmware.boot(seen.reason, 0))

    def _stop(self) -> None:
        self._powered = self._pulled_up = self._waits = False
        self._device = None
        if self._events is not None:
            self._events.detach()
            self._events = None
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        if self._wake is not None:
            self._wake.cancel()
            self._wake = None
        self._commands.clear()
        self._sends.clear()
        self._parts.stack.halt()

    def _restart(self, reset: Reset) -> None:
        if reset is Reset.PANIC:
            self._say(Panic().text())
        self._stop()
        self._start(reset)

    def _configure(self) -> None:
        self._parts.firmware.configure(self.faults.configure(self._config))

    def _watch_points(self) -> None:
        """A call out of the core costs time at every frame: it is made where a fault asks for it."""
        self._parts.firmware.set_points(self._at_point if self.faults.watches_points else None)

    def _at_point(self, point: Point, now_ms: int) -> None:
        for each in self.faults.at_point(point, now_ms):
            self._inject(each)

    def _inject(self, injection: Injection) -> None:
        match injection:
            case Later(after_s, later):
                self._at(clock.now_ns() + clock.to_ns(after_s), partial(self._inject, later))
            case Mount():
                self.tell(self._parts.firmware.mounted)
            case Unmount():
                self.tell(self._parts.firmware.unmounted)
            case StallUsb(for_s):
                if self._device is not None:
                    self._device.stall(for_s)
            case ChipReset(reset):
                self._at(clock.now_ns(), partial(self._restart_as, reset))
            case command:
                self._at(clock.now_ns(), partial(self._run, (command,)))

    def _ms(self) -> int:
        return self._clock.ms(clock.now_ns())

    def _at(self, at_ns: int, action: Callable[[], None]) -> asyncio.TimerHandle:
        timer = self._loop.call_at(clock.to_s(at_ns), action)
        self._timers = [each for each in self._timers if each.when() > self._loop.time() and not each.cancelled()]
        self._timers.append(timer)
        return timer

    def _say(self, data: bytes) -> None:
        self._parts.console.write(self.faults.console(data))

    # ---- the firmware ------------------------------------------------------------------------------

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
        due_ms = self._parts.firmware.deadline_ms if self._powered else None
        if due_ms is not None:
            self._wake = self._loop.call_at(clock.to_s(self._clock.host_ns(due_ms)), self._wake_up)

    def _wake_up(self) -> None:
        self._wake = None
        self._run(self._parts.firmware.wake(self._ms()))

    def _carry_out(self, command: Command) -> None:
        passed = self.faults.command(command)
        match passed:
            case None:
                self._pretend(command)
            case fw.ConsoleWrite(data):
                self._say(data)
            case fw.StartUsb() | fw.UsbConnect() | fw.UsbDisconnect():
                self._change_pull_up(passed)
            case fw.StartNetif() | fw.StartDhcpServer() | fw.StartHttp():
                self._start_service(passed)
            case fw.Restart(delay_ms):
                self._at(clock.now_ns() + delay_ms * clock.NS_PER_MS, partial(self._restart_as, Reset.SOFTWARE))
            case fw.TransmitFrame(frame):
                self._sends.put(frame)
            case fw.Led():
                pass
            case _ if self._device is not None:
                self._tell_device(self._device, passed)

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

    def _tell_lost(self, device: FirmwareDevice, lines: int) -> None:
        device.serial.write(f"W ({self._ms()}) main: {lines} log lines lost\n".encode())

    def _start_service(self, command: Command) -> None:
        stack = self._parts.stack
        match command:
            case fw.StartNetif(address, prefix):
                self._netif = command
                stack.start_netif(address, prefix, self._usb.board_mac)
            case fw.StartDhcpServer():
                stack.start_dhcp_server(self._pool(command), self._netif_started)
            case fw.StartHttp():
                stack.start_http(self)

    def _netif_started(self) -> None:
        self._run(self._parts.firmware.netif_started(self._ms()))

    def _pool(self, command: fw.StartDhcpServer) -> DhcpPool:
        return DhcpPool(
            self._netif.address,
            self._netif.prefix,
            command.first,
            command.last,
            lease_s=command.lease_s,
            router=command.router,
            dns=command.dns,
        )

    def _pretend(self, command: Command) -> None:
        """A fault swallowed the command: tell the firmware that it was carried out."""
        if isinstance(command, fw.TransmitFrame):
            self._sent(command.frame, None)
        elif isinstance(command, fw.StartDhcpServer):
            self._netif_started()

    def _restart_as(self, reset: Reset) -> None:
        self._restart(reset)
        self._plug.follow_soon()

    # ---- frames ------------------------------------------------------------------------------------

    def _frame_from_stack(self, frame: bytes) -> None:
        if self._powered:
            self._run(self._parts.firmware.send_frame(frame, self._ms()))

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
        self._run(self._parts.firmware.frame_sent(frame, error is None, error or "ESP_OK", self._ms()))

    # ---- HttpBackend -------------------------------------------------------------------------------

    def respond(self, method: str, path: str) -> fw.HttpResponse:
        """One request to the firmware's handlers."""
        answer = self._parts.firmware.http(method, path, self._ms())
        self._arm()
        return self.faults.http(method, path, answer)

    def open_stream(self) -> Callable[[], bytes | None]:
        cursor = self._parts.firmware.log_stream()
        return lambda: self._parts.firmware.next_chunk(cursor, self._ms())

    # ---- what USB tells the firmware (hil.virtual.device_events) ---------------------------------------

    def mounted(self) -> None:
        self.faults.mounts += 1
        self._configure()
        self.tell(self._parts.firmware.mounted)

    def frame_from_host(self, frame: bytes) -> None:
        taken, commands = self._parts.firmware.frame_received(frame, self._ms())
        if taken:
            self._parts.stack.deliver(frame)
        self._run(commands)

    def tell(self, callback: Callable[[int], list[Command]]) -> None:
        """Call one of the firmware's inputs with the board's time."""
        self._run(callback(self._ms()))

    # ---- the cable -----------------------------------------------------------------------------------

    def _change_pull_up(self, command: Command) -> None:
        if isinstance(command, fw.StartUsb):
            self._events = DeviceEvents(self, self._parts.firmware, self._seen)
            own_supply = self._parts.supply == "own"
            self._usb = self.faults.identity(self._parts.usb)
            device = FirmwareDevice(self._usb, self._events, self.faults, own_supply=own_supply)
            self._device = device
            self._log = LogQueue(device.serial, partial(self._tell_lost, device))
        self._pulled_up = not isinstance(command, fw.UsbDisconnect)
        self._plug.follow_soon()

    def _wanted(self) -> FirmwareDevice | None:
        """The device that the host should see now."""
        return self._device if self._plugged and self._powered and self._pulled_up else None
