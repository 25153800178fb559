"""What results tell a person, in one form for the shell, the notebook and plain text."""

from .form import Column, Report, Table, as_html, as_text, hint_lines

__all__ = ["Column", "Report", "Table", "as_html", "as_text", "hint_lines"]
