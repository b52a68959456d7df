"""Tasks as data: what each task is, and the examples of each kind."""
