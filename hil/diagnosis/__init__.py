"""Why a board failed: signatures matched against the timeline, and nothing but the timeline.

"No signature matches" is a legal answer; a guess is not.
"""

from hil.diagnosis.finding import Evidence, Finding
from hil.diagnosis.signatures import SIGNATURES, diagnose

__all__ = ["SIGNATURES", "Evidence", "Finding", "diagnose"]
