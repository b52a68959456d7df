"""Script of the metric `bucc`."""
