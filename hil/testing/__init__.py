"""Fakes that stand for parts of a bench in tests of hil itself."""
