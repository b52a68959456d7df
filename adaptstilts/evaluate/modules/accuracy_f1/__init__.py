"""Script of the metric `accuracy_f1`."""
