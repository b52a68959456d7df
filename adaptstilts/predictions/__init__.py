"""Finished predictions as tables with a row per example."""
