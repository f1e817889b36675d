"""The virtual board's cable."""

from hil.board.interfaces import Instant
from hil.board.sight import VBUS_OFF
from hil.power.virtual_control import VirtualControl


class VirtualCable:
    """Driver ``virtual``: pulls and puts back the cable of the virtual board."""

    sees = VBUS_OFF

    def __init__(self, control: VirtualControl) -> None:
        self._control = control

    def off(self) -> Instant:
        return self._control.do("unplug")

    def on(self) -> Instant:
        return self._control.do("plug")
