"""Prediction, decoding, retrieval, metrics and scores."""
