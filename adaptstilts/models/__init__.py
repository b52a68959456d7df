"""Backbones, heads, adapters and AdapterFusion, and the files they are stored in."""
