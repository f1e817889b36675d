"""The arguments of the marker ``hil``."""

import pytest

from hil.bench import ROLES
from hil.board import sight
from hil.errors import HarnessError


def check(item: pytest.Item) -> None:
    """Look at the arguments of a test's markers.

    Raises:
        pytest.UsageError: one is unknown or has a value that is none of the choices; the message names the test.
    """
    for marker in item.iter_markers("hil"):
        unknown = set(marker.kwargs) - {"needs", "role"}
        if marker.args or unknown:
            wrong = ", ".join(sorted(unknown)) or f"{marker.args[0]!r} without a name"
            raise pytest.UsageError(f"{item.nodeid}: marker hil takes needs=… and role=…, not {wrong}")
        role = marker.kwargs.get("role")
        if role not in (None, *ROLES):
            raise pytest.UsageError(f"{item.nodeid}: marker hil: role={role!r} is not known; known: {', '.join(ROLES)}")
        try:
            if marker.kwargs.get("needs") is not None:
                sight.ways(marker.kwargs["needs"])
        except HarnessError as error:
            raise pytest.UsageError(f"{item.nodeid}: marker hil: {error}") from error
