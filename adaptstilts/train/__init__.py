"""The one training loop, what each method trains, and masked language modelling."""
