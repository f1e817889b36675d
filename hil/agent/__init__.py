"""The one process that needs root, and the client that asks it.

``protocol`` is what the two say to each other, ``allow`` what the machine's owner permits, ``client`` the caller's
side; ``server`` is never imported by the rest of hil, it runs as ``python -m hil.agent``.
"""
