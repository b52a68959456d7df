"""Minimum functionality tests for question answering in the manner of MultiCheckList, from templates of our own."""

DEFAULT_CASES = 200
"""Cases per test and language; MultiCheckList's number."""
DEFAULT_SEED = 42
"""MultiCheckList's seed; the cases differ all the same, since the templates do."""
