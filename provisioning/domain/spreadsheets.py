"""Cells of CSV files that spreadsheets open: none may be taken for a formula."""

from __future__ import annotations

_BEGINNINGS = ("=", "+", "-", "@", "\t", "\r")
"""What makes a spreadsheet take a cell for a formula (OWASP, CSV injection)."""


def neutral(cell: str) -> str:
    """A cell that shows what it says; an apostrophe before it says that it is text."""
    return f"'{cell}" if cell.startswith(_BEGINNINGS) else cell
