"""From a configuration to stages with content keys; free of torch."""
