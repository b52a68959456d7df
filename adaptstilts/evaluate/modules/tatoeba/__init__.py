"""Script of the metric `tatoeba`."""
