"""From a configuration to a report: planning, carrying out, watching and submitting a study."""
