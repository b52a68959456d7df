"""Which stage runs when, and on which worker: one process, several, Ray or SLURM. Knows no task and no model."""
