"""adaptstilts: intermediate-task transfer for cross-lingual models, with full models and with reusable adapters."""

__version__ = "0.1.0"
