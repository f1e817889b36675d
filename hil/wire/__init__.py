"""Bytes to values and back, for every format the harness speaks: no sockets, no files, no clock.

A value is a frozen dataclass with ``pack() -> bytes`` and ``parse(data) -> Self``. Addresses are text
(``'192.168.7.2'``, ``'02:02:11:22:33:02'``), payloads are ``bytes``. Whatever bytes come in, the only exception that
leaves a parser is :class:`hil.errors.WireError`; a value that its format cannot hold raises it from ``pack``.
"""
