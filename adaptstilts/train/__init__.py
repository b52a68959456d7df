"""The one training loop, what each method trains, checkpoints, and runs in several processes."""
