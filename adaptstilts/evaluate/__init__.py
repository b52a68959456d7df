"""Prediction, decoding, retrieval, metrics and benchmark scores."""
