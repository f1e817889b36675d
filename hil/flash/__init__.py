"""Putting a build into a board's flash: what it consists of, what of it changes, and esptool to write it.

The board is reached through a descriptor that somebody else has opened; how it gets into its loader, and whether the
new firmware runs, is :mod:`hil.device`'s business.
"""
