"""What a plan costs: operations, memory, time on a device; free of torch."""
