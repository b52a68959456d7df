"""The eight languages of the mini world: one module each, with its lexicon and its small grammar."""
