"""What people type and see: the command line, progress and the dashboard."""
