"""Training a small backbone: corpora, tokenizer, masked language modelling."""
