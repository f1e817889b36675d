"""The faults that the harness must see: what is wrong, where it was seen, which finding which scenario must bring out.

One table for `hil faults`, for the proofs in tests/proofs and for docs/faults.md. It is data: the faults themselves are
in hil.virtual.builtin, the findings in hil.diagnosis.
"""

from hil.catalogue.claims import CLAIM_FAULTS
from hil.catalogue.client import CLIENT_FAULTS
from hil.catalogue.connect import CONNECT_FAULTS
from hil.catalogue.entry import Entry, Proof
from hil.catalogue.leaving import LEAVING_FAULTS
from hil.catalogue.loader import LOADER_FAULTS
from hil.catalogue.static_address import STATIC_FAULTS

__all__ = ["FAULTS", "Entry", "Proof"]

FAULTS: tuple[Entry, ...] = (
    *CONNECT_FAULTS,
    *CLAIM_FAULTS,
    *LOADER_FAULTS,
    *LEAVING_FAULTS,
    *STATIC_FAULTS,
    *CLIENT_FAULTS,
)
"""Every built-in fault, in the order of the matrix."""
