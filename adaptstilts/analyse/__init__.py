"""Pure comparisons of finished runs: tidy results, aggregation, differences to a reference."""
