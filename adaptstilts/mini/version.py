"""Version of the generated world; apart from the generator, so that planning need not load it."""

GENERATOR_VERSION: int = 1
"""Goes up with every change of what is written, so that stored artefacts of older data are not taken for new ones."""
