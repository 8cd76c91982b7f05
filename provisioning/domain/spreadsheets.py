"""Cells of CSV files that spreadsheets open: none may be taken for a formula."""

from __future__ import annotations

_BEGINNINGS = ("=", "+", "-", "@", "\t", "\r")
"""What makes a spreadsheet take a cell for a formula (OWASP, CSV injection)."""
_GUARD = "'"


def guarded(cell: str) -> str:
    """A cell that shows what it says; an apostrophe before it says that it is text."""
    return _GUARD + cell if cell.startswith((*_BEGINNINGS, _GUARD)) else cell


def unguarded(cell: str) -> str:
    """The cell that ``guarded`` was given."""
    guard = cell.startswith(_GUARD) and cell[1:].startswith((*_BEGINNINGS, _GUARD))
    return cell[1:] if guard else cell
