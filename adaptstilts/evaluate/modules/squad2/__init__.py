"""Script of the metric `squad2`."""
