"""Result rows to tables, figures and the report."""
