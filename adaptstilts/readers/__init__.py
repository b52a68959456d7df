"""Readers that turn data files in any published layout into examples; errors name the file and line at fault."""
