"""Examples to sub-token ids."""
