"""Style of text in columns on the page of a notebook."""

PLAIN_STYLE = "font-family: Menlo, Consolas, 'DejaVu Sans Mono', monospace; line-height: 1.2; white-space: pre"
"""Style of text in columns; the pages that show notebooks give ``<pre>`` a proportional font."""
