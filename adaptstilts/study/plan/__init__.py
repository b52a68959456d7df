"""Planning: from a configuration to stages with content keys. Free of torch."""
