"""What tells a folder of evidence that hil made, and may empty, from any other."""

MARK = ".hil-artifacts"
"""A file in it; while a run writes there, it holds the run's process id."""
