"""Script of the metric `squad`."""
