"""Data files in any published layout to examples, with an error that names file and line for what is wrong."""
