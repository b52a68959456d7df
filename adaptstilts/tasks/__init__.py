"""Tasks as data: declarations, readers of the published layouts, encoding."""
