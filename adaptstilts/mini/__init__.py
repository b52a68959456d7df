"""The embedded world: a generated multilingual benchmark with exact gold labels for all 18 tasks."""
