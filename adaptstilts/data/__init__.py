"""Getting the data sets and checking them: manifest, fetching, the on-disk layout, row counts, leaks and overlaps."""
