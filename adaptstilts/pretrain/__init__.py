"""Pretraining of small backbones: corpora, tokenizer, masked language modelling."""
