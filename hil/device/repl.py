"""A statement for a MicroPython that is not expected to answer, because it takes its own USB away.

mpremote's ``SerialTransport`` opens a node by its name, which an ordinary user may not; here it gets a port that the
agent has opened. A device that vanishes while a statement runs is an OSError there, in closing too.
"""

from typing import Any

from hil.clock import Clock, Deadline
from hil.device.lent_port import Port
from hil.errors import BoardMute, BoardVanished
from hil.flash.tty_port import TtyPort

RAW_REPL_S = 5.0
"""A program that runs is interrupted first."""
STAYS_S = 2.0
"""What a statement that leaves prints before it does; the seed's printed 'Entering bootloader...' and was gone."""
SHOWN = 200


def tell(port: Port, board: str, statement: str, clock: Clock) -> str:
    """Interrupt what runs, have the statement run in the raw REPL, and return what it printed until it went.

    Args:
        port: of a board that is known to run MicroPython: to anything else a Ctrl-C is a byte of data.
        board: for messages.
        statement: Python.
        clock: for the wait for what it prints.

    Raises:
        BoardMute: no raw REPL answers.
    """
    from mpremote.transport import TransportError
    from mpremote.transport_serial import SerialTransport

    serial = TtyPort(port.hand_over(), port.node, board)
    serial.timeout = 1.0
    transport = SerialTransport.__new__(SerialTransport)
    vars(transport).update(_opened(serial, port.node))
    try:
        transport.enter_raw_repl(soft_reset=False, timeout_overall=RAW_REPL_S)
        transport.exec_raw_no_follow(statement)
        return _printed(serial, clock)
    except TransportError as error:
        raise BoardMute(f"board {board}: no MicroPython REPL at {port.node}: {error}") from error
    except (BoardVanished, OSError):
        return ""  # gone while it was being told: whether for the loader, its identity tells
    finally:
        serial.close()


def _opened(serial: TtyPort, node: str) -> dict[str, Any]:
    """What mpremote 1.29's own constructor sets."""
    return {
        "in_raw_repl": False,
        "use_raw_paste": True,
        "device_name": node,
        "mounted": False,
        "is_pty": False,
        "serial": serial,
    }


def _printed(serial: TtyPort, clock: Clock) -> str:
    deadline, told = Deadline(STAYS_S, clock), b""
    serial.timeout = 0.2
    while not deadline.passed and len(told) < SHOWN and not told.endswith(b"\x04>"):
        try:
            told += serial.read(1)
        except (BoardVanished, OSError):
            break
    return told.replace(b"\x04", b"").decode("utf-8", "replace").strip(" \r\n>")
