"""Configuration files: the schema with every default, and loading that reports all problems at once."""
