"""Script of the metric `chunk_f1`."""
