"""Backbone, heads, adapters, fusion, and their files."""
