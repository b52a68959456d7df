"""Progress of long work on a terminal or in a notebook."""
