"""Configuration: the schema with every default, and loading with all problems reported at once."""
