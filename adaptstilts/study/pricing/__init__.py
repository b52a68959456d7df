"""Prices of a plan: operations, memory and time on a device. Free of torch."""
