"""Contamination of data sets: rows in other languages, and texts shared by training and evaluation data."""
