"""Script of the metric `accuracy`."""
