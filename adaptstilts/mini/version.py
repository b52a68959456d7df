"""Version of the generated mini world, in a module of its own, so that planning need not load the generator."""

GENERATOR_VERSION: int = 1
"""Raised with every change of the written data, so that stored artefacts of older data are not reused."""
