"""Rows in other languages, and equal texts in training and evaluation data."""
