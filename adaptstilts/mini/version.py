"""Version of the generated mini world, in a module of its own, so that planning need not load the generator."""

GENERATOR_VERSION: int = 1
"""Goes up with every change of what is written, so that stored artefacts of older data are not taken for new ones."""
