"""Getting the data sets and checking them: sources, fetching, the on-disk layout, row counts."""
