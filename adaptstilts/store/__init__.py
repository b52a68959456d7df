"""Finished work, found by content key: artefacts, who is making them, and their upkeep. Knows no task and no model."""
