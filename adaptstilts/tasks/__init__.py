"""Declarations of tasks, and the examples of each kind of task."""
