"""Minimum functionality tests for question answering in the manner of MultiCheckList, from templates of our own."""
