"""The command line, its progress lines and the dashboard."""
