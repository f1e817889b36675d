"""Stands for the raw REPL of a MicroPython."""


class RawRepl:
    """Answers what it is sent, without raw paste (MicroPython docs, "The MicroPython Interactive Interpreter Mode").

    Args:
        says: what a statement prints.
        stays: whether the board is still there when a statement has run.
    """

    def __init__(self, says: bytes, stays: bool) -> None:
        self._says = says
        self._stays = stays

    def answer(self, data: bytes) -> bytes | None:
        """What comes back; None: the board leaves."""
        if b"\x05A\x01" in data:
            return b"R\x00"
        if b"\x01" in data:
            return b"\r\n>>> raw REPL; CTRL-B to exit\r\n>"
        if b"\x04" in data:
            return b"OK" + self._says + b"\x04\x04>" if self._stays else None
        return b""
