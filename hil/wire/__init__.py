"""Bytes to values and back, without I/O; the only exception is :class:`hil.errors.WireError`."""
