"""Script of the metric `mlqa`."""
