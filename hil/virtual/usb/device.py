"""A full-speed USB device behind USB/IP: endpoint 0, pipes, functions, and what its firmware is told.

:class:`~hil.virtual.usb.connection.Connection` is its cable. The same device may be connected again, which is a replug
of a board that kept its power; a board that lost it is a new :class:`UsbDevice`.
"""

import asyncio
import errno
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from hil.errors import VirtualBoardError
from hil.virtual.usb.application import BusEvents
from hil.virtual.usb.control import STANDARD, TYPE_MASK, DefaultPipe, Haltable, State
from hil.virtual.usb.descriptors import UsbDescriptors
from hil.virtual.usb.function import UsbFunction
from hil.virtual.usb.hooks import NoHooks, UsbHooks
from hil.virtual.usb.pipes import INTERRUPT, STALLED, TRANSFER_TYPE, BusTime, InPipe, OutPipe
from hil.virtual.usb.stall import Stall
from hil.virtual.usb.throttle import FullSpeedBus
from hil.wire.usb import Endpoint, SetupPacket
from hil.wire.usbip import IN, CmdSubmit, CmdUnlink, RetSubmit, RetUnlink

NO_ENDPOINT = -errno.EPROTO
"""Nobody answers at that address: a time-out on the bus."""
UNLINKED = -errno.ECONNRESET

Reply = Callable[[RetSubmit | RetUnlink], None]


class BusWatch(Protocol):
    """Finds out what USB/IP does not tell: that the bus went idle. See :mod:`hil.virtual.usb.bus_state`."""

    def polling(self, polled: bool) -> None:
        """Whether the configured device has any IN URB of the host; called when that may have changed."""


class UsbDevice:
    """One device.

    Args:
        functions: their interfaces and endpoints are those of ``descriptors``.
        hooks: see :class:`UsbHooks`.
        bus: shared by the devices that share a full-speed bus; else one of its own.
        own_supply: the board has power without the cable, so that an unplug looks like a suspend to it.

    Raises:
        VirtualBoardError: an endpoint of ``descriptors`` belongs to no function.
    """

    def __init__(
        self,
        descriptors: UsbDescriptors,
        functions: Sequence[UsbFunction],
        application: BusEvents,
        hooks: UsbHooks | None = None,
        *,
        bus: FullSpeedBus | None = None,
        own_supply: bool = False,
    ) -> None:
        self.hooks = hooks or NoHooks()
        self.suspended = False
        self.watch: BusWatch | None = None
        self._application = application
        self._functions = tuple(functions)
        self._own_supply = own_supply
        self._seen_setup = False
        self._reply: Reply | None = None
        self._loop = asyncio.get_running_loop()
        self._default = DefaultPipe(descriptors, self)
        self._stall = Stall(self.submit, self._give_back)
        self._in: dict[int, InPipe] = {}
        self._out: dict[int, OutPipe] = {}
        self._open_pipes(descriptors, bus or FullSpeedBus())
        for function in self._functions:
            function.bind(self)

    def _open_pipes(self, descriptors: UsbDescriptors, bus: FullSpeedBus) -> None:
        for endpoint in (part for part in descriptors.configuration.walk() if isinstance(part, Endpoint)):
            address = endpoint.address
            function = self.function_of_endpoint(address)
            if function is None:
                known = ", ".join(f"0x{known:02x}" for own in self._functions for known in sorted(own.endpoints))
                raise VirtualBoardError(f"endpoint 0x{address:02x} belongs to no function; known: {known or 'none'}")
            time = BusTime(bus, self._loop)
            if address & 0x80:
                self._in[address] = InPipe(endpoint, time, self._give_back, partial(function.transmitted, address))
            else:
                room, deliver = partial(function.out_room, address), partial(self._deliver, function, address)
                self._out[address] = OutPipe(endpoint, time, self._give_back, room, deliver)

    @property
    def _pipes(self) -> list[InPipe | OutPipe]:
        return [*self._in.values(), *self._out.values()]

    # ---- what others ask ------------------------------------------------------------------------

    @property
    def state(self) -> State:
        """Of USB 2.0 figure 9-1, suspend apart."""
        return self._default.state

    @property
    def mounted(self) -> bool:
        """Configured (``tud_mounted``); stays true in suspend, and after an unplug that looks like one."""
        return self._default.configuration != 0

    @property
    def ready(self) -> bool:
        """Configured and not suspended (``tud_ready``)."""
        return self.mounted and not self.suspended

    @property
    def remote_wakeup_armed(self) -> bool:
        """The host has sent SET_FEATURE(DEVICE_REMOTE_WAKEUP)."""
        return self._default.remote_wakeup_armed

    @property
    def connected(self) -> bool:
        """The cable is in."""
        return self._reply is not None

    # ---- the cable (hil.virtual.usb.connection) ---------------------------------------------------

    def connect(self, reply: Reply) -> None:
        """The cable is in; replies to the host go to ``reply``.

        Raises:
            VirtualBoardError: it is in already.
        """
        if self._reply is not None:
            raise VirtualBoardError("the device is connected already; a device has one cable")
        self._reply = reply

    def disconnect(self) -> None:
        """The cable is out: no SET_CONFIGURATION 0, just silence (no VBUS sensing, ``dcd_dwc2.c``)."""
        self._reply = None
        self._stall.clear()
        for pipe in self._pipes:
            pipe.disconnect()
        if self._own_supply:
            self.suspend()

    def submit(self, command: CmdSubmit, data: bytes) -> None:
        """A URB from the host."""
        if self._stall.keep_submission(command, data):
            return
        if command.endpoint == 0:
            self._control(command, data)
            return
        self.resume()
        if not self.mounted or self._endpoint_of(command) not in (self._in if command.direction == IN else self._out):
            self._give_back(RetSubmit(command.seqnum, NO_ENDPOINT, 0))
        elif command.direction == IN:
            self._in[self._endpoint_of(command)].submit(command)
            self._tell_polling()
        else:
            self._out[command.endpoint].submit(command, data)

    def unlink(self, command: CmdUnlink) -> None:
        """The host takes a URB back."""
        seqnum = command.unlink_seqnum
        found = self._stall.unlink(seqnum) or any(pipe.unlink(seqnum) for pipe in self._pipes)
        if self._reply is not None:
            self._reply(RetUnlink(command.seqnum, UNLINKED if found else 0))
        self._tell_polling()

    def suspend(self) -> None:
        """The bus is idle; ignored until the first SETUP, and where it is already known (``tud_task_ext``)."""
        if self._seen_setup and not self.suspended:
            self.suspended = True
            self._application.on_suspended(self.remote_wakeup_armed)

    def resume(self) -> None:
        """There is traffic again; nothing where the device was not suspended."""
        if self.suspended:
            self.suspended = False
            self._application.on_resumed()

    def stall(self, for_s: float) -> None:
        """The task that serves USB does not run from now on; the host's requests wait, and so do answers."""
        self._stall.begin(for_s)

    def bus_reset(self) -> None:
        """Everything as after power-up, apart from what the firmware itself keeps; it ends a suspend untold."""
        self.suspended = False
        self._default.reset()
        self._reset_functions()
        self._application.on_bus_reset()

    # ---- DevicePort: what the functions ask -------------------------------------------------------

    def transmit(self, endpoint: int, data: bytes) -> None:
        """Start one transfer to the host."""
        pipe = self._in[endpoint]
        if pipe.endpoint.attributes & TRANSFER_TYPE == INTERRUPT:
            changed = self.hooks.notification(data)
        else:
            changed = self.hooks.urb_in(endpoint, data)
        if changed is None:
            function = self.function_of_endpoint(endpoint)
            assert function is not None
            self._loop.call_soon(function.transmitted, endpoint, len(data))
        else:
            pipe.send(changed)

    def busy(self, endpoint: int) -> bool:
        return self._in[endpoint].busy

    def polled(self, endpoint: int) -> bool:
        return self._in[endpoint].polled

    def renew(self, endpoint: int) -> None:
        self._out[endpoint].renew()

    # ---- Target: what endpoint 0 does ---------------------------------------------------------------

    def open_configuration(self) -> None:
        self._application.on_mounted()
        self._tell_polling()

    def close_configuration(self, left_for_nothing: bool) -> None:
        self._reset_functions()
        if left_for_nothing:
            self._application.on_unmounted()

    def function(self, interface: int) -> UsbFunction | None:
        return next((function for function in self._functions if interface in function.interfaces), None)

    def function_of_endpoint(self, address: int) -> UsbFunction | None:
        return next((function for function in self._functions if address in function.endpoints), None)

    def pipe(self, address: int) -> Haltable | None:
        return self._in.get(address) or self._out.get(address)

    # ---- inside -----------------------------------------------------------------------------------

    def _control(self, command: CmdSubmit, data: bytes) -> None:
        setup = SetupPacket.parse(command.setup)
        self._seen_setup = True
        if self._default.begins_enumeration(setup):
            self.bus_reset()
        else:
            self.resume()
        answer = self.hooks.control(setup, self._default.answer(setup, data))
        if answer is None:
            self._give_back(RetSubmit(command.seqnum, STALLED, 0))
        elif setup.is_in:
            stage = answer[: min(setup.length, command.length)]
            self._give_back(RetSubmit(command.seqnum, 0, len(stage), stage))
        else:
            self._give_back(RetSubmit(command.seqnum, 0, len(data)))
        if setup.request_type & TYPE_MASK == STANDARD:
            self._tell_polling()

    def _deliver(self, function: UsbFunction, address: int, data: bytes) -> None:
        changed = self.hooks.urb_out(address, data)
        if changed is not None:
            function.received(address, changed)

    def _reset_functions(self) -> None:
        for pipe in self._pipes:
            pipe.reset()
        for function in self._functions:
            function.reset()

    def _give_back(self, reply: RetSubmit) -> None:
        if self._reply is not None and not self._stall.keep_answer(reply):
            self._reply(reply)

    def _tell_polling(self) -> None:
        if self.watch is not None and self.mounted:
            self.watch.polling(any(pipe.pending for pipe in self._in.values()))

    @staticmethod
    def _endpoint_of(command: CmdSubmit) -> int:
        return command.endpoint | (0x80 if command.direction == IN else 0)
