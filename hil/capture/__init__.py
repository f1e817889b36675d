"""The capture process: live descriptors in, typed events out, one file that grows.

``python -m hil.capture`` runs :mod:`~hil.capture.loop` over one epoll set. Every channel is a
:class:`~hil.capture.source.Source`; :mod:`~hil.capture.station` makes them from what the control socket brings;
:mod:`~hil.capture.client` is pytest's end of that socket. :mod:`~hil.capture.http` alone runs on the caller's thread.
"""
