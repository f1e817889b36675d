"""What logs say of themselves: boards of any firmware, and builds; line by line, in one pass."""

from hil.diagnosis.text.reader import CAUSES, LogReader

__all__ = ["CAUSES", "LogReader"]
