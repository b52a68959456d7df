"""The Python front door: what a script or a notebook does with a study; the command line is a thin call of it."""
